"""What a spreadsheet is: its sheets, how large they are, and what their columns are called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from model.answering.quotes import Quote
from model.types import Cell, Document, Page, Table

MOST_SHEETS: Final = 5  # that are shown
MOST_COLUMNS: Final = 8  # whose names are shown
_FEW_ROWS: Final = 2  # from which nothing can be told of a column
_LABEL: Final = re.compile(r"Sheet '(?P<name>.*)'(?: \(hidden\))?(?: \(\d+ of \d+\))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A sheet that begins on this page. Rows and columns: of its tables, headings not counted among the rows."""

    name: str
    page: Page
    rows: int
    columns: int
    headings: tuple[str, ...]  # of the columns of its first table; empty where they have none

    @property
    def place(self) -> Quote:
        """Its first line."""
        return Quote(document_index=0, page=self.page, start=0, end=len(self.page.text.partition("\n")[0]))


def sheets(document: Document) -> tuple[Sheet, ...]:
    """The sheets that have cells, in the workbook's order; none where the document is no spreadsheet."""
    named = ((match["name"], page) for page in document.pages if (match := _LABEL.fullmatch(page.label or "")))
    found = (_sheet(name, [page for _, page in pages]) for name, pages in groupby(named, key=lambda pair: pair[0]))
    return tuple(sheet for sheet in found if sheet.rows)


def _sheet(name: str, pages: list[Page]) -> Sheet:
    tables = [(page, table) for page in pages for table in page.tables]
    headings = next((names for page, table in tables if (names := _headings(page, table))), {})
    rows = sum(len(_rows(table)) for _, table in tables)
    return Sheet(
        name=name,
        page=pages[0],
        rows=rows - any(not cell.header for cell in headings),
        columns=max((table.columns for _, table in tables), default=0),
        headings=tuple(headings.values()),
    )


def _rows(table: Table) -> set[int]:
    """The rows of values: neither headings nor titles, which stand alone above them."""
    headings = [cell.row for cell in table.cells if cell.header]
    return {cell.row for cell in table.cells if not cell.header and cell.row >= min(headings, default=0)}


def _headings(page: Page, table: Table) -> dict[Cell, str]:
    """What the columns are called: the cells that are known as headings, or a first row that differs from the rest."""
    first = min((cell.row for cell in table.cells if cell.header), default=0)
    by_column: dict[int, list[Cell]] = {}
    for cell in table.cells:
        if cell.row >= first:
            by_column.setdefault(cell.column, []).append(cell)
    top = [cells[0] for cells in by_column.values() if cells[0].row == first]
    is_known = any(cell.header for cell in top)
    with_figures = [_has_figure(page, cell) for cell in top]
    differs = any(
        len(cells) > _FEW_ROWS and [_has_figure(page, cell) for cell in cells] == [False] + [True] * (len(cells) - 1)
        for cells in by_column.values()
    )
    if not is_known and (sum(with_figures) > 1 or not differs):
        return {}
    return {cell: name for cell in top if (name := " ".join(page.text[cell.start : cell.end].split()))}


def _has_figure(page: Page, cell: Cell) -> bool:
    return any(char.isdigit() for char in page.text[cell.start : cell.end])
