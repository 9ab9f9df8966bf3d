"""Two exact forms in which a decoder layer attends to the document: states (absorbed), or keys and values (projected).

With `q` normed, rotated and scaled, a cross key is `k_norm(W_k h_t)`, without RoPE, so

    score(q, t) = q . k_norm(W_k h_t) = [W_k^T (g * q)] . h_t * r_t        g = 1 + k_norm.weight
    r_t         = 1 / sqrt(mean((W_k h_t)^2) + eps)                        `Memory.key_inv_rms`
    output      = W_v (sum_t p_t h_t)                                      p from one softmax over own and cross keys

Absorbed, one tensor of states serves all layers, heads and questions, and nothing is made before the first token. But
a row that attends multiplies 2 H numbers a token instead of 2 D. Many rows (a batch of questions, a long conversation)
pay for making the keys and values once: then the projected form does less work, for the time of one batch.

Shapes: K key heads of size D, H hidden size, R rows that attend together, n document tokens of a block.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from model.decoder.limits import FITTED
from model.network.t5gemma2 import Attention, T5Gemma2
from model.types import Memory

_BLOCK_BYTES = 2**21  # of states: read from memory for the scores, they are still in the cache for the weighted sum
_BLOCK_BYTES_BFLOAT16 = 2**26  # there fewer blocks pay more: 395 ms instead of 500 (2**24) over 131,072 states (AMX)
_SCORES_AT_ONCE = 2**22  # rows x states of a block: what a batch of long prompts may take for its scores
_PART = 512  # states that a weighted sum is shared out by
_FEW_ROWS = 16  # one token each of up to four questions; with more, the order of a product makes no difference
_ANSWER_TOKENS = 16  # that an answer is expected to have, when the forms' costs are compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Some of the document's tokens. keys, values: (n, x) or (K, n, x).

    scales: (K, n), the inverse RMS of the keys; None if the keys are normalized already.
    """

    keys: torch.Tensor
    values: torch.Tensor
    scales: torch.Tensor | None = None

    def scores(self, rows: torch.Tensor) -> torch.Tensor:
        """rows (K, R, x) -> (K, R, n) float32."""
        scores = _products(rows, self.keys).float()
        return scores if self.scales is None else scores * self.scales[:, None]

    def weighted(self, weights: torch.Tensor) -> torch.Tensor:
        """Sums of the values by weights (K, R, n) float32 -> (K, R, x), where parts are added up in float32."""
        return _sums(weights.to(self.values.dtype), self.values)


class DocumentForm(Protocol):
    """What merged attention needs of the document."""

    def prepare_queries(self, module: Attention, rows: torch.Tensor, /) -> torch.Tensor:
        """Query rows (K, R, D) as the form's keys want them, (K, R, x)."""

    def blocks(self, module: Attention, rows: int, /) -> Iterator[Block]:
        """The document for this layer, as many tokens at a time as stay in the processor's cache."""

    def finish_output(self, module: Attention, summed: torch.Tensor, /) -> torch.Tensor:
        """Weighted sums of the form's values, (K, R, x), as sums of the layer's values, (K, R, D)."""


def choose_form(
    model: T5Gemma2,
    memories: Sequence[Memory],
    questions: int,
    prompt_tokens: int,
    most_bytes: int = FITTED.projected_bytes,
) -> DocumentForm:
    """The form that multiplies less for so many questions of so many tokens.

    most_bytes: of keys and values of all layers, beyond which the absorbed form is taken in any case.
    """
    config = model.model.decoder.config
    keys_and_values = 2 * config.num_key_value_heads * config.head_dim
    rows = questions * config.num_attention_heads * (prompt_tokens + _ANSWER_TOKENS)
    absorbed = rows * 2 * config.hidden_size
    projected = config.hidden_size * keys_and_values + rows * 2 * config.head_dim
    tokens = sum(len(memory.hidden) for memory in memories)
    size = tokens * config.num_hidden_layers * keys_and_values * memories[0].hidden.element_size()
    return ProjectedForm(memories) if projected < absorbed and size <= most_bytes else AbsorbedForm(memories)


