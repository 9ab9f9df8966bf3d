"""Rows of tables in a page's text, and their cells.

A table is written a row a line, so that a line can be understood alone (`app/documents/table.py`):
`Row label - Column heading: value; Column heading: value`, or without a label `Column heading: value; ...`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_ROW = re.compile(r"^[^\n]*\S - [^\n]*\S: [^\n]*\n?|^[^\n;]*\S: [^\n;]*;[^\n]*\S: [^\n]*\n?", re.MULTILINE)
_BEHIND_LABEL = re.compile(r" - (?=\S)")
_BEHIND_HEADING = ": "
_BEHIND_VALUE = "; "


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledCell:
    """A value with its row's label and its column's heading, "" where there is none."""

    row: str
    column: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """The cells of the row `text[start:end]`."""

    start: int
    end: int
    cells: tuple[LabelledCell, ...]

    @property
    def label(self) -> str:
        return self.cells[0].row


def row_spans(text: str) -> list[tuple[int, int]]:
    """The characters [start, end) of each row of a table, with the line break behind it, in order."""
    return [match.span() for match in _ROW.finditer(text)]


def cells_of(text: str) -> list[LabelledCell]:
    """The cells of all rows of tables in a text, in its order."""
    return [cell for row in rows_of(text) for cell in row.cells]


def rows_of(text: str) -> list[TableRow]:
    """The rows of tables in a text that have cells, in its order."""
    found = (
        TableRow(start=start, end=end, cells=tuple(_cells_of_row(text[start:end]))) for start, end in row_spans(text)
    )
    return [row for row in found if row.cells]


def _cells_of_row(line: str) -> Iterator[LabelledCell]:
    first_heading = line.find(_BEHIND_HEADING)
    labels = [*_BEHIND_LABEL.finditer(line, 0, first_heading)]
    if not labels and _BEHIND_VALUE not in line[first_heading:]:
        return
    row = line[: labels[-1].start()].strip() if labels else ""
    for part in line[labels[-1].end() if labels else 0 :].split(_BEHIND_VALUE):
        column, has_heading, value = part.partition(_BEHIND_HEADING)
        if not has_heading:
            column, value = "", part
        if value.strip():
            yield LabelledCell(row=row, column=column.strip(), value=value.strip())
