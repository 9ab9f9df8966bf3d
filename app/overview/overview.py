"""What a document opens with, in its own words: title, kind, telling sentences, and what one could ask.

Nothing here is written by the model: sentences and headings are quoted, and questions are put together from labels,
table headings and names that stand in the document. Which of them it answers, the model tries (`app/page/overview.py`).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.overview.kinds import BIBLIOGRAPHY, kind_of
from model.answering import title_page
from model.answering.extractive_summary import sentences, summary
from model.answering.quotes import Quote
from model.types import Document, Page, Table

SENTENCES = 3
CANDIDATES = 8  # questions that are tried
MOST_PAGES = 30  # from the beginning, in which labels, tables and names are searched
_FIELD = re.compile(r"^[ \t]*([A-ZÀ-Þ][^\W\d_]+(?: [^\W\d_]+){0,2}) ?: *(?=[^\W_])(?!\w+:)([^\n]{1,60})$", re.MULTILINE)
_NAME = re.compile(r"(?<=[a-zß-ÿ,] )[A-ZÀ-Þ][a-zß-ÿ]+ [A-ZÀ-Þ][a-zß-ÿ]+\b(?! [A-ZÀ-Þ])")
_MOST_WORDS = 8  # of a field's value


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Each part may be empty: not every document has it."""

    title: str
    kind: str
    sentences: tuple[Quote, ...]


def overview(document: Document) -> Overview:
    """Its title, kind, and two or three sentences that say most of it; of a form, its first lines."""
    title = title_page.title(document)
    named = title.text if title else ""
    kind = kind_of(document, named)
    said: tuple[Quote, ...] = summary([document], SENTENCES)
    if not said and kind != BIBLIOGRAPHY:  # whose first lines are somebody else's
        said = tuple(title_page.first_lines(document, 0, SENTENCES))
    return Overview(title=named, kind=kind, sentences=tuple(one for one in said if one.text != named))


def possible_questions(document: Document) -> tuple[str, ...]:
    """Questions after what stands in the document, the most telling kinds by turns."""
    pages = document.pages[:MOST_PAGES]
    kinds = (list(_fields(pages)), list(_cells(pages)), list(_names(document)))
    by_turns = (one for turn in itertools.zip_longest(*kinds) for one in turn if one)
    return tuple(itertools.islice(dict.fromkeys(by_turns), CANDIDATES))


def _fields(pages: tuple[Page, ...]) -> Iterator[str]:
    for page in pages:
        for label, value in _FIELD.findall(page.text):
            if len(value.split()) <= _MOST_WORDS:
                yield f"What is the {label.lower()}?"


def _cells(pages: tuple[Page, ...]) -> Iterator[str]:
    """After rows and columns that have a heading: the first, the last and the middle row of a table."""
    for page in pages:
        for table in page.tables:
            yield from _cells_of(page, table)


def _cells_of(page: Page, table: Table) -> Iterator[str]:
    at = {(cell.row, cell.column): cell for cell in table.cells}
    columns = [cell for cell in table.cells if cell.header and cell.row == 0 and cell.column > 0]
    rows = [cell for cell in table.cells if cell.column == 0 and not (cell.header and cell.row == 0)]
    if not columns or not rows:
        return
    for row in (rows[-1], rows[0], rows[len(rows) // 2]):
        column = columns[-1]
        name, of = _text(page, row.start, row.end), _text(page, column.start, column.end)
        if (row.row, column.column) in at and name and of and name[0].isalpha():
            yield f"What is the {_lower(name)} in {of}?" if of.isdecimal() else f"What is the {of} of {name}?"


def _names(document: Document) -> Iterator[str]:
    for sentence in itertools.islice(sentences(document), 200):
        for name in _NAME.findall(sentence.text):
            yield f"Who is {name}?"


def _text(page: Page, start: int, end: int) -> str:
    text = " ".join(page.text[start:end].split())
    return text if len(text) <= 40 else ""


def _lower(name: str) -> str:
    """A label within a sentence; an abbreviation stays as it is."""
    return name if name[1:2].isupper() else name[0].lower() + name[1:]
