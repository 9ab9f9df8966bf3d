"""Headings that are turned to stand in narrow columns: the words of a table that run up or down above its figures."""

from collections.abc import Sequence
from dataclasses import replace

from app.documents.lines import Line, Piece, is_number

FEWEST = 3  # headings beside each other
LONGEST = 40  # letters
HEIGHT = 1.3  # ems of a row
NEAR = 3.0  # ems between a heading and the figure below it

_Parted = tuple[list[Line], list[Line]]


def with_turned_headings(lines: Sequence[Line], aside: Sequence[Line]) -> _Parted:
    """The upright lines of a page and those in other directions, headings over columns of figures among the upright.

    A heading's words then stand beside each other, in one row at the foot of all headings that stand level with it.
    """
    if len(aside) < FEWEST:
        return list(lines), list(aside)
    figures = [piece for line in lines for piece in line.pieces if is_number(piece.text)]
    heads = [line for line in aside if _is_tall(line) and any(_is_below(figure, line) for figure in figures)]
    upright: list[Line] = []
    others: list[Line] = []
    for line in aside:
        level = [other for other in heads if _are_level(line, other)] if line in heads else []
        if len(level) >= FEWEST:
            upright.append(_upright(line, max(other.box[3] for other in level)))
        else:
            others.append(line)
    return [*lines, *upright], others


def _is_tall(line: Line) -> bool:
    left, top, right, bottom = line.box
    return bottom - top > 1.5 * (right - left) and len(line.text) <= LONGEST and not is_number(line.text)


def _is_below(figure: Piece, head: Line) -> bool:
    left, _, right, bottom = head.box
    near = -1 < figure.box[1] - bottom < NEAR * head.em
    return near and figure.box[0] < right + head.em and figure.box[2] > left - head.em


def _are_level(one: Line, other: Line) -> bool:
    """Whether two headings begin or end at one height; a heading is level with itself."""
    return min(abs(one.box[1] - other.box[1]), abs(one.box[3] - other.box[3])) < 0.5 * one.em


def _upright(line: Line, foot: float) -> Line:
    left, _, right, _ = line.box
    step = (right - left) / len(line.pieces)
    return Line.of(
        replace(piece, box=(left + step * place, foot - HEIGHT * line.em, left + step * (place + 1), foot))
        for place, piece in enumerate(line.pieces)
    )