class AbsorbedForm:
    """States: `k_proj` goes into the query, `v_proj` is applied to the weighted sum."""

    def __init__(self, memories: Sequence[Memory]) -> None:
        self._memories = [memory for memory in memories if len(memory.hidden)]

    def prepare_queries(self, module: Attention, rows: torch.Tensor) -> torch.Tensor:
        gained = rows * (1 + module.k_norm.weight.float()).to(rows.dtype)
        return gained @ module.k_proj.weight.unflatten(0, (-1, module.head_dim))

    def blocks(self, module: Attention, rows: int) -> Iterator[Block]:
        for memory in self._memories:
            size = _block_size(memory.hidden, rows)
            scales = memory.key_inv_rms[module.layer_idx]
            for states, part in zip(memory.hidden.split(size), scales.split(size, dim=-1), strict=True):
                yield Block(keys=states, values=states, scales=part)

    def finish_output(self, module: Attention, summed: torch.Tensor) -> torch.Tensor:
        return _products(summed, module.v_proj.weight.unflatten(0, (-1, module.head_dim)))


class ProjectedForm:
    """Keys and values of each layer, (K, T, D), made when the layer first asks for them."""

    def __init__(self, memories: Sequence[Memory]) -> None:
        self._memories = [memory for memory in memories if len(memory.hidden)]
        self._layers: dict[int, list[tuple[torch.Tensor, torch.Tensor]]] = {}

    def prepare_queries(self, _module: Attention, rows: torch.Tensor) -> torch.Tensor:
        return rows

    def blocks(self, module: Attention, rows: int) -> Iterator[Block]:
        if module.layer_idx not in self._layers:
            self._layers[module.layer_idx] = [_projected(module, memory.hidden) for memory in self._memories]
        for keys, values in self._layers[module.layer_idx]:
            size = _block_size(keys, rows)
            for key_part, value_part in zip(keys.split(size, dim=1), values.split(size, dim=1), strict=True):
                yield Block(keys=key_part, values=value_part)

    def finish_output(self, _module: Attention, summed: torch.Tensor) -> torch.Tensor:
        return summed


def _projected(module: Attention, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """States (T, H) -> keys and values, each (K, T, D)."""
    keys = module.k_norm(module.k_proj(hidden).unflatten(-1, (-1, module.head_dim)))
    values = module.v_proj(hidden).unflatten(-1, (-1, module.head_dim))
    return keys.transpose(0, 1).contiguous(), values.transpose(0, 1).contiguous()


def _products(rows: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
    """rows (K, R, x) and keys (n, x) or (K, n, x) -> (K, R, n).

    A few rows go behind the many keys: the processor's kernel is half as fast again that way round, in bfloat16 (AMX)
    nearly twice as fast. The keys of a single head are one matrix: among several its transpose would be copied, which
    takes three times as long.
    """
    if keys.ndim == 3 and len(keys) == 1:
        keys = keys[0]
    if rows.shape[1] > _FEW_ROWS:
        return rows @ keys.mT
    if keys.ndim == 3:
        return (keys @ rows.mT).mT.contiguous()
    return (keys @ rows.flatten(0, 1).T).T.contiguous().unflatten(0, (len(rows), -1))


def _sums(weights: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """weights (K, R, n) and values (n, x) or (K, n, x) -> (K, R, x).

    In bfloat16 on a CPU part by part, side by side: in one product only the columns can be shared out, and that takes
    nearly twice as long.
    """
    parts = weights.shape[-1] // _PART
    if parts < 2 or weights.dtype != torch.bfloat16 or weights.device.type != "cpu":
        return weights @ values
    whole = parts * _PART
    by_part = weights[..., :whole].unflatten(-1, (parts, _PART)).transpose(-3, -2)  # (K, parts, R, _PART)
    sums = (by_part @ values[..., :whole, :].unflatten(-2, (parts, _PART))).sum(-3, dtype=torch.float32)
    return sums + weights[..., whole:] @ values[..., whole:, :] if whole < weights.shape[-1] else sums


def _block_size(tokens: torch.Tensor, rows: int) -> int:
    """How many tokens (..., n, x) a block has for so many rows."""
    most = _SCORES_AT_ONCE // rows
    in_parts = tokens.dtype == torch.bfloat16  # weighted sums are
    if tokens.device.type == "cpu":
        size = _BLOCK_BYTES_BFLOAT16 if in_parts else _BLOCK_BYTES
        most = min(most, size // (tokens.shape[-1] * tokens.element_size()))
    return max(64, most // _PART * _PART if in_parts and most >= _PART else most)
