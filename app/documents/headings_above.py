"""Headings that stand above a table's own rules or shades, or that a gap parts from its rows."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from app.documents.geometry import Rect, contains
from app.documents.heading_levels import heading_levels
from app.documents.lines import Line, Piece, is_number, rows_of, split_at_gaps
from app.documents.table import TableBlock
from app.documents.table_cells import GAP, Column, RawCell, covered_columns
from app.documents.table_headers import column_headings, heading_words, is_caption, is_title, stands_over_columns

REACH = 10  # ems above a table
NEAR = 1.7  # ems between a heading and what stands below it
CLOSE = 0.5  # ems between the lines of a heading, of which the table has the last ones
MOST_ROWS = 5
LONGEST = 40  # letters of a heading's line
FEWEST_SHARED = 0.5  # of the columns with figures that headings must stand over


def with_headings_above(table: TableBlock, pieces: Sequence[Piece], rules: Sequence[Rect]) -> TableBlock:
    """The table with the rows right above it that stand over its columns, where its own rows do not name these."""
    columns = _extents(table)
    titled = any(cell.down[0] == 0 and is_title(cell, table.columns) for cell in table.cells)
    if table.columns < 2 or len(columns) < table.columns or titled:
        return table
    lacking = _lacks_names(table)
    rows = _rows_above(table, columns, pieces, NEAR if lacking else CLOSE)
    if not rows or (lacking and not _name(rows, columns)):
        return table
    first = [cell.lines[0] for cell in sorted(table.cells, key=lambda cell: cell.across) if cell.down[0] == 0]
    levels = heading_levels([*rows, first], columns, rules)
    shift = len(levels)
    heads = [
        RawCell(across=across, down=(number, number + 1), lines=tuple(lines))
        for number, level in enumerate(levels)
        for across, lines in sorted(level.items())
    ]
    moved = [replace(cell, down=(cell.down[0] + shift, cell.down[1] + shift)) for cell in table.cells]
    return replace(table, cells=(*heads, *moved), header_rows=shift + table.header_rows)


def _lacks_names(table: TableBlock) -> bool:
    """Whether several columns have no heading, or the same as another one."""
    if not table.header_rows:
        return True
    headings = column_headings(table.cells, table.header_rows, table.columns)[1:]
    texts = list(map(heading_words, headings))
    return 2 * len(set(texts)) <= len(texts)


def _extents(table: TableBlock) -> list[Column]:
    """Left and right of each column of figures or labels, from the cells below the headings that stand in it alone."""
    found: dict[int, Column] = {}
    for cell in table.cells:
        if cell.across[1] - cell.across[0] > 1 or cell.down[0] < table.header_rows:
            continue
        left, right = found.get(cell.across[0], (cell.lines[0].box[0], cell.lines[0].box[2]))
        found[cell.across[0]] = (
            min(left, *(line.box[0] for line in cell.lines)),
            max(right, *(line.box[2] for line in cell.lines)),
        )
    columns = [found[column] for column in sorted(found)]
    return columns if all(one[0] < other[0] for one, other in pairwise(columns)) else []


def _rows_above(table: TableBlock, columns: Sequence[Column], pieces: Sequence[Piece], near: float) -> list[list[Line]]:
    """The rows of headings within so many ems above a table, from top to bottom."""
    left, top, right, _ = table.box
    em = table.cells[0].lines[0].em
    reach = (left - 2 * em, top - REACH * em, right + 2 * em, top)
    above = rows_of([piece for piece in pieces if contains(reach, piece.box)])
    across = [row for row in rows_of([p for p in pieces if reach[1] < p.box[1] < top]) if _sticks_out(row, reach)]
    found: list[list[Line]] = []
    for row in reversed(above):
        cells = split_at_gaps(row, gap=GAP)
        level = (row[0].box[1] + row[0].box[3]) / 2
        beside = any(other[0].box[1] < level < other[0].box[3] for other in across)
        if top - row[0].box[3] > near * em or len(found) == MOST_ROWS or beside or not _is_heading(cells, columns):
            break
        found.append(cells)
        top = min(piece.box[1] for piece in row)
    while found and len(found[-1]) == 1 and covered_columns(found[-1][0], columns)[0] == 0:
        found.pop()  # a title
    labels = sum(row[-1].text.endswith(":") for row in found)
    return [] if labels > 1 else found[::-1]  # labels of a form, whose values stand elsewhere


def _sticks_out(row: Sequence[Piece], reach: Rect) -> bool:
    """Whether a row goes on beside the table without a gap."""
    inside = [line for line in split_at_gaps(row, gap=GAP) if line.box[0] < reach[2] and line.box[2] > reach[0]]
    return any(line.box[0] < reach[0] or line.box[2] > reach[2] for line in inside)


def _is_heading(cells: Sequence[Line], columns: Sequence[Column]) -> bool:
    """Whether a row of words may stand over columns: short, no caption, and no figures but years and the like."""
    text = " ".join(cell.text for cell in cells)
    width = columns[-1][1] - columns[0][0]
    if is_caption(text) or any(len(cell.text) > LONGEST or cell.box[2] - cell.box[0] > 0.6 * width for cell in cells):
        return False
    figures = [cell.text for cell in cells if is_number(cell.text)]
    if len(figures) > 0.5 * len(cells) and not stands_over_columns([cell.text for cell in cells]):
        return False
    behind = [cell for cell in cells if covered_columns(cell, columns)[0] > 0]
    return bool(behind) or len(cells) == 1


def _name(rows: Sequence[Sequence[Line]], columns: Sequence[Column]) -> bool:
    """Whether rows stand over enough of the columns behind the first."""
    over = {
        column
        for row in rows
        for cell in row
        for column in range(*covered_columns(cell, columns))
        if column > 0
    }  # fmt: skip
    return len(over) >= FEWEST_SHARED * (len(columns) - 1) and sum(len(row) for row in rows) > 1
