"""Merged attention (T5Gemma 2, arXiv 2512.14856, section 2.2): one softmax over own and document keys.

transformers projects the encoder's states to keys and values in every decoder layer and keeps them for every token:
18 times 512 numbers at 270M. Here the document is attended to as states, 640 numbers a token for all layers, or as keys
and values made for a batch: `document_forms` has the mathematics of both and chooses. It is read block by block with a
running softmax, once for all heads and all questions of a batch.

Shapes: N questions, S new tokens of each, K key heads with G query heads each, D head size, H hidden size,
R = N * G * S rows that attend to the document together.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from model.decoder.document_forms import DocumentForm
from model.network.kv_cache import SelfAttentionCache
from model.network.linear import linear
from model.network.t5gemma2 import Attention, Rotary, rotated


@dataclass(slots=True, kw_only=True)
class _RunningSoftmax:
    """Softmax-weighted sums over keys that come in pieces. All float32; peak and total (..., R, 1)."""

    peak: torch.Tensor
    total: torch.Tensor

    def add(self, scores: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Weights of new scores (..., R, n), relative to the peak so far; what earlier sums shrink to, (..., R, 1)."""
        peak = torch.maximum(self.peak, scores.amax(-1, keepdim=True))
        shrink = (self.peak - peak).exp_()
        weights = (scores - peak).exp_()
        self.total = torch.addcmul(weights.sum(-1, keepdim=True), self.total, shrink)
        self.peak = peak
        return weights, shrink


def merged_attention(
    module: Attention,
    hidden: torch.Tensor,
    rotary: Rotary,
    bias: torch.Tensor,
    cache: SelfAttentionCache,
    document: DocumentForm,
    *,
    visible_mask: torch.Tensor | None = None,
    return_attention: bool = True,
) -> tuple[torch.Tensor, torch.Tensor]:
    """One decoder layer's attention for S new tokens of N questions.

    hidden: (N, S, H). rotary: cos and sin, (N, S, D). bias: (N, 1, G * S, past + S) float32, what is added to scores of
    the decoder's own tokens. visible_mask: (N, T), True where a question may attend to the document; None:
    everywhere. Returns the output, (N, S, H), and the last tokens' attention over the document, mean over heads: (N, T)
    float32, or (N, 0) without `return_attention`.
    """
    count, size, _ = hidden.shape
    split = (count, size, -1, module.head_dim)
    queries = module.q_norm(linear(module.q_proj, hidden).view(split)).transpose(1, 2)  # (N, K * G, S, D)
    keys = module.k_norm(linear(module.k_proj, hidden).view(split)).transpose(1, 2)
    values = linear(module.v_proj, hidden).view(split).transpose(1, 2)  # (N, K, S, D)
    queries, keys = rotated(queries, rotary), rotated(keys, rotary)
    own_keys, own_values = cache.extend(module.layer_idx, keys, values)
    # Query heads that share a key head become its rows
    rows = (queries * module.scaling).reshape(count, own_keys.shape[1], -1, module.head_dim)  # (N, K, G * S, D)
    own = (rows @ own_keys.transpose(2, 3)).float() + bias  # (N, K, G * S, past + S)
    own_peak = own.amax(-1, keepdim=True).clamp(min=torch.finfo(torch.float32).min)  # padding sees none of its kind
    own_weights = (own - own_peak).exp_()
    from_own = own_weights.to(rows.dtype) @ own_values  # (N, K, G * S, D)
    softmax = _RunningSoftmax(
        peak=_by_key_head(own_peak), total=_by_key_head(own_weights.sum(-1, keepdim=True))
    )  # (K, R, 1)
    shape = (count, module.num_key_value_groups, size)
    summed, seen = _over_document(
        module,
        _by_key_head(rows),
        document,
        softmax,
        shape,
        visible_mask=visible_mask,
        return_attention=return_attention,
    )
    shrunk = (_by_key_head(own_peak) - softmax.peak).exp_()
    mixed = (_by_key_head(from_own) * shrunk + summed) / softmax.total  # float32, as the softmax
    by_head = mixed.to(rows.dtype).view(-1, *shape, module.head_dim).permute(1, 3, 0, 2, 4)  # (N, S, K, G, D)
    return linear(module.o_proj, by_head.flatten(2)), seen


def _by_key_head(rows: torch.Tensor) -> torch.Tensor:
    """(N, K, G * S, x) -> (K, R, x)."""
    return rows.transpose(0, 1).flatten(1, 2)


def _over_document(
    module: Attention,
    rows: torch.Tensor,
    document: DocumentForm,
    softmax: _RunningSoftmax,
    shape: tuple[int, int, int],
    *,
    visible_mask: torch.Tensor | None,
    return_attention: bool,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The weighted sum of values for each row, (K, R, D), not yet divided by the softmax's total.

    Also the last tokens' attention, which is divided: (N, T), or (N, 0). shape: (N, G, S), what the R rows are.
    """
    queries = document.prepare_queries(module, rows)  # (K, R, x)
    summed = torch.zeros(queries.shape, dtype=torch.float32, device=rows.device)
    captured = [rows.new_empty((len(rows), *shape[:2], 0), dtype=torch.float32)]
    first = 0
    for block in document.blocks(module, rows.shape[1]):
        scores = block.scores(queries)  # (K, R, n)
        if visible_mask is not None:
            visible = visible_mask[:, None, None, first : first + scores.shape[-1]]
            scores.view(-1, *shape, scores.shape[-1]).masked_fill_(~visible, -torch.inf)
        first += scores.shape[-1]
        if return_attention:
            captured.append(scores.view(-1, *shape, scores.shape[-1])[:, :, :, -1].contiguous())  # (K, N, G, n)
        weights, shrink = softmax.add(scores)
        summed = summed.mul_(shrink).add_(block.weighted(weights))
    return document.finish_output(module, summed.to(rows.dtype)), _attention(torch.cat(captured, -1), softmax, shape)


def _attention(scores: torch.Tensor, softmax: _RunningSoftmax, shape: tuple[int, int, int]) -> torch.Tensor:
    """The last tokens' scores (K, N, G, T) as their share of the whole attention, mean over heads: (N, T) float32."""
    peak, total = (value.view(-1, *shape)[..., -1:] for value in (softmax.peak, softmax.total))  # (K, N, G, 1)
    return ((scores - peak).exp_() / total).mean(dim=(0, 2))
