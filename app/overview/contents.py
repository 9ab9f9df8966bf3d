"""The headings of a document, with their pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from statistics import median

from model.answering.lines import Line, lines_of
from model.answering.quotes import Quote
from model.types import Document, Page

MOST_HEADINGS = 200
_LARGER = 1.12  # times the document's usual line: a heading is set larger
_LONGEST = 110  # characters
_LETTERS = re.compile(r"[^\W\d_]")
_NUMBERED = re.compile(r"^(?:#+ |(?:\d{1,2}\.)+\d{0,2} |[IVX]{1,5}\. |(?:chapter|kapitel|chapitre|capítulo) )\S", re.I)


def contents(document: Document) -> tuple[Quote, ...]:
    """Lines that are set larger than the text, or numbered as headings are; where there are none, how pages begin."""
    lines = [(page, line) for page in document.pages for line in lines_of(page)]
    usual = median(line.height for _, line in lines) if lines else 0.0
    found = [_quote(page, line) for page, line in lines if _is_heading(page, line, usual)]
    return tuple((found or list(_beginnings(document)))[:MOST_HEADINGS])


def _is_heading(page: Page, line: Line, usual: float) -> bool:
    text = page.text[line.start : line.end].strip()
    if len(text) > _LONGEST or len(_LETTERS.findall(text)) < 3 or text[-1] in ".,;":
        return False
    if any(table.start < line.end and line.start < table.end for table in page.tables):
        return False
    return line.height > _LARGER * usual > 0 or (len(text.split()) <= 12 and bool(_NUMBERED.match(text)))


def _beginnings(document: Document) -> Iterator[Quote]:
    for page in document.pages:
        lines = [line for line in lines_of(page) if len(_LETTERS.findall(page.text[line.start : line.end])) >= 3]
        if lines:
            yield _quote(page, lines[0])


def _quote(page: Page, line: Line) -> Quote:
    return Quote(document_index=0, page=page, start=line.start, end=line.end)
