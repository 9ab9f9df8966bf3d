"""What a document opens with, in its own words: title, kind, telling sentences, and what one could ask.

Nothing here is written by the model: sentences and headings are quoted. What one could ask is put together from labels,
table headings and names (`questions.py`). Which of that it answers, the model tries (`app/page/overview.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

from app.overview.kinds import BIBLIOGRAPHY, SPREADSHEET, kind_of
from app.overview.sheets import Sheet, sheets
from app.overview.short_form import telling_lines
from model.answering import title_page
from model.answering.extractive_summary import summary
from model.answering.quotes import Quote
from model.types import Document

SENTENCES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Each part may be empty: not every document has it."""

    title: str
    kind: str
    sentences: tuple[Quote, ...]
    sheets: tuple[Sheet, ...] = ()  # of a spreadsheet, which has no sentences then


def overview(document: Document) -> Overview:
    """Its title, kind, and two or three sentences that say most of it; of a form, the lines that tell most."""
    title = title_page.title(document)
    named = title.text if title else ""
    kind = kind_of(document, named)
    if kind == SPREADSHEET and (found := sheets(document)):
        is_row = title is not None and _is_row(title)
        return Overview(title="" if is_row else named, kind=kind, sentences=(), sheets=found)
    said: tuple[Quote, ...] = telling_lines(document, named, kind) or summary([document], SENTENCES)
    if not said and kind != BIBLIOGRAPHY:  # whose first lines are somebody else's
        said = tuple(title_page.first_lines(document, 0, SENTENCES))
    return Overview(title=named, kind=kind, sentences=tuple(one for one in said if one.text != named))


def _is_row(title: Quote) -> bool:
    """Whether it is a table's row of several cells: then the sheet has no title."""
    return any(sum(title.start <= cell.start < title.end for cell in table.cells) > 1 for table in title.page.tables)
