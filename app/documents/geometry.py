"""Rectangles as plain tuples: x0, y0, x1, y1 with the origin at the top left."""

from collections.abc import Iterable

Rect = tuple[float, float, float, float]


def union(rects: Iterable[Rect]) -> Rect:
    """The smallest rectangle around all of them; there must be at least one."""
    x0, y0, x1, y1 = zip(*rects, strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def fractions(rect: Rect, width: float, height: float) -> Rect:
    """The rectangle in fractions of a page, clipped to 0..1, its corners in order."""
    x0, y0, x1, y1 = rect
    left, right = sorted((_clip(x0 / width), _clip(x1 / width)))
    top, bottom = sorted((_clip(y0 / height), _clip(y1 / height)))
    return left, top, right, bottom


def turned_left(rect: Rect, turns: int, width: float, height: float) -> Rect:
    """The rectangle after so many quarter turns, against the clock, of the page on which it lies."""
    for _ in range(turns % 4):
        x0, y0, x1, y1 = rect
        rect = (y0, width - x1, y1, width - x0)
        width, height = height, width
    return rect


def contains(rect: Rect, inner: Rect) -> bool:
    """Whether the middle of `inner` lies in `rect`."""
    x, y = (inner[0] + inner[2]) / 2, (inner[1] + inner[3]) / 2
    return rect[0] <= x <= rect[2] and rect[1] <= y <= rect[3]


def area(rect: Rect) -> float:
    """Its area; nothing where its corners are not in order."""
    return max(rect[2] - rect[0], 0.0) * max(rect[3] - rect[1], 0.0)


def overlaps(one: Rect, other: Rect) -> bool:
    """Whether the two share an area."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _clip(fraction: float) -> float:
    return min(max(0.0, fraction), 1.0)  # in this order NaN, of a broken font's glyph, becomes 0
