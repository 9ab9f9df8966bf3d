"""Tables as text: each row becomes a line that can be understood alone.

`Row label - Column header: value; Column header: value`: a reader of one line then knows what each value means, which
someone who sees only the cells of that row does not.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.documents.flow.blocks import Cell, Table

_NUMBER = re.compile(
    r"[\s(+\-−–]*[^\w\s]{0,2}\s*\d[\d\s.,:/'’%‰()\-−–]*(?:\s*[^\W\d]{1,3}|[^\w\s]{1,2})?[\s)%]*|[-–—]|n/?a", re.I
)
_DATE = re.compile(r"(?:19|20)\d\d|\d{1,4}([-./])\d{1,2}\1\d{1,4}|(?:\d{1,2}\.? )?\w{3,9}\.? (?:19|20)\d\d")
_UNIT = re.compile(
    r"\b(?:in|en) (?:\w+ )?(?:[A-Z]{3}\b|%)|\b(?:millions?|thousands?|billions?|mio|mrd|tsd)\b|[€$£¥%]", re.I
)
MOST_HEADER_ROWS = 4
MOST_SPAN = 1_000  # columns or rows that a merged cell may cover


@dataclass(frozen=True, slots=True, kw_only=True)
class CellText:
    """The text of a cell in a line, and the sign after it. cell: its index in `Grid.cells`."""

    cell: int
    sign: str = ""


Line = list[CellText]


class Grid:
    """A table with a cell at every place: merged cells are repeated.

    places: rows of indices of `cells`. The first `titles` rows hold one text each; names of columns end at
    `header_rows`.
    """

    def __init__(self, table: Table) -> None:
        self.cells: list[Cell] = []
        self.places = _spread(table, self.cells)
        self.titles = self._titles()
        self.header_rows = self._declared() or self._guessed()

    @property
    def width(self) -> int:
        return len(self.places[0]) if self.places else 0

    def lines(self) -> Iterator[Line]:
        """The titles, the names of the columns, and the text of each row below the header."""
        yield from filter(None, map(self._listed, self.places[: self.titles]))
        if self.header_rows > self.titles and (named := self._named()):
            yield named
        common = self._common_names()
        headers = [self._header(column, common) for column in range(self.width)]
        above: Sequence[int] = ()
        for row in self.places[self.header_rows :]:
            only_goes_on = bool(above) and all(
                one == other or not self._text(one) for one, other in zip(row, above, strict=True)
            )
            if not only_goes_on and (line := self._line(row, headers, common)):
                yield line
            above = row

    def _line(self, row: Sequence[int], headers: Sequence[Line], common: Sequence[int]) -> Line:
        """One row; a cell that goes over several columns is said once, under the first one's header."""
        filled = [column for column, cell in enumerate(row) if self._is_first(row, column) and self._text(cell)]
        if not filled:
            return []
        if len(filled) == 1 and self.cells[row[filled[0]]].rows > 1:
            return []  # said with the rows below
        if len(filled) == 1 and (len(row) > 2 or self.header_rows == self.titles):
            return [CellText(cell=row[filled[0]])]
        if filled[0] > 0 or (self.header_rows == self.titles and len(row) > 2 and is_value(self._text(row[filled[0]]))):
            return self._pairs(row, filled, headers)
        rest = self._pairs(row, filled[1:], headers)
        text = self._text(row[filled[0]])
        sign = " -" if any(headers[1:]) else "" if text.endswith(":") else ";" if ":" in text else ":"
        label = [row[filled[0]], *common]
        return [CellText(cell=cell, sign=sign if cell == label[-1] else ",") for cell in label] + rest

    def _pairs(self, row: Sequence[int], columns: Sequence[int], headers: Sequence[Line]) -> Line:
        line: Line = []
        for column in columns:
            end = ";" if column != columns[-1] else ""
            line += [*headers[column], CellText(cell=row[column], sign=end)]
        return line

    def _listed(self, row: Sequence[int]) -> Line:
        filled = [cell for column, cell in enumerate(row) if self._is_first(row, column) and self._text(cell)]
        return [CellText(cell=cell, sign=";" if cell != filled[-1] else "") for cell in filled]

    def _header(self, column: int, common: Sequence[int]) -> Line:
        """The names of a column, but those that all columns have."""
        names = [name for name in self._names(column, self.header_rows) if name not in common]
        last = "" if names and self._text(names[-1]).endswith(":") else ":"
        return [CellText(cell=name, sign=last if name == names[-1] else " /") for name in names]

    def _common_names(self) -> list[int]:
        """What holds for all columns: a year over all of them, a unit in the corner. It is said with the label."""
        named = [self._names(column, self.header_rows) for column in range(1, self.width)] or [[]]
        common = [name for name in named[0] if all(name in names for names in named)] if len(named) > 1 else []
        corner = [name for name in self._names(0, self.header_rows) if _UNIT.search(self._text(name))]
        return corner + common if self.header_rows > self.titles else []

    def _named(self) -> Line:
        """The names of all columns in one line, levels joined by a stroke, as in tables of other formats."""
        named = [self._names(column, self.header_rows) for column in range(self.width)]
        shown = [names for index, names in enumerate(named) if names and names not in named[:index]]
        return [
            CellText(cell=name, sign=" /" if name != names[-1] else ";" if names is not shown[-1] else "")
            for names in shown
            for name in names
        ]

    def _is_first(self, row: Sequence[int], column: int) -> bool:
        return column == 0 or row[column] != row[column - 1]

    def _text(self, cell: int) -> str:
        return self.cells[cell].text.strip()

    def _titles(self) -> int:
        """How many rows at the top hold one text only, while there are several columns."""
        count = 0
        while count < min(len(self.places), MOST_HEADER_ROWS) and self.width > 2:
            if len({cell for cell in self.places[count] if self._text(cell)}) != 1:
                break
            count += 1
        return count if count < len(self.places) else 0

    def _declared(self) -> int:
        """Where the rows end whose filled cells are all marked as headers; only if rows follow that are not."""
        end = self.titles
        for row in self.places[self.titles : self.titles + MOST_HEADER_ROWS]:
            if not all(self.cells[cell].is_header or not self._text(cell) for cell in row):
                break
            end += 1
        while self.titles < end < len(self.places) - 1 and self._is_named_below(end):
            end += 1  # only the groups of columns were marked, not their names
        return end if self.titles < end < len(self.places) else 0

    def _is_named_below(self, end: int) -> bool:
        """Whether the last row of the header groups columns, and the next one, without a label, names them."""
        above, row = self.places[end - 1], self.places[end]
        groups = any(one == other and self._text(one) for one, other in pairwise(above))
        has_no_label = not self._text(row[0]) or row[0] == above[0]
        return groups and has_no_label and not any(is_value(self._text(cell)) for cell in row)

    def _guessed(self) -> int:
        """Where the rows end that name the columns: the fewest that tell all columns apart, by words and dates."""
        for end in range(self.titles + 1, min(len(self.places), self.titles + MOST_HEADER_ROWS + 1)):
            names = [self._text(cell) for cell in self.places[end - 1][1:]]
            if any(map(is_amount, names)) or self._is_counted(end):
                return self.titles
            if 2 * sum(map(bool, names)) > len(names) and self._tells_columns_apart(end):
                return end
        return self.titles

    def _is_counted(self, end: int) -> bool:
        """Whether a row begins with a number, and the rows below it with others: 1.1, 1.2, 1.3."""
        first, *below = [self._text(row[0]) for row in self.places[end - 1 : end + 20]]
        return is_amount(first) and len(below) > 1 and 2 * sum(map(is_amount, below)) > len(below)

    def _tells_columns_apart(self, end: int) -> bool:
        below = self.places[end : end + 20]
        if self.width > 2:
            named = [names for column in range(1, self.width) if (names := self._names(column, end))]
            return len({tuple(map(self._text, names)) for names in named}) == len(named)
        values = sum(is_value(self._text(row[-1])) for row in below)
        return len(below) > 1 and bool(self._text(self.places[end - 1][0])) and 2 * values > len(below)

    def _names(self, column: int, end: int) -> list[int]:
        """The cells that name a column, from the widest group to its own; none where no row names the columns."""
        if end == self.titles:
            return []
        groups = self.places[self.titles : end - 1]
        names = [self._group(row, column) if column else row[0] for row in groups] + [self.places[end - 1][column]]
        return list(dict.fromkeys(name for name in names if self._text(name)))

    def _group(self, row: Sequence[int], column: int) -> int:
        """The name of a group of columns, which may stand over its first column only, or over its last."""
        filled = [one for one in range(1, self.width) if self._text(row[one])]
        if not filled:
            return row[column]
        if filled[0] > 1 and filled[-1] == self.width - 1:
            return row[next(one for one in filled if one >= column)]
        return row[max([one for one in filled if one <= column], default=column)]


def _spread(table: Table, cells: list[Cell]) -> list[list[int]]:
    """Every place of the table, filled; `cells` gets each cell once, and an empty one for places left over."""
    rows: list[dict[int, int]] = [{} for _ in table.rows]
    for number, row in enumerate(table.rows):
        column = 0
        for cell in row:
            while column in rows[number]:
                column += 1
            cells.append(cell)
            for below in rows[number : number + min(cell.rows, MOST_SPAN)]:
                below.update((column + step, len(cells) - 1) for step in range(min(cell.columns, MOST_SPAN)))
            column += min(cell.columns, MOST_SPAN)
    cells.append(Cell())
    width = max((column + 1 for row in rows for column in row), default=0)
    return [[row.get(column, len(cells) - 1) for column in range(width)] for row in rows]


def is_value(text: str) -> bool:
    """Whether a text is a number, an amount, a date in figures, or a dash in the place of one."""
    return bool(_NUMBER.fullmatch(text.strip()))


def is_amount(text: str) -> bool:
    """Whether a text is a value other than a year or a date, which may name a column."""
    return is_value(text) and not _DATE.fullmatch(text.strip())
