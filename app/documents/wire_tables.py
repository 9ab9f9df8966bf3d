"""The tables of a page as bytes, and back: each number is held against the text that it points into."""

import struct
from collections.abc import Iterator

from model.types import Cell, Page, Table

_TABLE = struct.Struct("<5I")  # start, end, rows, columns, number of cells
_CELL = struct.Struct("<6I?")  # row, column, start, end, row_span, column_span, header
MOST_ROWS = 1 << 16


def packed_tables(page: Page) -> bytes:
    """The tables, one behind the other, each with its cells behind it."""
    return b"".join(map(_packed, page.tables))


def _packed(table: Table) -> bytes:
    cells = (_CELL.pack(c.row, c.column, c.start, c.end, c.row_span, c.column_span, c.header) for c in table.cells)
    return _TABLE.pack(table.start, table.end, table.rows, table.columns, len(table.cells)) + b"".join(cells)


def unpacked_tables(body: bytes, characters: int) -> Iterator[Table]:
    """The tables of a text of so many characters. Raises ValueError where the bytes are none, struct.error included."""
    place = 0
    while place < len(body):
        start, end, rows, columns, count = _unpack(_TABLE, body, place)
        place += _TABLE.size
        if not (start <= end <= characters and rows <= MOST_ROWS and columns <= MOST_ROWS):
            raise ValueError("table")
        cells = []
        for _ in range(min(count, len(body))):
            cells.append(_cell(_unpack(_CELL, body, place), rows, columns, characters))
            place += _CELL.size
        yield Table(start=start, end=end, rows=rows, columns=columns, cells=tuple(cells))


def _unpack(fields: struct.Struct, body: bytes, place: int) -> tuple[int, ...]:
    if place + fields.size > len(body):
        raise ValueError("tables")
    return fields.unpack_from(body, place)


def _cell(values: tuple[int, ...], rows: int, columns: int, characters: int) -> Cell:
    row, column, start, end, row_span, column_span, header = values
    if not (start <= end <= characters and row + row_span <= rows and column + column_span <= columns):
        raise ValueError("cell")
    return Cell(
        row=row, column=column, start=start, end=end, row_span=row_span, column_span=column_span, header=bool(header)
    )
