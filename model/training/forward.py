"""A training step's forward pass: both stacks over a batch, its documents end to end, and the loss.

The modules are those that the engine runs, so what is trained is what answers; a test holds these states against it.
The residual stream is float32, matrix products have the weights' dtype.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from model.encoder.attention import sliding_window_mask
from model.network.t5gemma2 import T5Gemma2
from model.training.attention import Attended, additive
from model.training.fused import AddAndNorm, Gated, Norm, Turned
from model.training.packing import IGNORED, Batch
from model.training.padding import over_questions, over_windows

Attention = Callable[..., Tensor]
"""Queries, keys and values by head, keys and values of the memories, whether in a local layer -> what was attended."""


def encoded(model: T5Gemma2, batch: Batch, *, padded: bool = False) -> Tensor:
    """The encoder's last states of all chunks end to end, (T, H)."""
    stack = model.model.encoder.text_model
    lengths = torch.tensor([last - first for first, last in batch.chunks])
    starts = torch.tensor([first for first, _ in batch.chunks]).repeat_interleave(lengths)
    positions = (torch.arange(len(starts)) - starts).to(batch.chunk_ids.device)
    attention = (over_windows if padded else _window_by_window)(batch, stack.config, model.dtype)

    def attend(layer: Any, heads: Sequence[Tensor]) -> Tensor:
        return attention(heads, (None, None), sliding=layer.self_attn.is_sliding)

    return _through(stack, batch.chunk_ids, positions, attend, model.dtype)


def decoded(model: T5Gemma2, memory: Tensor, batch: Batch, *, padded: bool = False) -> Tensor:
    """The decoder's last states, (S, H), over the rows that form the documents' memories, (M, H)."""
    stack = model.model.decoder
    attention = (over_questions if padded else _document_by_document)(batch, stack.config, model.dtype)

    def attend(layer: Any, heads: Sequence[Tensor]) -> Tensor:
        own = layer.self_attn
        keys = own.k_proj(memory).unflatten(1, (-1, own.head_dim))
        keys = Norm.apply(keys.flatten(0, 1), own.k_norm.weight, stack.config.rms_norm_eps, model.dtype).view_as(keys)
        values = own.v_proj(memory).unflatten(1, (-1, own.head_dim))
        return attention(heads, (keys, values), sliding=own.is_sliding)

    return _through(stack, batch.answer_ids, batch.positions, attend, model.dtype)


def answer_states(model: T5Gemma2, batch: Batch) -> tuple[Tensor, Tensor]:
    """Decoder states at the answers' tokens, (N, H), and their targets, (N,). One forward pass of both stacks."""
    batch, padded = batch.to(model.device), model.device.type != "cpu"
    memory = encoded(model, batch, padded=padded)[batch.memory_rows]
    states = decoded(model, memory, batch, padded=padded)
    asked = batch.targets != IGNORED
    return states[asked], batch.targets[asked]


def _through(stack: Any, ids: Tensor, positions: Tensor, attend: Any, dtype: torch.dtype) -> Tensor:
    """A stack's layers: `attend` is given a layer, and queries, keys and values by head."""
    eps, layers = stack.config.rms_norm_eps, stack.layers
    hidden = stack.embed_tokens(ids[None])[0].float()
    kinds = set(stack.config.layer_types)
    turns = {kind: _halves(*stack.rotary_emb(hidden[None], positions[None], kind)) for kind in kinds}
    behind = [*(layer.pre_self_attn_layernorm for layer in layers[1:]), stack.norm]
    normed = Norm.apply(hidden, layers[0].pre_self_attn_layernorm.weight, eps, dtype)
    for kind, layer, after in zip(stack.config.layer_types, layers, behind, strict=True):
        attention, mlp = layer.self_attn, layer.mlp
        heads = (
            Turned.apply(attention.q_proj(normed), attention.q_norm.weight, *turns[kind], eps, attention.scaling),
            Turned.apply(attention.k_proj(normed), attention.k_norm.weight, *turns[kind], eps, 1.0),
            attention.v_proj(normed).unflatten(1, (-1, attention.head_dim)),
        )
        branch = attention.o_proj(attend(layer, heads))
        post, pre = layer.post_self_attn_layernorm.weight, layer.pre_feedforward_layernorm.weight
        hidden, normed = AddAndNorm.apply(hidden, branch, post, pre, eps)
        branch = mlp.down_proj(Gated.apply(mlp.gate_proj(normed), mlp.up_proj(normed)))
        hidden, normed = AddAndNorm.apply(hidden, branch, layer.post_feedforward_layernorm.weight, after.weight, eps)
    return normed


