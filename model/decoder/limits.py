"""How much a decoder does at once, as the benchmarks found it best."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderLimits:
    """Bounds of a decoder's work.

    prompt_tokens: of all questions together that go through a layer at once, which bounds the memory that long prompts
    need. projected_bytes: of the document's keys and values in all layers; beyond, the document enters as states, which
    is slower for many questions but fits.
    """

    prompt_tokens: int = 2**12
    projected_bytes: int = 2**30


FITTED = DecoderLimits()
