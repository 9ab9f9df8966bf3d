"""Ruled lines and boxes to tick among the drawings of a page that MuPDF opened."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pymupdf

from app.documents.geometry import Rect, contains, turned_left, union
from app.documents.rules import Rules, edges_of, ruled_lines, shaded_areas
from app.documents.tick_boxes import LARGEST, Square, is_square

THIN = 3.0  # points: a filled shape no thicker than this is a rule
STRAIGHT = 0.1  # points: the ends of a line along an edge of a rectangle lie no further apart across it
MOST_PATHS = 4_000  # a page with more is a map or a plan, and taking it apart would take seconds
MOST_RULES = 2_000
MOST_SQUARES = 300  # a page with more has cells of a drawing
WHITE = 0.98  # of each part of a colour
SHORTEST = 2.0  # points of a stroke of a tick


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What drawings say of a page's text: rules between its parts, and boxes to tick."""

    rules: Rules = field(default_factory=Rules)
    squares: tuple[Square, ...] = ()


def read_drawings(page: pymupdf.Page, turns: int) -> Drawn:
    """Rules and squares, in points of the page after so many quarter turns against the clock."""
    paths = sum(kind.endswith("-path") for kind, _ in page.get_bboxlog())
    if not 0 < paths <= MOST_PATHS:
        return Drawn()
    turn = page.rotation_matrix if page.parent.is_pdf else pymupdf.Identity
    width, height = page.rect.width, page.rect.height

    def placed(box: Rect) -> Rect:
        upright = pymupdf.Rect(box) * turn
        return turned_left((upright.x0, upright.y0, upright.x1, upright.y1), turns, width, height)

    drawn: list[Rect] = []
    shaded: dict[tuple[float, ...], list[Rect]] = {}  # by their colour
    squares: list[Rect] = []
    strokes: list[Rect] = []
    for drawing in page.get_cdrawings():
        for box, is_shade in _boxes(drawing):
            (shaded.setdefault(drawing["fill"], []) if is_shade else drawn).append(placed(box))
        squares += map(placed, _squares(drawing))
        strokes += map(placed, _strokes(drawing))
    areas = [area for boxes in shaded.values() for area in shaded_areas(boxes)]
    return Drawn(
        rules=ruled_lines(drawn, areas) if len(drawn) + 4 * len(areas) <= MOST_RULES else Rules(),
        squares=tuple(
            Square(box=box, is_marked=any(contains(box, stroke) for stroke in strokes))
            for box in dict.fromkeys(squares)
        )
        if len(squares) <= MOST_SQUARES
        else (),
    )


def _squares(drawing: dict[str, Any]) -> Iterator[Rect]:
    """The small outlines of a drawing that could be boxes to tick: not filled, or filled white."""
    if drawing["type"] in ("s", "fs") and min(drawing.get("fill") or (1.0,)) > WHITE:
        yield from (box for item in drawing["items"] if item[0] in ("re", "qu") and is_square(box := _corners(item)))


def _strokes(drawing: dict[str, Any]) -> Iterator[Rect]:
    """The slanting lines and the curves of a drawing that are small enough for a tick or a cross."""
    for item in drawing["items"]:
        if item[0] in ("l", "c"):
            xs, ys = zip(*item[1:], strict=True)
            box = min(xs), min(ys), max(xs), max(ys)
            if SHORTEST < box[2] - box[0] <= LARGEST and SHORTEST < box[3] - box[1] <= LARGEST:
                yield box


def _boxes(drawing: dict[str, Any]) -> Iterator[tuple[Rect, bool]]:
    """The thin boxes of a drawing, and the boxes that it shades: True."""
    stroked = drawing["type"] in ("s", "fs")
    white = min(drawing.get("fill") or (0.0,)) > WHITE
    for item in drawing["items"]:
        if item[0] == "l" and stroked:
            (x0, y0), (x1, y1) = item[1], item[2]
            if abs(x1 - x0) < 1 or abs(y1 - y0) < 1:
                yield (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)), False
        elif item[0] in ("re", "qu"):
            x0, y0, x1, y1 = _corners(item)
            if min(x1 - x0, y1 - y0) <= THIN:
                if not white:
                    yield (x0, y0, x1, y1), False
            elif stroked:
                yield from ((edge, False) for edge in edges_of((x0, y0, x1, y1)))
            elif not white:
                yield (x0, y0, x1, y1), True
    if not stroked and not white:
        yield from ((box, False) for box in _thin_outlines(drawing["items"]))


def _thin_outlines(items: Sequence[Any]) -> Iterator[Rect]:
    """The boxes of rules that are filled outlines of lines; the last line of an outline may be left out."""
    outline: list[Any] = []
    for item in [*items, None]:
        if outline and (item is None or item[0] != "l" or item[1] != outline[-1][2]):
            box = union((*start, *end) for _, start, end in outline)
            upright = all(abs(x1 - x0) < STRAIGHT or abs(y1 - y0) < STRAIGHT for _, (x0, y0), (x1, y1) in outline)
            if len(outline) in (3, 4) and upright and min(box[2] - box[0], box[3] - box[1]) <= THIN:
                yield box
            outline = []
        if item is not None and item[0] == "l":
            outline.append(item)


def _corners(item: Any) -> Rect:
    if item[0] == "re":
        x0, y0, x1, y1 = item[1][:4]
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)
    xs, ys = zip(*item[1], strict=True)
    return min(xs), min(ys), max(xs), max(ys)
