"""What a document's first page says of the document itself: its title, its authors, its date."""

from __future__ import annotations

import re
from collections.abc import Iterator

from model.answering.front_matter import front_matter_end, front_matter_title
from model.answering.lines import has_words, lines_of
from model.answering.quotes import Quote
from model.answering.titles import LABEL, candidates
from model.types import Document, Page

_TITLED = re.compile(rf"^{LABEL}\s*(.+)$", re.I)
_NAME = r"(?:[A-ZÀ-ÞА-Я\u3400-\u9fff][\w.'’-]*)(?: (?:[A-ZÀ-ÞА-Я][\w.'’-]*|&|d[aeiu]s?|v[ao]n|der|la))*"
_NAMES = rf"{_NAME}(?:(?:,|;|、| and| und| et| y) {_NAME})*"
_AUTHOR = "authors?|autor(?:en|es|in)?|auteurs?|verfasser|from|absender|expéditeur|remitente|作者|著者|发件人"
_BYLINE = re.compile(
    r"^(?:(?i:(?:written |prepared |edited )?by|von|par|por|da|door)[ \t]+(?=\S+ \S|[\u3400-\u9fff])"
    rf"|(?i:{_AUTHOR})\s*[:：]\s*)({_NAMES})",
    re.MULTILINE,
)
_BELOW_TITLE = 3  # lines below the title in which authors are looked for
_FEWEST_PEOPLE, _LONGEST_NAME = 2, 5  # of a list of names; words of a name
_BETWEEN_NAMES = re.compile(r"\s*[,;&、]\s*|\s+(?:and|und|et|y|e)\s+|\s{3,}")
_FOOTNOTE_MARKS = re.compile(r"[\d*†‡§¶¹²³⁰-⁹]+(?:,[\d*†‡§¶¹²³⁰-⁹]+)*")
_PART_OF_NAME = re.compile(r"(?:[^\W\d_a-z][\w'’-]*[a-zß-ÿ]|(?:[^\W\d_a-z]\.-?)+|d[aeiu]s?|v[ao]n|der|la)")
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


def title(document: Document, document_index: int = 0) -> Quote | None:
    """The front matter's title, or the lines at the top of the first page that look most like one, without a label."""
    page = _first_page(document)
    if page is None:
        return None
    if given := front_matter_title(page.text):
        return _place(document_index, page, *given)
    best = max(candidates(document, page), key=lambda one: one.score, default=None)
    if best is None:
        return None
    labelled = _TITLED.match(page.text[best.start : best.end])
    return _place(document_index, page, best.start + labelled.start(1) if labelled else best.start, best.end)


def authors(document: Document, document_index: int = 0) -> Quote | None:
    """The names behind "by", "Author:", "From:" on the first page, or below the title; None where there are none."""
    page = _first_page(document)
    if page is None:
        return None
    if found := _BYLINE.search(page.text):
        return _place(document_index, page, *found.span(1))
    named = title(document, document_index)
    below = [line for line in lines_of(page) if named is not None and line.start >= named.end]
    for line in below[:_BELOW_TITLE]:
        if _are_names(page.text[line.start : line.end]):
            return _place(document_index, page, line.start, line.end)
    return None


def _are_names(text: str) -> bool:
    """Whether a line lists two people or more: full names with capitals, with nothing between them but "and".

    A single name is not told from a place or an institution, so it is left to the decoder.
    """
    people = [part.split() for part in _BETWEEN_NAMES.split(_FOOTNOTE_MARKS.sub("", text)) if part.strip()]
    return len(people) >= _FEWEST_PEOPLE and all(
        2 <= len(names) <= _LONGEST_NAME and all(_PART_OF_NAME.fullmatch(name) for name in names) for names in people
    )


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
        lines = lines_of(page, front_matter_end(page.text))
        able = [line for line in lines if has_words(page.text[line.start : line.end])]
        for line in able[:count]:
            yield _place(document_index, page, line.start, line.end)


def _place(document_index: int, page: Page, start: int, end: int) -> Quote:
    return Quote(document_index=document_index, page=page, start=start, end=end)


def _first_page(document: Document) -> Page | None:
    return next((page for page in document.pages if has_words(page.text)), None)
