"""Attention in training on a GPU: documents of about the same length side by side, padded, in one call.

There a call for each document (`attention.py`) would take longer to start than to compute. All else stays end to end.
Shapes: T tokens or rows of all documents end to end, P places of the padded ones, a group of B documents of n places
(and m of their memories), K key heads of size D with G query heads each.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn.functional import pad, scaled_dot_product_attention

from model.encoder.attention import sliding_window_mask
from model.training.attention import Span, additive
from model.training.packing import Batch

_LENGTHS, _DOCUMENTS = 128, 16  # multiples that groups are padded to: each new shape costs a GPU's library a plan
_SHORTEST = 128  # documents up to this are one group, those up to twice as long the next


class _Placed(Function):
    """rows (T, ...) -> (P, ...): each at its place, zeros elsewhere."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, places: Tensor, size: int) -> Tensor:
        ctx.save_for_backward(places)
        return rows.new_zeros(size, *rows.shape[1:]).index_copy_(0, places, rows)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        [places] = ctx.saved_tensors
        return gradient.index_select(0, places), None, None


class _Taken(Function):
    """(P, ...) -> rows (T, ...), the inverse."""

    @staticmethod
    def forward(ctx: Any, padded: Tensor, places: Tensor) -> Tensor:
        ctx.save_for_backward(places)
        ctx.shape = padded.shape
        return padded.index_select(0, places)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        [places] = ctx.saved_tensors
        return gradient.new_zeros(ctx.shape).index_copy_(0, places, gradient), None


@dataclass(frozen=True, slots=True, kw_only=True)
class Padding:
    """places (T,) of documents' rows; groups: how many documents, and their padded length."""

    places: Tensor
    groups: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, spans: Sequence[Span], members: Sequence[Sequence[int]], device: torch.device) -> "Padding":
        """`members`: the documents of each group."""
        places = torch.empty(max((last for _, last in spans), default=0), dtype=torch.long)
        groups, offset = [], 0
        for documents in members:
            length = _rounded(max(spans[document][1] - spans[document][0] for document in documents), _LENGTHS)
            for index, document in enumerate(documents):
                first, last = spans[document]
                places[first:last] = torch.arange(last - first) + offset + index * length
            groups.append((_rounded(len(documents), _DOCUMENTS), length))
            offset += groups[-1][0] * length
        return cls(places=places.to(device), groups=tuple(groups))

    def pad(self, rows: Tensor) -> list[Tensor]:
        """(T, ...) -> each group's (B, n, ...)."""
        sizes = [documents * length for documents, length in self.groups]
        padded: Tensor = _Placed.apply(rows, self.places, sum(sizes))
        parts = zip(padded.split(sizes), self.groups, strict=True)
        return [part.unflatten(0, group) for part, group in parts]

    def unpad(self, groups: Sequence[Tensor]) -> Tensor:
        """The inverse."""
        rows: Tensor = _Taken.apply(torch.cat([group.flatten(0, 1) for group in groups]), self.places)
        return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class PaddedAttention:
    """All documents' attention; masks: by kind of layer (sliding or not), for each group (B, 1, n * G, n + m)."""

    own: Padding
    memory: Padding | None
    masks: dict[bool, list[Tensor]]

    def __call__(self, heads: Sequence[Tensor], remembered: Sequence[Tensor | None], *, sliding: bool) -> Tensor:
        """Queries (T, K * G, D), scaled, keys and values (T, K, D), and of the memories (M, K, D) -> (T, K * G * D)."""
        queries, keys, values = (self.own.pad(head) for head in heads)
        if self.memory is not None:
            remembered_keys, remembered_values = (self.memory.pad(head) for head in remembered if head is not None)
            keys = [torch.cat(pair, 1) for pair in zip(keys, remembered_keys, strict=True)]
            values = [torch.cat(pair, 1) for pair in zip(values, remembered_values, strict=True)]
        groups = zip(queries, keys, values, self.masks[sliding], strict=True)
        return self.own.unpad([_attended(*group) for group in groups]).flatten(1)


def _attended(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
    """(B, n, K * G, D), twice (B, n + m, K, D) and their mask -> (B, n, K * G, D)."""
    asked = queries.unflatten(2, (keys.shape[2], -1)).transpose(1, 2).flatten(2, 3)
    attended = scaled_dot_product_attention(asked, keys.transpose(1, 2), values.transpose(1, 2), mask, scale=1)
    return attended.unflatten(2, (queries.shape[1], -1)).transpose(1, 2).flatten(2, 3)


def over_windows(batch: Batch, config: Any, dtype: torch.dtype) -> PaddedAttention:
    """Of the encoder: a chunk sees itself, in a local layer a band of it."""
    device = batch.chunk_ids.device
    members = _alike([last - first for first, last in batch.chunks])
    own = Padding.of(batch.chunks, members, device)
    masks: dict[bool, list[Tensor]] = {True: [], False: []}
    for part in own.pad(torch.ones_like(batch.chunk_ids, dtype=torch.bool)):
        band = sliding_window_mask(part.shape[1], config.sliding_window, device)
        # Padding that sees nothing would be divided by zero
        seen = part[:, None] | torch.eye(part.shape[1], dtype=torch.bool, device=device)
        masks[False].append(additive(seen, config, dtype)[:, None])
        masks[True].append(additive(seen & band, config, dtype)[:, None])
    return PaddedAttention(own=own, memory=None, masks=masks)


def over_questions(batch: Batch, config: Any, dtype: torch.dtype) -> PaddedAttention:
    """Of the decoder: a question looks back at itself, in a local layer not far, and at the rows it is shown."""
    device = batch.answer_ids.device
    members = _alike([last - first for first, last in batch.memory_spans])
    own, memory = (Padding.of(spans, members, device) for spans in (batch.spans, batch.memory_spans))
    masks: dict[bool, list[Tensor]] = {True: [], False: []}
    for padded, (_, rows) in zip(own.pad(batch.question + 1), memory.groups, strict=True):
        question = padded - 1  # -1: padding
        steps = torch.arange(question.shape[1], device=device)
        distance = steps[:, None] - steps
        before = (question[:, :, None] == question[:, None]) & (distance >= 0)
        shown = pad(batch.shown, (0, rows - batch.shown.shape[1]))[question.clamp(min=0)]
        for sliding in masks:
            seen = before & (distance < config.sliding_window) if sliding else before
            masks[sliding].append(additive(torch.cat((seen, shown), 2), config, dtype)[:, None])
    return PaddedAttention(own=own, memory=memory, masks=masks)


def _rounded(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple


def _alike(lengths: Sequence[int]) -> list[list[int]]:
    """Documents in groups: none is padded to more than about twice its length."""
    groups: dict[int, list[int]] = defaultdict(list)
    for index, length in enumerate(lengths):
        groups[(max(length, _SHORTEST) - 1).bit_length()].append(index)
    return list(groups.values())
