"""A table as lines of text that can be understood alone: `Row label - Column heading: value; Column heading: value`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from app.documents.geometry import Rect, union
from app.documents.lines import Piece, is_number
from app.documents.table_cells import RawCell
from app.documents.table_headers import CAPTION, column_headings, is_over_the_rest, is_title

LONGEST_REPEATED = 120  # letters of a cell over several rows that is written in each of them
CELL_GAP = "   "  # between the cells of a row without headings

_UNIT = re.compile(
    r"[(\[]\s*((?:in\s+(?!(?:addition|order|part|particular|general|case|which|accordance)\b)|per\s+|"
    r"amounts?\s+in\s+|all\s+amounts?\s+in\s+|dollars?\s+in\s+|rs\.?\s*in\s+|en\s+|"
    r"£|\$|€|%|per\s*cent|percent|thousands|millions|billions|单位|金额单位|단위)[^()\[\]]{0,40}|%)\s*[)\]]",
    re.I,
)
_YEAR = re.compile(r"\b(?:19|20)\d\d(?:\s*[-–/]\s*\d{2,4})?\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableBlock:
    """A table among the blocks of a page. `about` is its year and unit, from what is printed above it."""

    cells: tuple[RawCell, ...] = field(repr=False)
    header_rows: int
    columns: int
    about: str = ""

    @property
    def box(self) -> Rect:
        return union(line.box for cell in self.cells for line in cell.lines)

    @property
    def words(self) -> list[Piece]:
        return [piece for cell in self.cells for line in cell.lines for piece in line.pieces]


@dataclass(frozen=True, slots=True)
class Printed:
    """A word of a row with the text before it, and the cell whose value it belongs to (None: a repetition)."""

    gap: str
    piece: Piece
    cell: int | None


def about(caption: Sequence[str], table: TableBlock) -> str:
    """The unit and the year that the lines above a table name, where its headings do not."""
    heads = " ".join(cell.text for cell in table.cells if cell.down[0] < table.header_rows)
    texts = " ".join(caption)
    unit = _UNIT.search(texts)
    parts = [unit[1].strip()] if unit and unit[1].lower() not in heads.lower() else []
    years = set(_YEAR.findall(" ".join(line for line in caption if CAPTION.match(line))))
    if len(years) == 1 and not any(_YEAR.search(cell.text) for cell in table.cells):
        parts.append(years.pop())
    return ", ".join(parts)


def printed_rows(table: TableBlock) -> Iterator[list[Printed]]:
    """The lines of a table: its headings in one, then a line for each row."""
    headings = column_headings(table.cells, table.header_rows, table.columns)
    if table.header_rows:
        yield from _header_lines(table, headings)
    group: tuple[RawCell, ...] = ()
    rows = max(cell.down[1] for cell in table.cells)
    index = {id(cell): number for number, cell in enumerate(table.cells)}
    for row in range(table.header_rows, rows):
        there = sorted((c for c in table.cells if _belongs(c, row)), key=lambda cell: cell.across)
        starting = [cell for cell in there if cell.down[0] == row]
        if not starting:
            continue
        if (heading := _heading(there, table, row)) is not None:
            group = (heading,)
            yield _plain(there, row, index)
        elif table.header_rows:
            if group and _leaves(group[0], there[0]):
                group = ()
            yield _row(there, group, headings, table, row, index)
        else:
            yield _plain(there, row, index)


def _belongs(cell: RawCell, row: int) -> bool:
    """Whether a cell is written in a row: one over several rows in each of them, if it is short."""
    return cell.down[0] == row or (cell.down[0] < row < cell.down[1] and len(cell.text) <= LONGEST_REPEATED)


def _header_lines(table: TableBlock, headings: list[list[list[Piece]]]) -> Iterator[list[Printed]]:
    titles = [cell for cell in table.cells if cell.down[0] < table.header_rows and is_title(cell, table.columns)]
    for title in titles:
        yield _words([piece for line in title.lines for piece in line.pieces], "", None)
    line: list[Printed] = []
    for levels in headings:
        if levels:
            line += _joined(levels, " / ", "; " if line else "")
    if line:
        yield line


def _heading(there: Sequence[RawCell], table: TableBlock, row: int) -> RawCell | None:
    """The cell of a row that only names the rows below it: alone, or beside a cell that goes on down these."""
    cell = there[-1]
    beside = there[:-1]
    whole = cell.across[0] == 0 if not beside else is_over_the_rest(there, table.columns)
    own = cell.down == (row, row + 1) and not is_number(cell.text)
    return cell if whole and own and table.columns > 1 and any(c.down[0] > row for c in table.cells) else None


def _leaves(group: RawCell, label: RawCell) -> bool:
    """Whether a row's label stands left of the heading in its column: the heading is not its own."""
    return label.across[0] == 0 and group.across == (0, 1) and label.left < group.left - 2


def _row(
    there: Sequence[RawCell],
    group: Sequence[RawCell],
    headings: list[list[list[Piece]]],
    table: TableBlock,
    row: int,
    index: dict[int, int],
) -> list[Printed]:
    line: list[Printed] = []
    for heading in group:
        line += _words(_pieces(heading), "", None)
    labels = _labels(there, headings)
    for number, cell in enumerate(labels):
        line += _words(_pieces(cell), " / " if line and not number else " " if line else "", _own(cell, row, index))
    between = f" ({table.about}) - " if table.about and line else " - " if line else ""
    for cell in there[len(labels) :]:
        levels = headings[cell.across[0]] if cell.across[0] < len(headings) else []
        wide = cell.across[1] - cell.across[0] > 1
        shared = [level for level in levels if not wide or all(level in headings[c] for c in range(*cell.across))]
        line += _joined(shared or levels, " / ", between)
        named = " " if line and line[-1].piece.text.endswith(":") else ": "
        line += _words(_pieces(cell), named if levels else between, _own(cell, row, index))
        between = "; "
    return line


def _labels(there: Sequence[RawCell], headings: list[list[list[Piece]]]) -> Sequence[RawCell]:
    """The cells that name a row: the first, and those behind it in columns without a heading."""
    if not there or there[0].across[0] > 0:
        return ()
    count = 1
    while count < len(there) - 1 and not headings[there[count].across[0]] and not is_number(there[count].text):
        count += 1
    return there[:count]


def _plain(there: Sequence[RawCell], row: int, index: dict[int, int]) -> list[Printed]:
    line: list[Printed] = []
    for cell in there:
        line += _words(_pieces(cell), CELL_GAP if line else "", _own(cell, row, index))
    return line


def _own(cell: RawCell, row: int, index: dict[int, int]) -> int | None:
    """The number of a cell in the first of its rows; in the others it is repeated."""
    return index[id(cell)] if cell.down[0] == row else None


def _pieces(cell: RawCell) -> list[Piece]:
    return [piece for line in cell.lines for piece in line.pieces]


def _joined(levels: Sequence[Sequence[Piece]], between: str, gap: str) -> list[Printed]:
    line: list[Printed] = []
    for level in levels:
        line += _words(level, between if line else gap, None)
    return line


def _words(pieces: Sequence[Piece], gap: str, cell: int | None) -> list[Printed]:
    return [
        Printed(gap if not number else "" if piece.joined else " ", piece, cell) for number, piece in enumerate(pieces)
    ]
