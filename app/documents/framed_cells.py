"""The words within a grid of rules -> its cells, also where rules were not drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from app.documents.geometry import contains
from app.documents.lines import Line, Piece, in_reading_direction, is_number, rows_of, split_at_gaps
from app.documents.rules import Frame
from app.documents.table_cells import (
    GAP,
    RawCell,
    centre,
    crossed_edges,
    middle,
    runs_across,
    with_labels_joined,
    without_leaders,
)


def framed_cells(frame: Frame, pieces: Sequence[Piece]) -> list[RawCell]:
    """The cells of a ruled grid. A row of the grid that holds several rows of words is taken apart."""
    inside: dict[int, list[Piece]] = {}
    boxes = [frame.area_box(area) for area in frame.areas]
    for piece in pieces:
        for index, box in enumerate(boxes):
            if contains(box, piece.box):
                inside.setdefault(index, []).append(piece)
                break
    cells = _lines_across(frame, inside)
    for index, area in enumerate(frame.areas):
        rows = with_labels_joined(rows_of(without_leaders(inside.get(index, ()))))
        lines = tuple(in_reading_direction(Line.of(row)) for row in rows)
        cells.append(RawCell(across=area.columns, down=area.rows, lines=lines))
    return _packed(_taken_apart(_with_own_columns(_with_own_rows(cells, frame), frame)))


def _lines_across(frame: Frame, inside: dict[int, list[Piece]]) -> list[RawCell]:
    """A cell over all columns for each row of the grid whose words run across most of its edges: its title or address.

    Its words are taken out of the cells that they stand in.
    """
    found: list[RawCell] = []
    for row in range(len(frame.ys) - 1):
        there = [index for index in inside if frame.areas[index].rows == (row, row + 1)]
        words = [piece for index in there for piece in inside[index]]
        edges = sorted({frame.xs[frame.areas[index].columns[1]] for index in there})[:-1]
        if runs_across(words, edges):
            lines = tuple(in_reading_direction(Line.of(line)) for line in rows_of(words))
            found.append(RawCell(across=(0, len(frame.xs) - 1), down=(row, row + 1), lines=lines))
            for index in there:
                del inside[index]
    return found


def _with_own_rows(cells: list[RawCell], frame: Frame) -> list[RawCell]:
    """Cells over several rows of the grid taken apart where they have lines for each: a rule was not drawn there."""
    result: list[RawCell] = []
    for cell in cells:
        rows = {
            row: [line for line in cell.lines if frame.ys[row] <= middle(line) < frame.ys[row + 1]]
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
        if len(cell.lines) != 1 or len(edges) < 2 or crossed_edges(pieces, edges):
            result += _headings_apart(cell, frame)
            continue
        parts = {
            column: [p for p in pieces if frame.xs[column] <= (p.box[0] + p.box[2]) / 2 < frame.xs[column + 1]]
            for column in range(*cell.across)
        }
        filled = {column: Line.of(there) for column, there in parts.items() if there}
        figures = sum(is_number(line.text) for line in filled.values())
        if len(filled) < 0.6 * len(parts) or 2 * figures < len(filled):
            result += _headings_apart(cell, frame)
            continue
        result += [replace(cell, across=(column, column + 1), lines=(line,)) for column, line in filled.items()]
    return result


def _headings_apart(cell: RawCell, frame: Frame) -> list[RawCell]:
    """A cell over several columns as one for each of its lines that stand far apart: each over the columns below it."""
    if len(cell.lines) != 1 or cell.across[1] - cell.across[0] < 2:
        return [cell]
    lines = split_at_gaps(cell.lines[0].pieces, gap=GAP)
    edges = frame.xs[cell.across[0] : cell.across[1] + 1]
    spans = [_span(line, lines, edges) for line in lines]
    apart = all(one[1] <= other[0] for one, other in pairwise(spans))
    if len(lines) < 2 or not apart or any(first == behind for first, behind in spans):
        return [cell]
    start = cell.across[0]
    return [
        replace(cell, across=(start + first, start + behind), lines=(line,))
        for line, (first, behind) in zip(lines, spans, strict=True)
    ]


def _span(line: Line, lines: Sequence[Line], edges: Sequence[float]) -> tuple[int, int]:
    """The columns between edges that are nearest to a line of these, as far as it stands in their middle."""
    nearest = [min(lines, key=lambda one: abs(centre(one) - (a + b) / 2)) for a, b in pairwise(edges)]
    under = [column for column, one in enumerate(nearest) if one is line]
    while len(under) > 1:
        off = [abs(edges[some[0]] + edges[some[-1] + 1] - 2 * centre(line)) for some in (under, under[1:], under[:-1])]
        if off[0] <= min(off[1:]) or off[0] < 2 * line.em:
            break
        under = under[1:] if off[1] < off[2] else under[:-1]
    return (under[0], under[-1] + 1) if under else (0, 0)


def _is_wrapped(cell: RawCell, rows: Mapping[int, Sequence[Line]], frame: Frame) -> bool:
    """Whether lines are one text over several rows: closer together than these, or going on in small letters."""
    if any(is_number(line.text) for line in cell.lines):
        return False
    if all(line.text[:1].islower() for line in cell.lines[1:]):
        return True
    first, last = min(rows), max(rows)
    lines = middle(cell.lines[-1]) - middle(cell.lines[0])
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
    """The lines of a cell as cells of one row each; a cell that reaches further down keeps what is left.

    A short text in the middle of the cell says something of all these rows.
    """
    if _is_of_all(cell, levels):
        return [replace(cell, down=(cell.down[0], cell.down[1] + len(levels) - 1))]
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


def _is_of_all(cell: RawCell, levels: Sequence[float]) -> bool:
    """Whether a cell holds few words in the middle of the height of several rows, and no figure of one of these."""
    if not cell.lines or 2 * len(cell.lines) > len(levels) or any(is_number(line.text) for line in cell.lines):
        return False
    off = (middle(cell.lines[0]) + middle(cell.lines[-1])) / 2 - (levels[0] + levels[-1]) / 2
    return abs(off) < 0.4 * cell.lines[0].height


def _levels(cells: Sequence[RawCell]) -> list[float]:
    """The heights of the lines of a row's cells, if these lines are rows of their own: they stand side by side."""
    filled = [cell for cell in cells if cell.lines]
    most = max(filled, key=lambda cell: len(cell.lines), default=None)
    if most is None or len(most.lines) < 2:
        return []
    figures = [cell for cell in filled if 2 * sum(is_number(line.text) for line in cell.lines) > len(cell.lines) > 1]
    several = sum(len(cell.lines) > 1 for cell in filled)
    if not figures or several < 0.6 * len(filled) or several < 2:
        return []
    levels = [middle(line) for line in most.lines]
    near = [abs(middle(line) - _nearest(line, levels)) < 0.5 * line.height for cell in filled for line in cell.lines]
    return levels if sum(near) >= 0.9 * len(near) else []


def _nearest(line: Line, levels: Sequence[float]) -> float:
    return min(levels, key=lambda level: abs(level - middle(line)))


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
