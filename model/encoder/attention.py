"""Attention of the encoder: bidirectional, global or banded; no tensor has T x T elements once T exceeds the window.

In a global layer pieces of the queries attend to all keys. In a local layer the queries are cut into blocks, and each
block attends only to the keys within its sliding window: O(T x sliding window) instead of O(T^2).

Shapes: S queries of a piece, T keys, K key heads with G query heads each, D head size.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from model.network.cpu_features import has_any
from model.network.t5gemma2 import reach

_BLOCK = 128  # queries of a local block: fewer waste less of the band, more fill the processor better
SCORES_AT_ONCE = 2**23  # on the CPU in bfloat16


def sliding_window_mask(size: int, sliding_window: int, device: torch.device) -> torch.Tensor:
    """The mask of a local encoder layer, (T, T) bool: half a window to each side (transformers' rule)."""
    behind, ahead = reach(sliding_window)
    positions = torch.arange(size, device=device)
    distance = positions[None, :] - positions[:, None]
    return (distance >= -behind) & (distance <= ahead)


def sliding_window_bias(hidden: torch.Tensor, sliding_window: int) -> torch.Tensor | None:
    """The mask of states (T, H) as 0 or minus infinity, if T is not larger than the window; else None.

    For so few states a band would cover nearly everything, so they attend as in a global layer.
    """
    if len(hidden) > sliding_window:
        return None
    return _bias(sliding_window_mask(len(hidden), sliding_window, hidden.device), hidden.dtype)


def _bias(seen: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    return torch.where(seen, 0.0, -torch.inf).to(dtype)


def global_attention(
    queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, scaling: float, bias: torch.Tensor | None = None
) -> torch.Tensor:
    """Attend from queries (K, G, S, D) to keys and values (K, T, D); bias (S, T) is added to scores: (K, G, S, D)."""
    return _attention(queries, keys, values, bias, scaling)


def local_attention(
    queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, scaling: float, first: int, sliding_window: int
) -> torch.Tensor:
    """As `global_attention`, each query within its sliding window; the first query has the position `first`."""
    count, total = queries.shape[2], keys.shape[1]
    blocks = -(-count // _BLOCK)
    behind, ahead = reach(sliding_window)
    span = _BLOCK + sliding_window  # one key more than the band has: kernels are faster for an even number
    start, end = first - behind, first + blocks * _BLOCK + ahead + 1
    key_blocks, value_blocks = (
        _padded(rows, start, end).unfold(1, span, _BLOCK).transpose(2, 3).flatten(0, 1) for rows in (keys, values)
    )  # (K * blocks, span, D), with one key head no copy
    padded = functional.pad(queries, (0, 0, 0, blocks * _BLOCK - count))
    query_blocks = padded.unflatten(2, (blocks, _BLOCK)).transpose(1, 2).flatten(0, 1)  # (K * blocks, G, _BLOCK, D)
    bias = _bias(_band(blocks, span, start, total, keys.device), keys.dtype)
    if len(bias) > 1:
        bias = bias.repeat(len(keys), 1, 1)
    output = _attention(query_blocks, key_blocks, value_blocks, bias, scaling)
    by_piece = output.unflatten(0, (-1, blocks)).transpose(1, 2).flatten(2, 3)
    return by_piece[:, :, :count]


def _padded(rows: torch.Tensor, start: int, end: int) -> torch.Tensor:
    """Tokens [start, end) of (K, T, D), with zeros outside [0, T)."""
    total = rows.shape[1]
    inside = rows[:, max(start, 0) : min(end, total)]
    return functional.pad(inside, (0, 0, max(0, -start), max(0, end - max(total, start))))


def _band(blocks: int, span: int, start: int, total: int, device: torch.device) -> torch.Tensor:
    """Which keys each query of each block may attend to, (blocks, _BLOCK, span): within its band and within [0, T).

    It is (1, _BLOCK, span), the same for all blocks, if all their keys lie within [0, T).
    """
    query = torch.arange(_BLOCK, device=device)[:, None]
    key = torch.arange(span, device=device)
    near = (key >= query) & (key < query + span - _BLOCK)
    if start >= 0 and start + (blocks - 1) * _BLOCK + span <= total:
        return near[None]
    position = start + torch.arange(blocks, device=device)[:, None] * _BLOCK + key  # (blocks, span)
    return near & ((position >= 0) & (position < total))[:, None, :]


def _attention(
    queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, bias: torch.Tensor | None, scaling: float
) -> torch.Tensor:
    """Attend from queries (B, G, S, D) to keys and values (B, T, D): (B, G, S, D).

    bias: (S, T), (1, S, T) or (B, S, T). It is PyTorch's fused kernel, on a CPU with the query heads of a key head
    folded into the sequence (twice as fast with AMX). Without AMX that kernel multiplies bfloat16 at float32's rate:
    there plain products, which use the bfloat16 instructions, are two to three times as fast.
    """
    on_cpu, groups = keys.device.type == "cpu", queries.shape[1]
    if on_cpu and keys.dtype == torch.bfloat16 and not has_any("amx_bf16"):
        return attention_by_products(queries, keys, values, bias, scaling)
    if on_cpu:
        queries = queries.flatten(1, 2)[:, None]
        bias = None if bias is None else torch.cat([bias] * groups, dim=-2)
    shared = queries.shape[1]
    attended = functional.scaled_dot_product_attention(
        queries,
        keys[:, None].expand(-1, shared, -1, -1),
        values[:, None].expand(-1, shared, -1, -1),
        attn_mask=bias if bias is None or bias.ndim == 2 else bias[:, None],
        scale=scaling,
    )
    return attended.unflatten(2, (groups, -1))[:, 0] if on_cpu else attended


def attention_by_products(
    queries: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    bias: torch.Tensor | None,
    scaling: float,
    *,
    scores_at_once: int = SCORES_AT_ONCE,
) -> torch.Tensor:
    """Attend from queries (B, G, S, D) to keys and values (B, T, D) by plain products: (B, G, S, D).

    bias: (S, T), (1, S, T) or (B, S, T). `scores_at_once`: how many scores there are at a time at most.

    The G query heads of a key head are folded into the sequence, and some queries at a time attend to all keys.

    Products run one after the other: a batched one would first copy the transposed keys, which takes longer than the
    product itself.
    """
    batch, groups, count, size = queries.shape
    step = max(1, scores_at_once // (groups * keys.shape[1]))
    added = None if bias is None else bias.expand(batch, -1, -1)
    output = torch.empty_like(queries)
    for index in range(batch):
        for first in range(0, count, step):
            part = slice(first, first + step)
            rows = (queries[index, :, part] * scaling).reshape(-1, size)  # (G * s, D)
            scores = functional.linear(rows, keys[index])
            if added is not None:
                scores.view(groups, -1, keys.shape[1]).add_(added[index, part])
            attended = torch.softmax(scores, dim=-1) @ values[index]
            output[index, :, part] = attended.unflatten(0, (groups, -1))
    return output
