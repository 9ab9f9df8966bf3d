"""Tables without rules around their cells: rows of words -> cells. Wrapped cells are joined, wide headings spread."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from app.documents.geometry import Rect
from app.documents.heading_levels import by_column, is_label, levels_of, placed_cells
from app.documents.lines import Line, in_reading_direction, is_number
from app.documents.table_cells import Column, RawCell, box_of, centre, find_columns, is_headed_in_bold, is_rule_between
from app.documents.table_headers import CAPTION, first_data_row
from app.documents.wrapped_rows import LABEL, TableRow, unwrapped

MOST_HEADER_ROWS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedTable:
    """Cells by their alignment. The first `header_rows` rows hold headings."""

    cells: tuple[RawCell, ...] = field(repr=False)
    header_rows: int
    columns: int


def aligned_table(all_rows: Sequence[list[Line]], rules: Sequence[Rect] = ()) -> AlignedTable:
    """The cells of rows of words; `rules` are the horizontal rules among them."""
    columns = find_columns(all_rows)
    all_placed = [placed_cells(row, columns) for row in all_rows]
    figures = first_data_row([by_column(row) for row in all_placed]) or 0
    titles = max(
        _titles(all_rows, columns),
        _above_header(all_rows, columns, rules, figures),
        _above_title(all_rows, all_placed, columns, figures),
    )
    rows = all_rows[titles:]
    placed = _with_groups(all_placed[titles:], columns)
    first = first_data_row([by_column(row) for row in placed])
    header = _header_end(placed, rows, first, rules)
    levels = levels_of(placed, rows, header, columns, rules)
    body = unwrapped(placed[header:], rows[header:], columns, rules)
    above: list[TableRow] = [{(0, len(columns)): tuple(row)} for row in all_rows[:titles]]
    levels = above + levels
    heights = _label_heights(body, columns, rules)
    cells = [
        RawCell(
            across=across,
            down=(index, index + heights.get(index - len(levels), 1) if across == LABEL else index + 1),
            lines=tuple(map(in_reading_direction, lines)),
        )
        for index, row in enumerate([*levels, *body])
        for across, lines in sorted(row.items())
    ]
    return AlignedTable(cells=tuple(cells), header_rows=len(levels), columns=len(columns))


def _titles(rows: Sequence[list[Line]], columns: Sequence[Column]) -> int:
    """How many rows at the top are a title: captions, and single lines at the left edge or as wide as the table."""
    count = 0
    for row in rows[:-1]:
        width = columns[-1][1] - columns[0][0]
        wide = row[0].box[2] - row[0].box[0] > 0.5 * width
        caption = CAPTION.match(row[0].text) is not None and len(row) < len(columns)
        if not caption and (len(row) > 1 or not (wide or row[0].box[0] < columns[0][1])):
            break
        count += 1
    return count


def _above_header(rows: Sequence[list[Line]], columns: Sequence[Column], rules: Sequence[Rect], first: int) -> int:
    """How many rows stand above the first of two rules that are as wide as the table: the headings are between them.

    first: the first row of figures; 0 where there is none.
    """
    end = _above_wide_rule(rows, rules, first) if first else None
    start = next((index for index in range(1, end or 0) if _above_wide_rule(rows, rules, index) == index), 0)
    headed = any(len(row) > max(2, 0.6 * len(columns)) for row in rows[:start])
    return start if end and start < end and not headed else 0


def _above_title(rows: Sequence[list[Line]], placed: Sequence[TableRow], columns: Sequence[Column], first: int) -> int:
    """How many rows end with a line across the middle of the table, above its headings: other lines of the page.

    placed: the cells of the rows. first: the first row of figures; 0 where there is none.
    """
    for index in range(first - 1, 0, -1):
        spans = (0, len(columns)) in placed[index] or _is_in_the_middle(rows[index][0], columns)
        if len(rows[index]) == 1 and spans and any(len(row) > 2 for row in rows[index + 1 : first]):
            return index + 1
    return 0


def _is_in_the_middle(line: Line, columns: Sequence[Column]) -> bool:
    """Whether a line of words stands centred above all columns, with room on both sides."""
    left, right = columns[0][0], columns[-1][1]
    apart = line.box[0] > left + line.em and line.box[2] < right - line.em
    return apart and abs(line.box[0] + line.box[2] - left - right) < 2 * line.em


def _with_groups(rows: list[TableRow], columns: Sequence[Column]) -> list[TableRow]:
    """The rows, those that hold only a line in the middle of the table as cells over all columns: they head groups."""
    alone = [next(iter(row.values()))[0] if len(row) == 1 else None for row in rows]
    central = [line for line in alone if line is not None and _is_central(line, columns)]
    whole = (0, len(columns))
    return [
        {whole: (line,)} if line is not None and sum(_share_centre(line, other) for other in central) > 1 else row
        for line, row in zip(alone, rows, strict=True)
    ]


def _is_central(line: Line, columns: Sequence[Column]) -> bool:
    """Whether a line of words stands in the middle of all columns, or of those with values."""
    middles = [(first + columns[-1][1]) / 2 for first in (columns[0][0], columns[min(1, len(columns) - 1)][0])]
    near = any(abs(centre(line) - place) < 2 * line.em for place in middles)
    return near and line.box[0] > columns[0][1] and not is_number(line.text)


def _share_centre(one: Line, other: Line) -> bool:
    return abs(one.box[0] + one.box[2] - other.box[0] - other.box[2]) < one.em


def _label_heights(rows: Sequence[TableRow], columns: Sequence[Column], rules: Sequence[Rect]) -> dict[int, int]:
    """How many rows a label stands for: those below it have none, and the rules between them leave its column out."""
    start, end = columns[0]
    long = [rule for rule in rules if rule[2] > columns[-1][0]]
    short = [rule[1] for rule in long if (start + end) / 2 < rule[0] < sum(columns[1]) / 2] if len(columns) > 2 else []
    whole = [rule[1] for rule in long if rule[0] <= (start + end) / 2]
    if sum(_is_between(above, below, whole) for above, below in pairwise(rows)) < 2:
        return {}  # rules above sums
    heights: dict[int, int] = {}
    label: int | None = None
    for index, row in enumerate(rows):
        if LABEL in row:
            label = index
        elif label is not None and _is_between(rows[index - 1], row, short):
            heights[label] = index - label + 1
        else:
            label = None
    return heights


def _is_between(above: TableRow, below: TableRow, heights: Sequence[float]) -> bool:
    """Whether a rule at one of these heights runs between two rows."""
    one, other = ([line for lines in row.values() for line in lines] for row in (above, below))
    return is_rule_between(one, other, heights)


def _header_end(
    placed: Sequence[TableRow], rows: Sequence[list[Line]], first: int | None, rules: Sequence[Rect]
) -> int:
    """How many rows stand above the first row of data, group headings not counted."""
    if first is None:
        return _header_above_rule(rows, rules)
    if (ruled := _above_wide_rule(rows, rules, first)) is not None:
        return ruled
    end = first
    while end and is_label(placed[end - 1]) and any(len(row) > 1 for row in placed[: end - 1]):
        end -= 1  # a group heading above the first row
    return end


def _above_wide_rule(rows: Sequence[list[Line]], rules: Sequence[Rect], first: int) -> int | None:
    """How many rows stand above the last rule, as wide as the table, that comes before the first row of figures."""
    left, right = min(row[0].box[0] for row in rows), max(row[-1].box[2] for row in rows)
    wide = [rule[1] for rule in rules if rule[2] - rule[0] > 0.8 * (right - left)]
    ruled = [
        index
        for index in range(min(first, len(rows) - 1, MOST_HEADER_ROWS), 0, -1)
        if is_rule_between(rows[index - 1], rows[index], wide)
    ]
    heads_a_group = len(ruled) > 1 and ruled[1] == ruled[0] - 1 and len(rows[ruled[1]]) == 1
    return ruled[1] if heads_a_group and len(rows[ruled[1] - 1]) > 1 else next(iter(ruled), None)


def _header_above_rule(rows: Sequence[list[Line]], rules: Sequence[Rect]) -> int:
    """Of a table of words, the rows above the first rule between them, or a first row set bold."""
    width = max(row[-1].box[2] for row in rows) - min(row[0].box[0] for row in rows)
    rules = [rule for rule in rules if rule[2] - rule[0] > 0.4 * width]  # what is shorter is a box or a sum
    for index in range(1, min(4, len(rows))):
        above, below = box_of(rows[index - 1])[3], box_of(rows[index])[1]
        if any(above - 3 <= rule[1] <= below + 3 for rule in rules):
            return index
    return 1 if is_headed_in_bold(rows) else 0
