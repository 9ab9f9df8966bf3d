"""UL2's denoisers (arXiv 2205.05131) in the mixture that T5Gemma 2 was adapted with (2512.14856, section 3).

A text is split in two: what the encoder reads, with a sentinel wherever a span was taken out, and what the decoder
writes, each sentinel followed by the span it stands for. With one span that ends the text this is a prefix language
model; no sentinel is needed then. This is what teaches the decoder to look its words up in the encoding, without a
single labelled row.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

SENTINELS = 99  # Gemma's <unused0> to <unused98>; a text that would need more gets longer spans instead
FIRST_SENTINEL = 6  # the id of <unused0>


@dataclass(frozen=True, slots=True, kw_only=True)
class Denoiser:
    """Spans of `mean_span` tokens on average are taken out until `rate` of the text is gone.

    `prefix`: instead, one span of that share that ends the text.
    """

    mean_span: int
    rate: float
    prefix: bool = False


DENOISERS = (
    Denoiser(mean_span=3, rate=0.15),
    Denoiser(mean_span=12, rate=0.5),
    Denoiser(mean_span=32, rate=0.15),
    Denoiser(mean_span=32, rate=0.5),
    Denoiser(mean_span=0, rate=0.75, prefix=True),
)
WEIGHTS = (1, 1, 1, 1, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Denoising:
    """A text in two parts: `read` by the encoder, `written` by the decoder. Token ids, without `<bos>` and `<eos>`."""

    read: list[int]
    written: list[int]


def choose_denoiser(rng: random.Random) -> Denoiser:
    """One of the five, 1:1:1:1:4."""
    return rng.choices(DENOISERS, WEIGHTS)[0]


def denoise(ids: Sequence[int], denoiser: Denoiser, rng: random.Random) -> Denoising:
    """Take spans out of a text of at least two tokens; at least one token stays on each side."""
    taken = min(max(round(len(ids) * denoiser.rate), 1), len(ids) - 1)
    if denoiser.prefix:
        return Denoising(read=list(ids[:-taken]), written=list(ids[-taken:]))
    spans = min(max(round(taken / denoiser.mean_span), 1), taken, len(ids) - taken, SENTINELS)
    lengths = _split(taken, spans, rng)
    gaps = _split(len(ids) - taken, spans, rng)
    read: list[int] = []
    written: list[int] = []
    at = 0
    for number, (gap, length) in enumerate(zip(gaps, lengths, strict=True)):
        read += [*ids[at : at + gap], FIRST_SENTINEL + number]
        written += [FIRST_SENTINEL + number, *ids[at + gap : at + gap + length]]
        at += gap + length
    return Denoising(read=read, written=written)


def restore(denoising: Denoising) -> list[int]:
    """The text that was taken apart: the inverse of `denoise`."""
    spans: dict[int, list[int]] = {}
    sentinels = range(FIRST_SENTINEL, FIRST_SENTINEL + SENTINELS)
    if denoising.written[0] not in sentinels:
        return denoising.read + denoising.written
    for token in denoising.written:
        if token in sentinels:
            span = spans.setdefault(token, [])
        else:
            span.append(token)
    return [inner for token in denoising.read for inner in spans.get(token, [token])]


def _split(total: int, parts: int, rng: random.Random) -> list[int]:
    """`total` as `parts` positive numbers in random order, every such list equally likely."""
    cuts = sorted(rng.sample(range(1, total), parts - 1))
    return [end - start for start, end in zip([0, *cuts], [*cuts, total], strict=True)]
