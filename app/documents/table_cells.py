"""The words of a table -> its cells: by the rules around them, or by what stands below and beside what."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median

from app.documents.geometry import Rect, contains
from app.documents.gutters import find_strips
from app.documents.lines import Line, Piece, in_reading_direction, is_number, rows_of, split_at_gaps
from app.documents.rules import Frame

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


def framed_cells(frame: Frame, pieces: Sequence[Piece]) -> list[RawCell]:
    """The cells of a ruled grid. A row of the grid that holds several rows of words is taken apart."""
    inside: dict[int, list[Piece]] = {}
    boxes = [frame.area_box(area) for area in frame.areas]
    for piece in pieces:
        for index, box in enumerate(boxes):
            if contains(box, piece.box):
                inside.setdefault(index, []).append(piece)
                break
    cells = []
    for index, area in enumerate(frame.areas):
        lines = tuple(in_reading_direction(Line.of(row)) for row in with_labels_joined(rows_of(_without_leaders(inside.get(index, ())))))
        cells.append(RawCell(across=area.columns, down=area.rows, lines=lines))
    return _packed(_taken_apart(_with_own_columns(_with_own_rows(cells, frame), frame)))


def _with_own_rows(cells: list[RawCell], frame: Frame) -> list[RawCell]:
    """Cells over several rows of the grid taken apart where they have lines for each: a rule was not drawn there."""
    result: list[RawCell] = []
    for cell in cells:
        rows = {
            row: [line for line in cell.lines if frame.ys[row] <= _at(line) < frame.ys[row + 1]]
            for row in range(*cell.down)
        }
        filled = {row: lines for row, lines in rows.items() if lines}
        width = frame.xs[cell.across[1]] - frame.xs[cell.across[0]]
        if len(filled) < 2 or _is_wrapped(cell, filled, frame) or not _are_rows(list(filled.values()), width):
            result.append(cell)
            continue
        result += [
            RawCell(across=cell.across, down=(row, row + 1), lines=tuple(lines)) for row, lines in filled.items()
        ]
    return result


def _with_own_columns(cells: list[RawCell], frame: Frame) -> list[RawCell]:
    """Cells over several columns taken apart where figures stand in most of these: only every other row is shaded."""
    result: list[RawCell] = []
    for cell in cells:
        edges = frame.xs[cell.across[0] + 1 : cell.across[1]]
        pieces = [piece for line in cell.lines for piece in line.pieces]
        crossed = any(piece.box[0] < x - 2 and piece.box[2] > x + 2 for piece in pieces for x in edges)
        if len(cell.lines) != 1 or len(edges) < 2 or crossed:
            result.append(cell)
            continue
        parts = {
            column: [p for p in pieces if frame.xs[column] <= (p.box[0] + p.box[2]) / 2 < frame.xs[column + 1]]
            for column in range(*cell.across)
        }
        filled = {column: Line.of(there) for column, there in parts.items() if there}
        figures = sum(is_number(line.text) for line in filled.values())
        if len(filled) < 0.6 * len(parts) or 2 * figures < len(filled):
            result.append(cell)
            continue
        result += [replace(cell, across=(column, column + 1), lines=(line,)) for column, line in filled.items()]
    return result


def _is_wrapped(cell: RawCell, rows: Mapping[int, Sequence[Line]], frame: Frame) -> bool:
    """Whether lines stand closer together than the rows beside them: one text in the middle of several rows."""
    if any(is_number(line.text) for line in cell.lines):
        return False
    first, last = min(rows), max(rows)
    lines = _at(cell.lines[-1]) - _at(cell.lines[0])
    middles = [(frame.ys[row] + frame.ys[row + 1]) / 2 for row in (first, last)]
    return lines < 0.8 * (middles[1] - middles[0])


def _are_rows(rows: Sequence[Sequence[Line]], width: float) -> bool:
    """Whether lines are cells of their own and no sentence that goes on: figures, or one short line in each row."""
    lines = [line for row in rows for line in row]
    if 2 * sum(is_number(line.text) for line in lines) >= len(lines):
        return True
    short = sum(line.box[2] - line.box[0] < 0.6 * width for line in lines)
    return len(lines) == len(rows) and 2 * short >= len(lines)


def _taken_apart(cells: list[RawCell]) -> list[RawCell]:
    """Cells with rows of words of their own, where each column of a grid's row has the same ones."""
    result: list[RawCell] = []
    shift = 0
    for row in sorted({cell.down[0] for cell in cells}):
        there = [
            replace(cell, down=(cell.down[0] + shift, cell.down[1] + shift)) for cell in cells if cell.down[0] == row
        ]
        levels = _levels([cell for cell in there if cell.down[1] == row + shift + 1])
        if len(levels) < 2:
            result += there
            continue
        for cell in there:
            result += _apart(cell, levels)
        shift += len(levels) - 1
    return result


