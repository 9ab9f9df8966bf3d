"""Which rows of a table hold its headings, and what stands over each column."""

import itertools
import re
from collections.abc import Sequence

from app.documents.lines import Piece, is_number
from app.documents.table_cells import RawCell

LONG_TITLE = 50  # characters
FEWEST_STEPS = 4  # of a scale
LONG_HEADING = 80  # characters: what is longer is no heading
CAPTION = re.compile(r"\s*(table|exhibit|tab\.|tabelle|tableau|tabla|cuadro|tabela|表|図表|\[?표)", re.I)

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_YEAR = re.compile(
    r"^(?:(?:fy|q[1-4]|h[12])?\s*'?(?:19|20)\d\d(?:\s*[-–/]\s*\d{2,4})?[a-z*¹²³⁴]?|\d{1,2}/\d{1,2}(?:/\d{2,4})?"
    r"|\d{1,2}[.-]\d{1,2}[.-]\d{2,4}"
    rf"|{_MONTH}\s*\d{{1,2}}(?:,?\s*(?:19|20)\d\d)?,?|\d{{1,2}}\s*{_MONTH},?\s*(?:19|20)\d\d)$",
    re.I,
)  # years and dates, which stand over columns more often than in them
_PLAIN_NUMBER = re.compile(r"^\d{1,4}(?:\.\d{1,2})?$")
_COLUMN_NUMBER = re.compile(r"^\(?\d{1,2}\)?$")


Texts = Sequence[tuple[int, str]]  # of a row: the column and the text of each cell


def is_caption(text: str) -> bool:
    """Whether a line is the caption of a numbered table."""
    return CAPTION.match(text) is not None and any(char.isdecimal() for char in text[:16])


def first_data_row(rows: Sequence[Texts]) -> int | None:
    """The first row with a figure in a column of figures, or None where there is no such column.

    Where the first column counts the rows, data begins with its first number.
    """
    columns = _columns_of_figures(rows)
    counted = _first_counted(rows)
    for index, row in enumerate(rows):
        if index == counted:
            return index
        texts = [text for _, text in row]
        if stands_over_columns(texts) or (row and row[0][0] > 0 and _is_scale(["", *texts])):
            continue
        values = [text for column, text in row if column in columns and not _YEAR.match(text)]
        if len(row) > 1 and 2 * sum(map(is_number, values)) >= max(len(values), 1):
            return index
    return None


def stands_over_columns(texts: Sequence[str]) -> bool:
    """Whether the figures of a row stand over columns: they count these, or are years or the steps of a scale."""
    return is_column_numbers(texts) or _is_of_years(texts) or _is_scale(texts)


def _is_scale(texts: Sequence[str]) -> bool:
    """Whether the figures behind a label rise from one to the next by the same amount, as grades or sizes do.

    The label is the first text; it may be empty.
    """
    values = [round(100 * float(text)) for text in texts[1:] if _PLAIN_NUMBER.match(text)]
    steps = {other - one for one, other in itertools.pairwise(values)}
    named = not is_number(texts[0]) if texts else False
    return named and len(values) >= FEWEST_STEPS and 2 * len(values) > len(texts) and len(steps) == 1 and min(steps) > 0


def _is_of_years(texts: Sequence[str]) -> bool:
    """Whether most figures of a row are years or dates, as over columns."""
    years = sum(_YEAR.match(text) is not None for text in texts)
    return years > 2 and 2 * years > sum(map(is_number, texts))


def _first_counted(rows: Sequence[Texts]) -> int | None:
    """The row with the first number of a first column that counts: 1, 2, 3."""
    found = [(index, int(text)) for index, row in enumerate(rows) for column, text in row
             if column == 0 and text.isdecimal() and len(text) < 4]  # fmt: skip
    steps = [below[1] - above[1] for above, below in itertools.pairwise(found)]
    counts = len(found) >= 3 and 2 * len(found) > len(rows) and steps.count(1) >= 0.8 * len(steps)
    return found[0][0] if counts and found[0][1] < 2 else None


def _columns_of_figures(rows: Sequence[Texts]) -> set[int]:
    texts: dict[int, list[str]] = {}
    for row in rows[1:]:
        for column, text in row:
            if column > 0 and text:
                texts.setdefault(column, []).append(text)
    return {column for column, there in texts.items() if 2 * sum(map(is_number, there)) >= len(there)}


