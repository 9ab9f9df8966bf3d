"""Whether rows of cells, without rules around these, are those of a table."""

from collections.abc import Sequence

from app.documents.geometry import Rect
from app.documents.lines import Line, is_number
from app.documents.table_cells import find_columns, is_headed_in_bold, is_rule_between, middle

FEWEST_ROWS = 3  # with more than one cell
LONG_CELL = 60  # letters: cells are mostly shorter
MOST_HEADINGS, LONGEST_HEADING = 3, 40  # rows of headings, and letters of one, over words


def is_table(rows: Sequence[Sequence[Line]], rules: Sequence[Rect]) -> bool:
    """Whether rows of cells are those of a table: several with cells below each other, and figures or headings."""
    several = [row for row in rows if len(row) > 1]
    if len(several) < FEWEST_ROWS or 2 * len(several) < len(rows):
        return False
    columns = find_columns(several)
    values = [cell for row in several for cell in row[1:]]
    numbers = sum(is_number(cell.text) for cell in values) / max(len(values), 1)
    long = sum(len(cell.text) > LONG_CELL for row in several for cell in row) / sum(len(row) for row in several)
    if len(columns) < 2 or long > 0.3:
        return False
    full = sum(len(row) >= 0.6 * len(columns) for row in several)
    if 2 * full >= len(several) and _is_headed(rows, rules):
        return True
    if len(columns) == 2:
        return numbers >= 0.5
    return full >= 0.4 * len(several) and (numbers >= 0.25 or len(columns) > 3)


def _is_headed(rows: Sequence[Sequence[Line]], rules: Sequence[Rect]) -> bool:
    """Whether the first rows are short headings between two rules as wide as all rows, or alone set bold."""
    left, right = min(row[0].box[0] for row in rows), max(row[-1].box[2] for row in rows)
    first = rows[0][0]
    wide = [
        rule[1]
        for rule in rules
        if min(rule[2], right) - max(rule[0], left) > 0.9 * (right - left) and rule[1] > first.box[1] - 2 * first.em
    ]
    below = next((i for i in range(1, min(MOST_HEADINGS + 1, len(rows))) if _ruled(rows, i, wide)), 0)
    between = sum(_ruled(rows, index, wide) for index in range(below + 1, len(rows)))
    ruled = below > 0 and any(y < middle(first) for y in wide) and 2 * between < len(rows) - below - 1
    heads = rows[:below] if ruled else rows[:1] if is_headed_in_bold(rows) else []
    return any(len(row) > 1 for row in heads) and all(len(cell.text) <= LONGEST_HEADING for r in heads for cell in r)


def _ruled(rows: Sequence[Sequence[Line]], index: int, heights: Sequence[float]) -> bool:
    return is_rule_between(rows[index - 1], rows[index], heights)
