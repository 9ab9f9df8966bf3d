"""Where an answer comes from: the place where its words stand in the document, or where the decoder attended.

Attention is collected while answering, without a second pass. It is a hint and no proof; words that stand in the
document verbatim are found text, and win.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from model.answering.beam_search import Candidate
from model.answering.prompts import NOT_IN_DOCUMENT
from model.answering.quotes import Quote, as_evidence
from model.answering.tuning import FITTED, EvidenceTuning
from model.encoding.token_map import NO_PAGE
from model.types import EncodedDocument, Evidence, Page, PageAttention


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Characters [start, end) of a page of one of the encodings, and the sum of attention over them."""

    encoding: int
    page: Page
    start: int
    end: int
    mass: float
    verbatim: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounding:
    """What an answer rests on: places, best first, and how its attention was spread over all pages."""

    evidence: tuple[Evidence, ...] = ()
    attention: tuple[PageAttention, ...] = ()


def ground(
    encodings: Sequence[EncodedDocument],
    union: torch.Tensor,
    candidate: Candidate,
    text: str,
    tuning: EvidenceTuning = FITTED.evidence,
) -> Grounding:
    """Find what the candidate's text rests on. union: (T,) bool, the V tokens that its attention, (V,), is about."""

    def over_all_tokens(attention: torch.Tensor) -> torch.Tensor:
        mask = union.to(attention.device)
        return attention.new_zeros(len(mask)).masked_scatter(mask, attention)

    attention = over_all_tokens(candidate.attention)
    refused = text == NOT_IN_DOCUMENT
    return Grounding(
        evidence=() if refused else find_evidence(encodings, attention, text, tuning),
        attention=attention_by_page(encodings, attention, over_all_tokens(candidate.first_token_attention)),
    )


def find_evidence(
    encodings: Sequence[EncodedDocument],
    attention: torch.Tensor,
    answer: str,
    tuning: EvidenceTuning = FITTED.evidence,
) -> tuple[Evidence, ...]:
    """A few places that `answer` rests on, best first. attention: (T,) over the joined tokens, in any scale."""
    weights = attention.split(_sizes(encodings))
    found = [
        place
        for index, encoded in enumerate(encodings)
        for place in _verbatim_places(index, encoded, weights[index], answer)
    ]
    places = found or [
        place
        for index, encoded in enumerate(encodings)
        for place in _attended_lines(index, encoded, weights[index], 4 * tuning.most_places)
    ]
    best = sorted(places, key=lambda place: place.mass, reverse=True)[: tuning.most_places]
    kept = [place for place in best if place.mass >= tuning.least_share * best[0].mass]
    total = sum(place.mass for place in places) or 1.0
    return tuple(_evidence(encodings[place.encoding], place, place.mass / total) for place in kept)


def attention_by_page(
    encodings: Sequence[EncodedDocument], attention: torch.Tensor, first_token_attention: torch.Tensor
) -> tuple[PageAttention, ...]:
    """Each page's share of both kinds of attention, which are (T,) over the joined tokens, in any scale."""
    both = torch.stack([attention, first_token_attention]).float()
    pages: list[tuple[int, int]] = []
    masses: list[torch.Tensor] = []
    for index, (encoded, weights) in enumerate(zip(encodings, both.split(_sizes(encodings), dim=1), strict=True)):
        numbers, rows = encoded.tokens.pages.to(both.device).unique(return_inverse=True)
        sums = torch.zeros(2, len(numbers), device=both.device).index_add_(1, rows, weights)
        on_pages = numbers != NO_PAGE
        pages += [(index, number) for number in numbers[on_pages].tolist()]
        masses.append(sums[:, on_pages])
    shares = torch.cat(masses, dim=1)
    shares = shares / shares.sum(1, keepdim=True).clamp(min=1e-12)
    return tuple(
        PageAttention(document_index=index, page=number, share=share, first_token_attention=first)
        for (index, number), share, first in zip(pages, *shares.tolist(), strict=True)
    )


def _sizes(encodings: Sequence[EncodedDocument]) -> list[int]:
    return [encoded.token_count for encoded in encodings]


def _evidence(encoded: EncodedDocument, place: _Place, score: float) -> Evidence:
    quote = Quote(document_index=place.encoding, page=place.page, start=place.start, end=place.end)
    return as_evidence(quote, encoded.document.name, score=score, verbatim=place.verbatim)


def _mass_between(encoded: EncodedDocument, weights: torch.Tensor, page: Page, start: int, end: int) -> float:
    """Attention on the tokens that overlap the characters [start, end) of a page."""
    tokens = encoded.tokens
    inside = (tokens.pages == page.number) & (tokens.starts < end) & (tokens.ends > start)
    return float(weights[inside.to(weights.device)].sum())


def _verbatim_places(index: int, encoded: EncodedDocument, weights: torch.Tensor, answer: str) -> list[_Place]:
    """Every place where the answer's words stand one after the other, whatever the case and the spaces between them."""
    words = answer.strip().rstrip(".").split()
    if not words:
        return []
    spaced = r"\s+".join(map(re.escape, words))
    pattern = re.compile(rf"(?<!\w){spaced}(?!\w)", re.IGNORECASE)
    return [
        _Place(
            encoding=index,
            page=page,
            start=match.start(),
            end=match.end(),
            mass=_mass_between(encoded, weights, page, match.start(), match.end()),
            verbatim=True,
        )
        for page in encoded.document.pages
        for match in pattern.finditer(page.text)
    ]


def _attended_lines(index: int, encoded: EncodedDocument, weights: torch.Tensor, tokens: int) -> list[_Place]:
    """The lines of text around that many tokens, those with the most attention."""
    on_pages = weights.masked_fill((encoded.tokens.pages == NO_PAGE).to(weights.device), 0.0)
    pages = {page.number: page for page in encoded.document.pages}
    places: dict[tuple[int, int], _Place] = {}
    for token in on_pages.topk(min(tokens, len(on_pages))).indices.tolist():
        page = pages.get(int(encoded.tokens.pages[token]))
        if page is None or not page.text[int(encoded.tokens.starts[token]) : int(encoded.tokens.ends[token])].strip():
            continue
        offset = int(encoded.tokens.starts[token])
        start = page.text.rfind("\n", 0, offset + 1) + 1
        end = page.text.find("\n", offset + 1)
        end = len(page.text) if end < 0 else end
        if (page.number, start) not in places and start < end:
            mass = _mass_between(encoded, weights, page, start, end)
            places[page.number, start] = _Place(
                encoding=index, page=page, start=start, end=end, mass=mass, verbatim=False
            )
    return list(places.values())
