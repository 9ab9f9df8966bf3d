"""What a document's first page says of the document itself: its title, its authors, its date."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from model.answering.quotes import Quote
from model.types import Document, Page

_LARGER = 1.12  # times the usual line's height: a title is set larger
_SAME_SIZE = 0.92  # of the largest line's height: the next line of the same title
_LONGEST_TITLE = 250  # characters
_LONGEST_LINE = 160
_LETTERS = 4  # of a line that can be a title, so that a drop cap or a page number is none
_LONG_AGO = 12  # lines from the top among which a heading of a plain text is searched
_LETTER = re.compile(r"[^\W\d_]")
_TITLED = re.compile(r"^(?:title|subject|re|titel|betreff|titre|objet|título|asunto|标题|主题)\s*[:：]\s*(.+)$", re.I)
_NAME = r"(?:[A-ZÀ-ÞА-Я\u3400-\u9fff][\w.'’-]*)(?: (?:[A-ZÀ-ÞА-Я][\w.'’-]*|&|d[aeiu]s?|v[ao]n|der|la))*"
_NAMES = rf"{_NAME}(?:(?:,|;|、| and| und| et| y) {_NAME})*"
_AUTHOR = "authors?|autor(?:en|es|in)?|auteurs?|verfasser|from|absender|expéditeur|remitente|作者|著者|发件人"
_BYLINE = re.compile(
    r"^(?:(?i:(?:written |prepared |edited )?by|von|par|por|da|door)\s+"
    rf"|(?i:{_AUTHOR})\s*[:：]\s*)({_NAMES})",
    re.MULTILINE,
)
_MONTHS = (
    "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mär|mai|okt|dez|janv|fév|avr|juin|juil|août|déc|ene|abr|ago|dic"
    "|gen|mag|giu|lug|set|ott|mrt|mei|out|fev"
)
_DATE = re.compile(
    rf"\b\d{{1,2}}(?:st|nd|rd|th|er|\.)?(?: de| of)? (?:{_MONTHS})[^\W\d_]*\.?(?:,| de)? \d{{4}}\b"  # 14 March 2025
    rf"|\b(?:{_MONTHS})[^\W\d_]*\.? \d{{1,2}}(?:st|nd|rd|th)?, \d{{4}}\b"  # March 14, 2025
    r"|\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b|\d{4}\s*年(?:\s*\d{1,2}\s*月(?:\s*\d{1,2}\s*日)?)?"
    rf"|\b(?:{_MONTHS})[^\W\d_]*\.?(?: de)? \d{{4}}\b",  # March 2025
    re.I,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`page.text[start:end]`; height in points, 0 where the page does not tell."""

    start: int
    end: int
    height: float


def title(document: Document, document_index: int = 0) -> Quote | None:
    """The largest writing at the top of the first page; of a text without sizes, its first heading or line."""
    page = _first_page(document)
    if page is None:
        return None
    lines = list(lines_of(page))
    first, last = _largest(page, lines) or _named(page, lines)
    start, end = lines[first].start, lines[last].end
    labelled = _TITLED.match(page.text[start:end])
    return _place(document_index, page, start + labelled.start(1) if labelled else start, end)


def authors(document: Document, document_index: int = 0) -> Quote | None:
    """The names behind "by", "Author:", "From:" on the first page; None where there are none."""
    page = _first_page(document)
    found = _BYLINE.search(page.text) if page else None
    return None if page is None or found is None else _place(document_index, page, *found.span(1))


def date(document: Document, document_index: int = 0) -> Quote | None:
    """The first date that is written out on the first page; of a letter that is signed at the end, on its last."""
    pages = [page for page in document.pages if page.text.strip()]
    for page in (*pages[:1], *pages[-1:]):
        if found := _DATE.search(page.text):
            return _place(document_index, page, *found.span())
    return None


def first_lines(document: Document, document_index: int, count: int) -> Iterator[Quote]:
    """The first lines with words, for a document that has no sentences."""
    page = _first_page(document)
    if page is not None:
        able = [line for line in lines_of(page) if len(_LETTER.findall(page.text[line.start : line.end])) >= _LETTERS]
        for line in able[:count]:
            yield _place(document_index, page, line.start, line.end)


def _place(document_index: int, page: Page, start: int, end: int) -> Quote:
    return Quote(document_index=document_index, page=page, start=start, end=end)


def _first_page(document: Document) -> Page | None:
    return next((page for page in document.pages if len(_LETTER.findall(page.text)) >= _LETTERS), None)


def lines_of(page: Page) -> Iterator[Line]:
    """The lines of a page's text that are not empty, each as high as its words usually are."""
    words = iter(page.words)
    word = next(words, None)
    start = 0
    for text in page.text.split("\n"):
        end = start + len(text)
        heights: list[float] = []
        while word is not None and word.start < end:
            if not word.hidden:
                heights.append((word.box[3] - word.box[1]) * page.height)
            word = next(words, None)
        if text.strip():
            yield Line(start=start, end=end, height=median(heights) if heights else 0.0)
        start = end + 1


def _largest(page: Page, lines: list[Line]) -> tuple[int, int] | None:
    """The first and last of the lines that are set largest, where they are larger than usual."""
    able = [index for index, line in enumerate(lines) if _can_be_title(page, line)]
    if not able:
        return None
    usual = median(line.height for line in lines)
    first = max(able, key=lambda index: (round(lines[index].height, 1), -index))
    height = lines[first].height
    if height <= 0 or (height < _LARGER * usual and len(lines) > 2):
        return None
    last = first
    while first - 1 in able and lines[first - 1].height >= _SAME_SIZE * height:
        first -= 1
    while last + 1 in able and lines[last + 1].height >= _SAME_SIZE * height:
        last += 1
    too_long = lines[last].end - lines[first].start > _LONGEST_TITLE
    return None if too_long else (first, last)


def _named(page: Page, lines: list[Line]) -> tuple[int, int]:
    """A line that is marked as heading or subject near the top; else the first that can be a title."""
    top = range(min(_LONG_AGO, len(lines)))
    texts = [page.text[line.start : line.end].strip() for line in lines]
    marked = [index for index in top if texts[index].startswith("#") or _TITLED.match(texts[index])]
    able = [index for index in top if _can_be_title(page, lines[index])]
    best = (marked or able or [0])[0]
    return best, best


def _can_be_title(page: Page, line: Line) -> bool:
    text = page.text[line.start : line.end]
    return len(text) <= _LONGEST_LINE and len(_LETTER.findall(text)) >= _LETTERS
