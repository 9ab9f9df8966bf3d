"""A quote: some characters of a page of one of the documents that were asked together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from model.answering.sentences import around
from model.types import Answer, Document, Evidence, Page

_MARKUP = re.compile(r"^(?:#+|=+|\*+|[-•·▪■–●○►▶\ufffd\uf0b7] )\s*|\s*(?:[*#=]+|-{3,})$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """`page.text[start:end]` of the document of that index."""

    document_index: int
    page: Page
    start: int
    end: int

    @property
    def text(self) -> str:
        """On one line, without marks of headings and lists."""
        return _MARKUP.sub("", " ".join(self.page.text[self.start : self.end].split()))


def is_hidden(page: Page, start: int, end: int) -> bool:
    """Whether a word among these characters cannot be seen on the page."""
    return any(word.hidden for word in page.words if word.start < end and start < word.end)


def as_evidence(quote: Quote, document: str, *, score: float, verbatim: bool = True) -> Evidence:
    """The place as evidence, in its sentence or row. document: its name. verbatim: the answer's own words are there."""
    page = quote.page
    start, end = around(page, quote.start, quote.end)
    return Evidence(
        document=document,
        document_index=quote.document_index,
        page=page.number,
        start=quote.start,
        end=quote.end,
        quote=page.text[start:end],
        score=score,
        words=page.text[quote.start : quote.end],
        label=page.label,
        verbatim=verbatim,
        hidden=is_hidden(page, start, end),
    )


def answer_quoting(
    question: str, text: str, quotes: Sequence[Quote], documents: Sequence[Document], confidence: float
) -> Answer:
    """An answer that these places of the documents give. confidence: the share of such answers that are right."""
    return Answer(
        question=question,
        text=text,
        evidence=tuple(as_evidence(one, documents[one.document_index].name, score=1 / len(quotes)) for one in quotes),
        found=True,
        finished=True,
        stop_reason="end",
        probability=1.0,
        confidence=confidence,
    )
