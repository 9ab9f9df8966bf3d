"""Overlapping chunks, in which a document longer than the checkpoint's chunk size is encoded.

Neighbouring chunks share `overlap` tokens, and each keeps its half of them. So every kept token attended to at least
`overlap // 2` tokens on both sides, a document of T tokens has exactly T kept states, and time is linear in length.
"""

import itertools
from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Tokens [start, end) are encoded together; the states of [keep_start, keep_end) join the memory."""

    start: int
    end: int
    keep_start: int
    keep_end: int

    def kept_rows(self, states: torch.Tensor) -> torch.Tensor:
        """From the chunk's states (1 + end - start, H), those of `<bos>` and of the kept tokens."""
        first = 1 - self.start
        return torch.cat([states[:1], states[first + self.keep_start : first + self.keep_end]])


def plan_chunks(length: int, size: int, overlap: int) -> tuple[Chunk, ...]:
    """Cut `length` tokens into chunks of at most `size` that overlap by `overlap` (0 <= overlap < size)."""
    if not 0 <= overlap < size:
        raise ValueError(f"overlap must be in 0..{size - 1} for chunks of {size} tokens, not {overlap}.")
    if length <= size:
        return (Chunk(start=0, end=length, keep_start=0, keep_end=length),) if length else ()
    stride = size - overlap
    starts = [*range(0, length - size, stride), length - size]
    cuts = [0, *((before + size + after) // 2 for before, after in itertools.pairwise(starts)), length]
    return tuple(
        Chunk(start=start, end=start + size, keep_start=cuts[index], keep_end=cuts[index + 1])
        for index, start in enumerate(starts)
    )
