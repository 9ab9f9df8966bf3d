"""The words of a table -> the cells of each row, by what stands below and beside what."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median

from app.documents.geometry import Rect
from app.documents.gutters import find_strips
from app.documents.lines import Line, Piece, is_number, split_at_gaps

GAP = 0.95  # ems between two cells of a row
LEADER = re.compile(r"^[.…·_\s]{3,}$|(?<=\w)\.{4,}$")
DOTS = re.compile(r"^[.…·]{3,}$")
MONEY = frozenset("$€£¥")


@dataclass(frozen=True, slots=True, kw_only=True)
class RawCell:
    """A cell with its lines of words. `across` and `down` are the first column and row, and those behind the last."""

    across: tuple[int, int]
    down: tuple[int, int]
    lines: tuple[Line, ...] = field(repr=False)

    @property
    def text(self) -> str:
        return " ".join(line.text for line in self.lines)

    @property
    def bold(self) -> bool:
        return bool(self.lines) and all(line.bold for line in self.lines)

    @property
    def left(self) -> float:
        return min(line.box[0] for line in self.lines)


def with_labels_joined(rows: Sequence[list[Piece]]) -> list[list[Piece]]:
    """The rows of words, with a label of two lines joined to the figures between these, and without rows of leaders."""
    joined: list[list[Piece]] = []
    waiting = [row for row in rows if not all(DOTS.match(piece.text) for piece in row)]
    while waiting:
        first = waiting.pop(0)
        if len(waiting) > 1 and _are_around(first, waiting[0], waiting[1]):
            figures, last = waiting.pop(0), waiting.pop(0)
            joined.append([*first, *last, *figures])
        else:
            joined.append(first)
    return joined


def _are_around(first: Sequence[Piece], figures: Sequence[Piece], last: Sequence[Piece]) -> bool:
    """Whether two lines left of a row of figures overlap its height from above and from below."""
    left = min(piece.box[0] for piece in figures)
    if max(piece.box[2] for piece in (*first, *last)) > left or abs(first[0].box[0] - last[0].box[0]) > first[0].em:
        return False
    top, bottom = figures[0].box[1], figures[0].box[3]
    near = first[0].box[3] > top and last[0].box[1] < bottom
    cells = split_at_gaps(figures, gap=GAP)
    return near and len(cells) > 1 and 2 * sum(is_number(cell.text) for cell in cells) > len(cells)


def table_rows(rows: Sequence[Sequence[Piece]], edges: Sequence[float] = ()) -> list[list[Line]]:
    """The cells of each row of words, cut at wide gaps and at the white strips that run down through most rows."""
    bare = [bare for row in rows if (bare := without_leaders(row))]
    strips = [strip for strip in find_strips(bare) if strip.rows >= max(3, 0.6 * len(bare))]
    cuts = [*edges, *(strip.middle for strip in strips)]
    return [_with_signs([part for line in _cut(row, cuts) for part in _figures_apart(line)]) for row in bare]


def _cut(row: Sequence[Piece], cuts: Sequence[float]) -> list[Line]:
    inner = [x for x in cuts if row[0].box[0] + 2 < x < row[-1].box[2] - 2]
    return split_at_gaps(row, () if _is_sentence(row) or runs_across(row, inner) else cuts, gap=GAP)


def runs_across(pieces: Sequence[Piece], edges: Sequence[float]) -> bool:
    """Whether words stand over at least half of several edges between columns: a line of text, and no row of cells."""
    return len(edges) > 2 and 2 * crossed_edges(pieces, edges) >= len(edges)


def crossed_edges(pieces: Sequence[Piece], edges: Sequence[float]) -> int:
    """How many of the edges between columns some word stands over."""
    return sum(any(piece.box[0] < x - 2 and piece.box[2] > x + 2 for piece in pieces) for x in edges)


def _is_sentence(row: Sequence[Piece]) -> bool:
    """Whether words stand as close as those of a sentence, which white strips cross by chance only."""
    near = all(other.box[0] - one.box[2] < 0.6 * other.em for one, other in pairwise(row))
    return near and len(row) > 3 and not any(is_number(piece.text) for piece in row)


def _figures_apart(line: Line) -> list[Line]:
    """Figures that stand a little more than a space apart as cells of their own."""
    if len(line.pieces) < 2:
        return [line]
    parts = [[line.pieces[0]]]
    for one, other in pairwise(line.pieces):
        if other.box[0] - one.box[2] > 0.45 * other.em and is_number(one.text) and is_number(other.text):
            parts.append([other])
        else:
            parts[-1].append(other)
    return [Line.of(part) for part in parts]


def without_leaders(row: Sequence[Piece]) -> list[Piece]:
    """The words of a row without the dots that lead from one cell to the next."""
    kept = []
    for piece in row:
        if "..." in piece.text or "…" in piece.text or "___" in piece.text:
            text = LEADER.sub("", piece.text)
            if not text:
                continue
            kept.append(replace(piece, text=text) if text != piece.text else piece)
        else:
            kept.append(piece)
    return kept


def _with_signs(cells: list[Line]) -> list[Line]:
    """A sign of money joins the figure behind it, and a per cent sign or a bracket the one before it."""
    joined: list[Line] = []
    for cell in cells:
        near = joined and cell.box[0] - joined[-1].box[2] < 8 * cell.em
        if near and (joined[-1].text in MONEY or joined[-1].text == "$(") and cell.text[:1] in "0123456789(.—–-":
            joined[-1] = Line.of((*joined[-1].pieces, *cell.pieces))
        elif near and cell.text in ("%", ")", ")%", "%)") and is_number(joined[-1].text):
            first, *others = cell.pieces
            joined[-1] = Line.of((*joined[-1].pieces, replace(first, joined=True), *others))
        else:
            joined.append(cell)
    return joined


def has_inner_columns(cells: Sequence[RawCell]) -> bool:
    """Whether cells of a grid hold several figures side by side: columns without a rule between them."""
    lines = [line for cell in cells for line in cell.lines]
    split = [split_at_gaps(line.pieces, gap=GAP) for line in lines]
    return sum(sum(is_number(part.text) for part in parts) > 1 for parts in split) > 0.25 * len(lines)


Column = tuple[float, float]


def find_columns(rows: Sequence[Sequence[Line]]) -> list[Column]:
    """Left and right of each column, from the cells that stand below each other."""
    most = max((len(row) for row in rows), default=0)
    body = sorted((row for row in rows if len(row) >= max(2, 0.5 * most)), key=len, reverse=True)
    columns: list[Column] = []
    for row in body:
        for cell in row:
            left, right = cell.box[0], cell.box[2]
            shared = [index for index, column in enumerate(columns) if column[0] < right and left < column[1]]
            if not shared:
                columns.append((left, right))
            elif len(shared) == 1:
                index = shared[0]
                columns[index] = (min(columns[index][0], left), max(columns[index][1], right))
        columns.sort()
    return columns


def covered_columns(cell: Line, columns: Sequence[Column]) -> tuple[int, int]:
    """The columns that a cell stands over: the first, and the one behind the last."""
    shared = [index for index, column in enumerate(columns) if column[0] < cell.box[2] and cell.box[0] < column[1]]
    if shared:
        return shared[0], shared[-1] + 1
    nearest = min(range(len(columns)), key=lambda index: abs(sum(columns[index]) / 2 - centre(cell)))
    return nearest, nearest + 1


def centre(line: Line) -> float:
    """Half way between the left and the right end of a line."""
    return (line.box[0] + line.box[2]) / 2


def middle(line: Line) -> float:
    """The height at which a line stands."""
    return (line.box[1] + line.box[3]) / 2


def usual_distance(rows: Sequence[Sequence[Line]]) -> float:
    """The usual distance between the middles of two rows, in points."""
    middles = [middle(row[0]) for row in rows]
    return median(other - one for one, other in pairwise(middles)) if len(middles) > 1 else 0.0


def is_rule_between(above: Sequence[Line], below: Sequence[Line], heights: Iterable[float]) -> bool:
    """Whether a rule at one of these heights runs between the lines of two rows."""
    one, other = box_of(above), box_of(below)
    return any((one[1] + one[3]) / 2 < y < (other[1] + other[3]) / 2 for y in heights)


def box_of(row: Sequence[Line]) -> Rect:
    """The box around the cells of a row."""
    return (
        min(cell.box[0] for cell in row), min(cell.box[1] for cell in row),
        max(cell.box[2] for cell in row), max(cell.box[3] for cell in row),
    )  # fmt: skip


def is_headed_in_bold(rows: Sequence[Sequence[Line]]) -> bool:
    """Whether the first row alone is set bold."""
    bold = [all(cell.bold for cell in row) for row in rows]
    return bool(bold) and bold[0] and not any(bold[1:])