def _halves(cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor]:
    """cos and sin, (1, T, D), as `fused.Turned` takes them."""
    sign = torch.tensor([[-1.0], [1.0]], device=sin.device)
    cos, sin = (table[0, :, None].unflatten(-1, (2, -1)) for table in (cos, sin))
    return cos, sin * sign


def _window_by_window(batch: Batch, config: Any, dtype: torch.dtype) -> Attention:
    bands = [_band(last - first, config, dtype) for first, last in batch.chunks]
    masks = {True: bands, False: [None] * len(bands)}

    def attention(heads: Sequence[Tensor], nothing: Sequence[None], *, sliding: bool) -> Any:
        return Attended.apply(*heads, *nothing, batch.chunks, (), masks[sliding])

    return attention


def _document_by_document(batch: Batch, config: Any, dtype: torch.dtype) -> Attention:
    masks = {sliding: list(_decoder_masks(batch, config, dtype, sliding)) for sliding in (True, False)}

    def attention(heads: Sequence[Tensor], memory: Sequence[Tensor], *, sliding: bool) -> Any:
        return Attended.apply(*heads, *memory, batch.spans, batch.memory_spans, masks[sliding])

    return attention


def _band(length: int, config: Any, dtype: torch.dtype) -> Tensor | None:
    """A chunk's mask in a local layer; none where the band holds all of it."""
    seen = sliding_window_mask(length, config.sliding_window, torch.device("cpu"))
    return None if seen.all() else additive(seen, config, dtype)


def _decoder_masks(batch: Batch, config: Any, dtype: torch.dtype, sliding: bool) -> Iterator[Tensor]:
    """For each document: a question looks back at itself, in a local layer not far, and at the rows it is shown."""
    for (first, last), (start, end) in zip(batch.spans, batch.memory_spans, strict=True):
        question, positions = batch.question[first:last], batch.positions[first:last]
        distance = positions[:, None] - positions
        own = (question[:, None] == question) & (distance >= 0)
        if sliding:
            own &= distance < config.sliding_window
        yield additive(torch.cat((own, batch.shown[question, : end - start]), 1), config, dtype)


class Head:
    """The tied output head over the batch's own tokens and `frequent` ones: all 262,144 would be a fifth of a step."""

    def __init__(self, embeddings: Tensor, frequent: Tensor) -> None:
        self._embeddings, self._frequent = embeddings, frequent

    def loss(self, states: Tensor, targets: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Cross-entropy in nats, summed, and whether each token is the most likely one."""
        occurring = [self._frequent, batch.chunk_ids.to(targets.device), batch.answer_ids.to(targets.device), targets]
        used = torch.cat(occurring).unique()
        logits = functional.linear(states, self._embeddings[used]).float()
        wanted = torch.searchsorted(used, targets)
        return functional.cross_entropy(logits, wanted, reduction="sum"), logits.argmax(-1) == wanted


@torch.no_grad()
def exact_matches(model: T5Gemma2, head: Head, batches: Sequence[Batch]) -> float:
    """Share of questions whose every answer token is the most likely one: greedy decoding answers them exactly."""
    right = asked = 0
    for batch in batches:
        states, targets = answer_states(model, batch)
        _, correct = head.loss(states, targets, batch)
        wrong = torch.zeros(len(batch.targets), dtype=torch.bool)
        wrong[batch.targets != IGNORED] = ~correct.cpu()
        for first, last in batch.spans:
            question = batch.question[first:last]
            asked += len(question.unique())
            right += len(question.unique()) - len(question[wrong[first:last]].unique())
    return right / max(asked, 1)