def is_column_numbers(texts: Sequence[str]) -> bool:
    """Whether a row only counts the columns: (1) (2) (3)."""
    if len(texts) < 3 or not all(_COLUMN_NUMBER.match(text) for text in texts):
        return False
    numbers = [int(text.strip("()")) for text in texts]
    return all(other == one + 1 for one, other in itertools.pairwise(numbers))


def header_rows(cells: Sequence[RawCell], columns: int) -> int:
    """How many rows of a ruled table hold headings: those above the first figures, else a first row like one."""
    rows = _rows(cells)
    if len(rows) < 2:
        return 0
    index = first_data_row([[(cell.across[0], cell.text) for cell in there] for _, there in rows])
    if index is None:
        return _first_row_of_words(rows, columns)
    first = rows[index][0]
    end = several = 0
    for row, there in rows:
        if row >= first or (several and (len(there) == 1 or is_over_the_rest(there, columns))):
            break
        several += len(there) > 1
        end = row + 1
    return end if several else 0


def is_over_the_rest(there: Sequence[RawCell], columns: int) -> bool:
    """Whether a row has a cell over several rows and, over all other columns, one that names these rows."""
    if len(there) != 2 or columns < 3:
        return False
    label, cell = sorted(there, key=lambda cell: cell.across)
    return label.down[1] - label.down[0] > 1 and cell.across == (label.across[1], columns)


def _rows(cells: Sequence[RawCell]) -> list[tuple[int, list[RawCell]]]:
    numbers = sorted({cell.down[0] for cell in cells})
    return [(row, [cell for cell in cells if cell.down[0] == row]) for row in numbers]


def _first_row_of_words(rows: Sequence[tuple[int, list[RawCell]]], columns: int) -> int:
    """Of a table of words the first row of several short cells, with the rows that its cells reach down to."""
    for row, there in rows[:3]:
        if len(there) < 2:
            continue
        bold = all(cell.bold for cell in there) and not all(cell.bold for _, row in rows[1:] for cell in row)
        short = all(len(cell.text) <= LONG_HEADING for cell in there)
        full = sum(cell.across[1] - cell.across[0] for cell in there) >= columns - 1
        if short and (bold or (columns > 2 and full)):
            wide = any(cell.across[1] - cell.across[0] > 1 for cell in there)
            return max(cell.down[1] for cell in there) + int(wide and max(cell.down[1] for cell in there) == row + 1)
        return 0
    return 0


def is_title(cell: RawCell, columns: int) -> bool:
    """Whether a cell stands over a whole table, or is a sentence over all columns but the first."""
    width = cell.across[1] - cell.across[0]
    return columns > 2 and (width >= columns or (width >= columns - 1 and len(cell.text) > LONG_TITLE))


def column_headings(cells: Sequence[RawCell], header: int, columns: int) -> list[list[list[Piece]]]:
    """For each column its headings, the widest first. What stands over all columns is none.

    A row that counts the columns is left out where these have other headings that tell them apart.
    """
    heads = [cell for cell in cells if cell.down[0] < header]
    counting = {row for row, there in _rows(heads) if is_column_numbers([cell.text for cell in there])}
    named = [cell for cell in heads if cell.down[0] not in counting]
    found = _headings(named, columns)
    return found if len(set(map(heading_words, found))) == columns else _headings(heads, columns)


def heading_words(levels: Sequence[Sequence[Piece]]) -> tuple[str, ...]:
    """The words of a column's headings, by which columns are told apart."""
    return tuple(piece.text for level in levels for piece in level)


def _headings(heads: Sequence[RawCell], columns: int) -> list[list[list[Piece]]]:
    found: list[list[list[Piece]]] = []
    for column in range(columns):
        levels: list[list[Piece]] = []
        before = None
        for cell in sorted(heads, key=lambda cell: cell.down):
            over = cell.across[0] <= column < cell.across[1]
            if not over or is_title(cell, columns):
                continue
            pieces = [piece for line in cell.lines for piece in line.pieces]
            if before == cell.across and before[1] - before[0] == 1 and levels:
                levels[-1] = [*levels[-1], *pieces]
            else:
                levels.append(pieces)
            before = cell.across
        found.append(levels)
    return found
