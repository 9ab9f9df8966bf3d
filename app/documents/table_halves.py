"""Tables that are printed in parts side by side, each under the same headings: one table, part below part."""

from collections.abc import Sequence
from dataclasses import replace

from app.documents.lines import is_number
from app.documents.table import TableBlock
from app.documents.table_cells import RawCell

HIGHEST = 8  # rows from the top within which the repeated headings stand
MOST_PARTS = 4

_Columns = tuple[int, int]


def with_parts_joined(table: TableBlock) -> TableBlock:
    """The table with the cells of its second part below those of its first; itself where it has only one."""
    rows = sorted({cell.down[0] for cell in table.cells})
    for row in rows[:HIGHEST]:
        heads = sorted((cell for cell in table.cells if cell.down[0] == row), key=lambda cell: cell.across)
        if (parts := _parts(heads)) is not None and row < rows[-1]:
            return _joined(table, heads, parts)
    return table


def _parts(heads: Sequence[RawCell]) -> int | None:
    """How many times a row says the same headings: a label's and at least one more."""
    texts = [" ".join(cell.text.split()).casefold() for cell in heads]
    if not texts or heads[0].across[0] > 0 or is_number(texts[0]):
        return None
    for parts in range(2, MOST_PARTS + 1):
        width, rest = divmod(len(texts), parts)
        if width > 1 and not rest and texts == texts[:width] * parts and len(set(texts)) == width:
            return parts
    return None


def _joined(table: TableBlock, heads: Sequence[RawCell], parts: int) -> TableBlock:
    width = len(heads) // parts
    first_row = max(cell.down[1] for cell in heads)
    height = max(cell.down[1] for cell in table.cells) - first_row
    starts = [heads[width * part].across[0] for part in range(parts)]
    own = [head.across for head in heads[:width]]
    last = own[-1][1]
    repeated = {id(head) for head in heads[width:]}
    cells: list[RawCell] = []
    for cell in table.cells:
        if id(cell) in repeated:
            continue
        part = max(number for number, start in enumerate(starts) if start <= cell.across[0])
        if part == 0 or cell.down[0] < first_row:
            cells.append(replace(cell, across=(min(cell.across[0], last - 1), min(cell.across[1], last))))
            continue
        across = _same_columns(cell, heads[width * part : width * (part + 1)], own)
        down = (cell.down[0] + part * height, cell.down[1] + part * height)
        cells.append(replace(cell, across=across, down=down))
    return replace(table, cells=tuple(cells), header_rows=first_row, columns=last)


def _same_columns(cell: RawCell, heads: Sequence[RawCell], own: Sequence[_Columns]) -> _Columns:
    """The columns of the first part that are those of a cell in another part."""
    under = [number for number, head in enumerate(heads) if _overlap(cell.across, head.across)] or [len(heads) - 1]
    return own[under[0]][0], own[under[-1]][1]


def _overlap(one: _Columns, other: _Columns) -> bool:
    return one[0] < other[1] and other[0] < one[1]
