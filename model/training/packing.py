"""Passages and their questions -> a batch: documents end to end, so that nothing is padded.

A document is encoded once and asked many questions in training, too: the encoder is most of the cost. A document is one
passage, or several put together; the questions of all of them are packed into one decoder sequence (each sees itself
and the document, not its neighbours). Long documents are encoded as overlapping chunks, as the engine reads them.

Shapes: T tokens of all chunks, M rows of all memories, S decoder tokens of all documents.
"""

import itertools
import random
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch.nn import functional

from model.encoding.chunks import plan_chunks
from model.training.attention import Span
from model.training.data import Pair, Tokens, TrainingPassage

IGNORED = -100


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Documents of up to `chunks` chunks of `chunk_size` tokens with their `<bos>`, and `answers` decoder tokens.

    `filled`: passages are put together until the chunks are full; otherwise a document is one passage.
    """

    chunks: int
    chunk_size: int
    overlap: int
    answers: int
    filled: bool = True

    @property
    def length(self) -> int:
        """Document tokens, without the `<bos>` of each chunk."""
        return self.chunks * (self.chunk_size - 1) - (self.chunks - 1) * self.overlap


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A document: each chunk's ids with `<bos>`, which of their tokens end to end form the memory, what is asked."""

    chunks: list[list[int]]
    memory: list[int]
    kept: list[int]  # the token with which each chunk's part of the memory begins
    pairs: list[Pair]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Documents end to end.

    chunk_ids (T,) of the chunks, spans in it; memory_rows (M,) of those tokens, and each document's span in them;
    answer_ids (S,), positions (S,) that restart with each question, question (S,) that a token belongs to, targets (S,)
    or IGNORED, and each document's span in them; shown: for each question (Q, longest M) bool, the rows of its document
    that it may look at.
    """

    chunk_ids: torch.Tensor
    chunks: tuple[Span, ...]
    memory_rows: torch.Tensor
    memory_spans: tuple[Span, ...]
    answer_ids: torch.Tensor
    positions: torch.Tensor
    question: torch.Tensor
    targets: torch.Tensor
    spans: tuple[Span, ...]
    shown: torch.Tensor

    def to(self, device: torch.device) -> "Batch":
        values: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        values |= {name: value.to(device) for name, value in values.items() if torch.is_tensor(value)}
        return Batch(**values)


def lay_out(passages: Sequence[TrainingPassage], shape: Shape, tokens: Tokens, rng: random.Random) -> Layout:
    """One document from passages that fit together, its questions shuffled."""
    ids: list[int] = []
    pairs: list[Pair] = []
    for index, passage in enumerate(passages):
        ids += tokens.separator if index else []
        start = len(ids)
        ids += passage.ids
        pairs += [
            replace(pair, shown=tuple((start + first, start + last) for first, last in pair.shown))
            for pair in passage.pairs
        ]
    rng.shuffle(pairs)
    ids = ids[: shape.length]
    chunks = plan_chunks(len(ids), shape.chunk_size - 1, shape.overlap)
    memory: list[int] = []
    first = 0
    for chunk in chunks:
        offset = first + 1 - chunk.start
        memory += [first, *range(offset + chunk.keep_start, offset + chunk.keep_end)]
        first += 1 + chunk.end - chunk.start
    return Layout(
        chunks=[[tokens.bos, *ids[chunk.start : chunk.end]] for chunk in chunks],
        memory=memory,
        kept=[chunk.keep_start for chunk in chunks],
        pairs=pairs,
    )


def pack(pairs: Sequence[Pair], size: int) -> tuple[list[int], list[int], list[int], list[int]]:
    """As many questions as fit into `size` decoder tokens: ids, positions, question numbers and shifted targets."""
    ids: list[int] = []
    positions: list[int] = []
    question: list[int] = []
    targets: list[int] = []
    for number, pair in enumerate(pairs):
        sequence = [*pair.prompt, *pair.answer]
        if len(ids) + len(sequence) - 1 > size:
            continue
        ids += sequence[:-1]
        positions += range(len(sequence) - 1)
        question += [number] * (len(sequence) - 1)
        targets += [IGNORED] * (len(pair.prompt) - 1) + pair.answer
    return ids, positions, question, targets


def collate(layouts: Sequence[Layout], answers: Sequence[int]) -> Batch:
    """Documents with so many decoder tokens each as one batch; those that none of their questions fits are left out."""
    packed = [pack(layout.pairs, size) for layout, size in zip(layouts, answers, strict=True)]
    asked = [(layout, parts) for layout, parts in zip(layouts, packed, strict=True) if parts[0]]
    chunks = [chunk for layout, _ in asked for chunk in layout.chunks]
    starts = _spans([sum(map(len, layout.chunks)) for layout, _ in asked])
    memory = [first + row for (first, _), (layout, _) in zip(starts, asked, strict=True) for row in layout.memory]
    ids, positions, within, targets = (
        torch.tensor([number for _, parts in asked for number in parts[part]]) for part in range(4)
    )
    spans = _spans([len(parts[0]) for _, parts in asked])
    shown = [rows_shown(layout) for layout, _ in asked]
    longest = max(rows.shape[1] for rows in shown)
    before = [first for first, _ in _spans([len(rows) for rows in shown])]
    offsets = torch.tensor(before).repeat_interleave(torch.tensor([last - first for first, last in spans]))
    return Batch(
        chunk_ids=torch.tensor([token for chunk in chunks for token in chunk]),
        chunks=_spans([len(chunk) for chunk in chunks]),
        memory_rows=torch.tensor(memory),
        memory_spans=_spans([len(layout.memory) for layout, _ in asked]),
        answer_ids=ids,
        positions=positions,
        question=within + offsets,
        targets=targets,
        spans=spans,
        shown=torch.cat([functional.pad(rows, (0, longest - rows.shape[1])) for rows in shown]),
    )


def _spans(lengths: Sequence[int]) -> tuple[Span, ...]:
    ends = torch.tensor([0, *lengths]).cumsum(0).tolist()
    return tuple(itertools.pairwise(ends))


def rows_shown(layout: Layout) -> torch.Tensor:
    """Which rows of its memory each question may look at, (pairs, rows) bool: `<bos>` and its passages."""
    rows = torch.ones(len(layout.pairs), len(layout.memory), dtype=torch.bool)
    row_of = torch.tensor([t + bisect_right(layout.kept, t) for t in range(len(layout.memory) - len(layout.kept))])
    for row, pair in zip(rows, layout.pairs, strict=True):
        if pair.shown:
            row[1:] = False
            for first, last in pair.shown:
                row[row_of[first:last]] = True
    return rows