def _apart(cell: RawCell, levels: Sequence[float]) -> list[RawCell]:
    """The lines of a cell as cells of one row each; a cell that reaches further down keeps what is left."""
    rows: list[list[Line]] = [[] for _ in levels]
    for line in cell.lines:
        rows[levels.index(_nearest(line, levels))].append(line)
    last = len(levels) - 1
    return [
        RawCell(
            across=cell.across,
            down=(cell.down[0] + number, cell.down[0] + number + 1 if number < last else cell.down[1] + last),
            lines=tuple(lines),
        )
        for number, lines in enumerate(rows)
    ]


def _levels(cells: Sequence[RawCell]) -> list[float]:
    """The heights of the lines of a row's cells, if these lines are rows of their own: they stand side by side."""
    filled = [cell for cell in cells if cell.lines]
    most = max(filled, key=lambda cell: len(cell.lines), default=None)
    if most is None or len(most.lines) < 2:
        return []
    figures = [cell for cell in filled if 2 * sum(is_number(line.text) for line in cell.lines) >= len(cell.lines) > 1]
    several = sum(len(cell.lines) > 1 for cell in filled)
    if not figures or several < 0.6 * len(filled) or several < 2:
        return []
    levels = [_at(line) for line in most.lines]
    near = [abs(_at(line) - _nearest(line, levels)) < 0.5 * line.height for cell in filled for line in cell.lines]
    return levels if sum(near) >= 0.9 * len(near) else []


def _at(line: Line) -> float:
    return (line.box[1] + line.box[3]) / 2


def _nearest(line: Line, levels: Sequence[float]) -> float:
    return min(levels, key=lambda level: abs(level - _at(line)))


def _packed(cells: list[RawCell]) -> list[RawCell]:
    """The cells without rows and columns that hold no word."""
    filled = [cell for cell in cells if cell.lines]
    columns = _kept({place for cell in filled for place in cell.across}, filled, "across")
    rows = _kept({place for cell in filled for place in cell.down}, filled, "down")
    return [
        replace(
            cell,
            across=(columns[cell.across[0]], columns[cell.across[1]]),
            down=(rows[cell.down[0]], rows[cell.down[1]]),
        )
        for cell in filled
    ]  # fmt: skip


def _kept(edges: set[int], cells: Sequence[RawCell], axis: str) -> dict[int, int]:
    """New numbers for the edges of cells; those between which no cell begins and ends fall together."""
    numbers: dict[int, int] = {}
    starts = {getattr(cell, axis)[0] for cell in cells}
    count = -1
    for edge in sorted(edges):
        count += edge in starts
        numbers[edge] = count if edge in starts else count + 1
    return numbers


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
    bare = [bare for row in rows if (bare := _without_leaders(row))]
    strips = [strip for strip in find_strips(bare) if strip.rows >= max(3, 0.6 * len(bare))]
    cuts = [*edges, *(strip.middle for strip in strips)]
    return [
        _with_signs([
            part for line in split_at_gaps(row, () if _is_sentence(row) else cuts, gap=GAP) for part in _figures_apart(line)
        ])
        for row in bare
    ]


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


def _without_leaders(row: Sequence[Piece]) -> list[Piece]:
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
    middle = (cell.box[0] + cell.box[2]) / 2
    nearest = min(range(len(columns)), key=lambda index: abs(sum(columns[index]) / 2 - middle))
    return nearest, nearest + 1


def usual_distance(rows: Sequence[Sequence[Line]]) -> float:
    """The usual distance between the middles of two rows, in points."""
    middles = [_at(row[0]) for row in rows]
    return median(other - one for one, other in pairwise(middles)) if len(middles) > 1 else 0.0


def box_of(row: Sequence[Line]) -> Rect:
    """The box around the cells of a row."""
    return (
        min(cell.box[0] for cell in row), min(cell.box[1] for cell in row),
        max(cell.box[2] for cell in row), max(cell.box[3] for cell in row),
    )  # fmt: skip
