"""Tables that go on on the next page without their headings: their rows say these again.

A page is read by itself, so only here is known what stood above the columns. A heading is taken from the rows of the
table on the page before, where it stands between the value before it and its own.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from app.documents.geometry import union
from app.documents.table import CELL_GAP
from app.documents.table_headers import is_caption
from model.types import Box, Cell, Page, Table, Word

MOST_BETWEEN = 160  # characters below a table that goes on, and above its rest: running heads, "continued"

_HEADING = re.compile(r"(?: \([^()]*\))?(?: - |; )(?P<heading>.+?):? $", re.S)


@dataclass(frozen=True, slots=True)
class _Insertion:
    """Text in place of `page.text[start:end]`."""

    start: int
    end: int
    text: str


def with_headings(pages: Sequence[Page]) -> tuple[Page, ...]:
    """The pages, each table at the top of one that goes on with the table before it under that one's headings."""
    found: list[Page] = []
    for page in pages:
        before = found[-1] if found else None
        headings = _headings(before, page) if before is not None and before.tables and page.tables else {}
        found.append(_written(page, list(_insertions(page, headings))) if headings else page)
    return tuple(found)


def _headings(before: Page, page: Page) -> Mapping[int, str]:
    """What stands over the columns of the page's first table: nothing where it is a table of its own."""
    table, rest = before.tables[-1], page.tables[0]
    near = (
        len(before.text[table.end :].strip()) <= MOST_BETWEEN and len(page.text[: rest.start].strip()) <= MOST_BETWEEN
    )
    above = [line for line in page.text[: rest.start].split("\n") if is_caption(line)]
    if any("cont" not in line.casefold() and "fort" not in line.casefold() for line in above):
        return {}  # a caption of its own
    if not near or table.columns != rest.columns or _named(page, rest) or not _below(before, table, page, rest):
        return {}
    return _named(before, table)


def _named(page: Page, table: Table) -> dict[int, str]:
    """The heading of each column, as the rows of a table say it before a value."""
    named: dict[int, str] = {}
    for row in _rows(table):
        for left, cell in pairwise(row):
            gap = page.text[left.end : cell.start]
            match = _HEADING.match(gap) if "\n" not in gap and gap.endswith(": ") else None
            if match is not None and cell.column not in named:
                named[cell.column] = match["heading"]
    return named


def _rows(table: Table) -> Iterator[list[Cell]]:
    for number in range(table.rows):
        yield sorted((cell for cell in table.cells if cell.row == number), key=lambda cell: cell.column)


def _below(before: Page, table: Table, page: Page, rest: Table) -> bool:
    """Whether the columns of two tables stand in the same places of their pages."""
    one, other = _places(before, table), _places(page, rest)
    shared = [column for column in one if column in other]
    return len(shared) > 1 and all(
        one[column][0] < other[column][2] and other[column][0] < one[column][2] for column in shared
    )


def _places(page: Page, table: Table) -> dict[int, Box]:
    """The box around each column's words, in fractions of the page."""
    starts = [word.start for word in page.words]
    places: dict[int, Box] = {}
    for cell in (cell for cell in table.cells if cell.column_span == 1):
        boxes = [word.box for word in page.words[bisect_left(starts, cell.start) : bisect_left(starts, cell.end)]]
        if boxes:
            places[cell.column] = union([*boxes, *([places[cell.column]] if cell.column in places else [])])
    return places


def _insertions(page: Page, headings: Mapping[int, str]) -> Iterator[_Insertion]:
    """The headings in place of the white space between the cells of the page's first table."""
    for row in _rows(page.tables[0]):
        for index, (left, cell) in enumerate(pairwise(row)):
            if page.text[left.end : cell.start] == CELL_GAP and (heading := headings.get(cell.column)):
                between = " - " if not index and left.column == 0 else "; "
                yield _Insertion(left.end, cell.start, f"{between}{heading}: ")


def _written(page: Page, insertions: Sequence[_Insertion]) -> Page:
    """The page with its text changed in these places; words and cells move with it."""
    parts: list[str] = []
    place = 0
    ends = [one.end for one in insertions]
    longer = [0, *accumulate(len(one.text) - (one.end - one.start) for one in insertions)]
    for one in insertions:
        parts += page.text[place : one.start], one.text
        place = one.end

    def moved(where: int) -> int:
        return where + longer[bisect_right(ends, where)]

    def table(old: Table) -> Table:
        cells = tuple(replace(cell, start=moved(cell.start), end=moved(cell.end)) for cell in old.cells)
        return replace(old, start=moved(old.start), end=moved(old.end), cells=cells)

    def word(old: Word) -> Word:
        return replace(old, start=moved(old.start), end=moved(old.end))

    return replace(
        page,
        text="".join([*parts, page.text[place:]]),
        words=tuple(map(word, page.words)),
        tables=tuple(map(table, page.tables)),
    )
