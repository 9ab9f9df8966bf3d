"""Rows of a table without rules around its cells: what was broken over several lines is joined again.

A line with a label and no values is either the rest of a label, or its beginning, or the heading of the rows below it.
A label is only broken where its column is full, and its lines mostly stand closer together than rows do.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from app.documents.geometry import Rect
from app.documents.lines import Line, is_number
from app.documents.table_cells import Column, box_of, is_rule_between, middle, usual_distance

CLOSE = 0.85  # of the distance of two rows: lines of one cell stand closer together
NEAR = 1.25  # of the usual distance: what is further apart belongs to two rows
HANGING = 0.35  # ems that the lines of a cell stand further right than its first
MOST_LINES = 3  # of a label above its values

TableRow = dict[tuple[int, int], tuple[Line, ...]]  # by the columns that they cover: the lines of each cell

LABEL = (0, 1)  # the columns of a label
_OPEN_END = re.compile(r"[,&/(-]$|\b[a-zà-ÿ]{1,3}$|\([^)]*$")  # a comma, a short word like "of", an open bracket


def unwrapped(
    placed: Sequence[TableRow], rows: Sequence[list[Line]], columns: Sequence[Column], rules: Sequence[Rect]
) -> list[TableRow]:
    """Rows with what was broken over several lines joined again. `rows` are the lines of `placed` as they stand."""
    distance = usual_distance(rows)
    width = columns[-1][1] - columns[0][0]
    heights = [rule[1] for rule in rules if rule[2] - rule[0] > 0.8 * width]  # what is shorter stands above a sum
    ruled = sum(is_rule_between(one, other, heights) for one, other in pairwise(rows)) >= 2
    labels = _Labels(placed, rows, columns)
    joined: list[TableRow] = []
    for index, row in enumerate(placed):
        near = index > 0 and box_of(rows[index])[1] - box_of(rows[index - 1])[1] < NEAR * distance + 1
        apart = ruled and index > 0 and is_rule_between(rows[index - 1], rows[index], heights)
        whole = near and (_wraps(joined[-1], row, columns, ruled=ruled) or labels.go_on(joined[-1], index))
        if joined and not apart and whole:
            for across, lines in row.items():
                joined[-1][across] = (*joined[-1].get(across, ()), *lines)
        else:
            joined.append(dict(row))
    return joined


def _wraps(above: TableRow, row: TableRow, columns: Sequence[Column], *, ruled: bool) -> bool:
    """Whether a row is the rest of the one above it."""
    if any(is_number(line.text) for across, lines in row.items() if across[0] > 0 for line in lines):
        return _label_goes_on(above, row, columns)
    if ruled or _hangs(above, row):
        return True
    first = row.get(LABEL)
    if first is None:  # words below words, and no label of their own
        return all(any(across == other for other in above) for across in row)
    if len(row) == 1:
        return len(above) > 1 and first[0].text[:1].islower()
    return False


def _hangs(above: TableRow, row: TableRow) -> bool:
    """Whether the label and other cells of a row stand further right than the lines above that they go on with."""
    shared = [(above[across][0], lines[0]) for across, lines in row.items() if across in above]
    further = [line.box[0] - first.box[0] > HANGING * line.em for first, line in shared]
    return LABEL in row and LABEL in above and len(shared) == len(row) > 1 and all(further)


def _label_goes_on(above: TableRow, row: TableRow, columns: Sequence[Column]) -> bool:
    """Whether the row above is the first line of this row's label, which was too long for one."""
    label, first = above.get(LABEL), row.get(LABEL)
    if label is None or first is None or len(above) > 1 or len(label) > MOST_LINES:
        return False
    full = label[-1].box[2] > columns[0][0] + 0.75 * (columns[0][1] - columns[0][0])
    text = first[0].text
    return text[:1].islower() or (full and not label[-1].text.endswith(":") and not label[-1].bold and text[:1] == "(")


class _Labels:
    """The labels of a table: how wide their column is, and how far apart its rows are."""

    def __init__(self, placed: Sequence[TableRow], rows: Sequence[list[Line]], columns: Sequence[Column]) -> None:
        self._placed = placed
        self._rows = rows
        self._right = max([columns[0][1], *(row[LABEL][-1].box[2] for row in placed if LABEL in row)])
        self._distance = self._row_distance()
        close = [index for index in range(1, len(placed)) if self._is_second_line(index) and self._is_close(index)]
        full = sum(self._is_full(placed[index - 1][LABEL][-1], placed[index][LABEL][0]) for index in close)
        # Close lines that a full label does not explain are second lines of another kind, such as authors.
        self._trust_distance = not close or 2 * full > len(close)

    def go_on(self, above: TableRow, index: int) -> bool:
        """Whether a row's label goes on with the line above it, where one of the two has no values."""
        row = self._placed[index]
        if not self._is_beside_label(index) or (len(row) > 1 and (len(above) > 1 or len(above[LABEL]) > MOST_LINES)):
            return False
        line, rest = self._placed[index - 1][LABEL][-1], row[LABEL][0]
        if line.bold != rest.bold or line.text.endswith(":") or not self._is_full(line, rest):
            return False
        return _OPEN_END.search(line.text) is not None or (self._trust_distance and self._is_close(index))

    def _is_beside_label(self, index: int) -> bool:
        """Whether a row and the one above it have labels, and one of the two has no values."""
        one, other = self._placed[index - 1], self._placed[index]
        return LABEL in one and LABEL in other and min(len(one), len(other)) == 1

    def _is_second_line(self, index: int) -> bool:
        """Whether a label stands alone below one with values, in the same type."""
        one, other = self._placed[index - 1], self._placed[index]
        alone = self._is_beside_label(index) and len(one) > 1
        return alone and one[LABEL][-1].bold == other[LABEL][0].bold

    def _is_close(self, index: int) -> bool:
        return self._step(index) < CLOSE * self._distance

    def _is_full(self, line: Line, rest: Line) -> bool:
        """Whether the next line's first word would not have found room."""
        word = rest.pieces[0].box
        return line.box[2] + word[2] - word[0] + 0.25 * line.em > self._right

    def _step(self, index: int) -> float:
        return middle(self._rows[index][0]) - middle(self._rows[index - 1][0])

    def _row_distance(self) -> float:
        """The usual distance of two rows with values; where none follow each other, of those that stand apart."""
        steps = [(self._step(index), index) for index in range(1, len(self._rows))]
        between = [step for step, index in steps if len(self._placed[index]) > 1 and len(self._placed[index - 1]) > 1]
        if len(between) >= 2:
            return median(between)
        wide = sorted(step for step, _ in steps)[len(steps) // 2 :]
        return median(wide) if wide else 0.0
