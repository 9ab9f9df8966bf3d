"""Attention in training, document by document: nothing is padded, and a question's tokens see their document alone.

The backward pass makes the probabilities anew, so what is kept of a layer grows with its tokens, not with their pairs.
Shapes: T tokens or rows of all documents end to end, K key heads of size D with G query heads each.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn.functional import scaled_dot_product_attention

Span = tuple[int, int]
"""Rows [first, last) of a document."""


class Attended(Function):
    """queries (T, K * G, D), scaled; keys and values (T, K, D); of the documents' memories (M, K, D), or none.

    spans, memory_spans: each document's rows; masks: for each (n * G, n + m), 0 or minus infinity, or None where all is
    seen. Returns (T, K * G * D).
    """

    @staticmethod
    def forward(
        ctx: Any,
        queries: Tensor,
        keys: Tensor,
        values: Tensor,
        memory_keys: Tensor | None,
        memory_values: Tensor | None,
        spans: Sequence[Span],
        memory_spans: Sequence[Span],
        masks: Sequence[Tensor | None],
    ) -> Tensor:
        output = torch.empty_like(queries)
        kept = []
        for index, ((first, last), mask) in enumerate(zip(spans, masks, strict=True)):
            own_keys, own_values = keys[first:last], values[first:last]
            if memory_keys is not None and memory_values is not None:
                start, end = memory_spans[index]
                own_keys = torch.cat((own_keys, memory_keys[start:end]))
                own_values = torch.cat((own_values, memory_values[start:end]))
            asked = _by_key_head(queries[first:last], keys.shape[1])
            by_key, by_value = own_keys.transpose(0, 1), own_values.transpose(0, 1)
            # It computes scores in float32: one of 50 would lose its decimals in bfloat16
            attended = scaled_dot_product_attention(asked[None], by_key[None], by_value[None], attn_mask=mask, scale=1)
            output[first:last] = _by_token(attended[0], last - first)
            kept += [asked, by_key, by_value]
        ctx.save_for_backward(*kept)
        ctx.spans, ctx.memory_spans, ctx.masks = spans, memory_spans, masks
        ctx.memory = None if memory_keys is None else memory_keys.shape
        return output.flatten(1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        saved = ctx.saved_tensors
        key_heads, size = saved[1].shape[0], saved[1].shape[2]
        gradient = gradient.unflatten(1, (-1, size))
        to_queries = torch.empty_like(gradient)
        to_keys, to_values = (gradient.new_empty(len(gradient), key_heads, size) for _ in range(2))
        to_memory = [] if ctx.memory is None else [gradient.new_empty(ctx.memory) for _ in range(2)]
        for index, ((first, last), mask) in enumerate(zip(ctx.spans, ctx.masks, strict=True)):
            count = last - first
            asked, keys, values = saved[3 * index : 3 * index + 3]
            behind = _by_key_head(gradient[first:last], key_heads)
            scores = asked @ keys.mT
            probabilities = torch.softmax(scores if mask is None else scores + mask, -1)
            by_value = (probabilities.mT @ behind).transpose(0, 1)
            by_score = torch._softmax_backward_data(behind @ values.mT, probabilities, -1, scores.dtype)
            by_key = (by_score.mT @ asked).transpose(0, 1)
            to_queries[first:last] = _by_token(by_score @ keys, count)
            to_keys[first:last], to_values[first:last] = by_key[:count], by_value[:count]
            if ctx.memory is not None:
                start, end = ctx.memory_spans[index]
                to_memory[0][start:end], to_memory[1][start:end] = by_key[count:], by_value[count:]
        return to_queries, to_keys, to_values, *(to_memory or (None, None)), None, None, None


def additive(seen: Tensor, config: Any, dtype: torch.dtype) -> Tensor:
    """(..., n, m) bool -> (..., n * G, m), 0 or minus infinity."""
    groups = config.num_attention_heads // config.num_key_value_heads
    return torch.where(seen, 0.0, -torch.inf).to(dtype).repeat_interleave(groups, -2)


def _by_key_head(heads: Tensor, key_heads: int) -> Tensor:
    """(n, K * G, D) -> (K, n * G, D)."""
    return heads.unflatten(1, (key_heads, -1)).transpose(0, 1).flatten(1, 2)


def _by_token(rows: Tensor, tokens: int) -> Tensor:
    """(K, n * G, D) -> (n, K * G, D), the inverse."""
    return rows.unflatten(1, (tokens, -1)).transpose(0, 1).flatten(1, 2)
