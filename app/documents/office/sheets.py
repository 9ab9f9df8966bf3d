"""The cells of a sheet -> tables: cut at empty rows, but groups of rows stay under the names of their columns."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from app.documents.flow.blocks import Block, Cell, Paragraph, Table
from app.documents.flow.tables import Grid, is_amount, is_value
from model.errors import DocumentError

MOST_CELLS = 3_000_000


@dataclass(slots=True, kw_only=True)
class Sheet:
    """Cells with text by row and column, counted from 0; merged: rows and columns that a cell covers."""

    cells: dict[int, dict[int, str]] = field(default_factory=dict)
    merged: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)

    def blocks(self) -> Iterator[Block]:
        """The sheet from top to bottom; a text that stands alone is a paragraph."""
        for rows in self._tables():
            for columns in self._side_by_side(rows):
                yield from self._block(rows, columns)

    def _tables(self) -> Iterator[list[int]]:
        """Groups of rows, each a table."""
        table: list[int] = []
        for region in self._regions():
            if table and not self._goes_on(table, region):
                yield table
                table = []
            table += region
        if table:
            yield table

    def _regions(self) -> Iterator[list[int]]:
        """Rows between empty ones."""
        region: list[int] = []
        covered = -1
        for row in sorted(self.cells):
            if region and row > max(region[-1], covered) + 1:
                yield region
                region = []
            region.append(row)
            covered = max(
                [covered, *(row + self.merged.get((row, column), (1, 1))[0] - 1 for column in self.cells[row])]
            )
        if region:
            yield region

    def _goes_on(self, table: list[int], region: list[int]) -> bool:
        """Whether rows below an empty one belong to the table above: same columns, no names of columns of their own."""
        before, columns = self._columns(table), self._columns(region)
        grid = Grid(self._table(region, columns))
        if len(columns) < 2 or grid.header_rows > grid.titles:
            return False
        above = Grid(self._table(table[:20], before))
        has_values = any(is_amount(cell.text) for cell in grid.cells)
        had_values = any(is_amount(cell.text) for cell in above.cells)
        if above.header_rows > above.titles:
            return set(columns) <= set(before) and (has_values or not had_values)
        return len(before) > 1 and has_values and not had_values  # nothing but names of columns so far

    def _columns(self, rows: list[int]) -> list[int]:
        return sorted({column for row in rows for column in self.cells[row]})

    def _side_by_side(self, rows: list[int]) -> Iterator[list[int]]:
        """Groups of columns: tables that stand beside each other, an empty column between them."""
        columns = self._columns(rows)
        covered = self._covered_columns(rows)
        part: list[int] = []
        for index, column in enumerate(columns):
            if part and column > part[-1] + 1 and not covered & set(range(part[-1] + 1, column)):
                rest = columns[index:]
                if self._is_table(rows, part) and self._is_table(rows, rest, part):
                    yield part
                    part = []
            part.append(column)
        yield part

    def _covered_columns(self, rows: list[int]) -> set[int]:
        return {
            column + step
            for row in rows
            for column in self.cells[row]
            for step in range(1, min(self.merged.get((row, column), (1, 1))[1], 1_000))
        }

    def _is_table(self, rows: list[int], columns: list[int], beside: list[int] | None = None) -> bool:
        """Whether the columns have names, and, beside others, words before values or rows of their own."""
        own = self._filled(rows, columns)
        if len(columns) < 2:
            return False
        grid = Grid(self._table(own, columns))
        labels = [grid.cells[row[0]].text for row in grid.places[grid.header_rows :]]
        has_labels = 2 * sum(map(is_value, labels)) < len(labels)
        return grid.header_rows > grid.titles and (beside is None or has_labels or own != self._filled(rows, beside))

    def _filled(self, rows: list[int], columns: list[int]) -> list[int]:
        return [row for row in rows if any(column in self.cells[row] for column in columns)]

    def _block(self, rows: list[int], columns: list[int]) -> Iterator[Block]:
        rows = self._filled(rows, columns)
        if len(columns) == 1:
            yield from (Paragraph(text=self.cells[row][columns[0]]) for row in rows)
        else:
            yield self._table(rows, columns)

    def _table(self, rows: list[int], columns: list[int]) -> Table:
        """Only these rows and columns; merged cells cover those of them that they cover in the sheet."""
        covered: set[tuple[int, int]] = set()
        table = []
        for row in rows:
            cells = []
            for column in columns:
                if (row, column) in covered:
                    continue
                high, wide = self.merged.get((row, column), (1, 1))
                below = [one for one in rows if row <= one < row + high] if high > 1 else [row]
                right = [one for one in columns if column <= one < column + wide] if wide > 1 else [column]
                covered.update((one, other) for one in below for other in right)
                cells.append(Cell(text=self.cells[row].get(column, ""), rows=len(below), columns=len(right)))
            table.append(tuple(cells))
        return Table(rows=tuple(table))


def too_many_cells(name: str) -> DocumentError:
    """The error for a workbook that would take too long."""
    return DocumentError(
        "{name!r} has more than {most:,} cells: save the part that matters as a file of its own.",
        name=name,
        most=MOST_CELLS,
    )
