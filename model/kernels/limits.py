"""Sizes from which native code goes another way, as the benchmarks found it best."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeLimits:
    """Bounds of what native code does.

    encoder_piece: tokens of a chunk that go through a layer together; the more, the less often weights are read, and
    so many stay in a core's cache. copied_numbers: of the weights of a stack's layers; those of a larger model would
    take too much memory twice, so they are read where they lie. long_document: tokens from which any number of
    questions attends to the document by tiles (over 8,192 tokens, 16 questions begin in 0.42 s, not in 0.82 s).
    """

    encoder_piece: int = 512
    copied_numbers: int = 2**27
    long_document: int = 2**12


FITTED = NativeLimits()
