"""How much a decoder does at once, as the benchmarks found it best."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderLimits:
    """Bounds of a decoder's work.

    prompt_tokens: how many, of all questions together, go through a layer at once, which bounds the memory that long
    prompts need. projected_bytes: the most that the document's keys and values may take in all layers; a larger one
    enters as states, which is slower for many questions but fits.
    """

    prompt_tokens: int = 2**12
    projected_bytes: int = 2**30


FITTED = DecoderLimits()
