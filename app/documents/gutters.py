"""White strips that run down between words: the gutters between columns, or between the cells of a table."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.documents.geometry import Rect
from app.documents.lines import Piece, usual_em

NARROWEST = 0.55  # ems: wider than a space, also in justified text
FEW = 2  # rows that there must be on both sides
MOST_OPEN = 40  # strips that are followed at the same time
MOST_FOUND = 80  # strips that are looked at, the tallest of all


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """An empty strip, with words on both sides. Numbers of rows count those with words on its left and right."""

    left: float
    right: float
    top: float
    bottom: float
    rows: int
    rows_left: int
    rows_right: int

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2

    @property
    def width(self) -> float:
        return self.right - self.left


Gap = tuple[float, float]


def find_strips(rows: Sequence[Sequence[Piece]], blocks: Sequence[Rect] = ()) -> list[Strip]:
    """Every strip that no word of these rows and no block crosses, those with most rows first."""
    em = usual_em([piece for row in rows for piece in row])
    spans = _spans(rows, blocks, em)
    found: list[Strip] = []
    open_strips: list[Strip] = []
    for (top, bottom), chunks in spans:
        gaps = _gaps(chunks, NARROWEST * em)
        followed: list[Strip] = []
        for strip in open_strips:
            narrowed = [cut for gap in gaps if (cut := _narrowed(strip, gap, NARROWEST * em)) is not None]
            if not any(cut.width > 0.98 * strip.width for cut in narrowed):
                found.append(strip)
            followed += [_followed(cut, chunks, bottom) for cut in narrowed]
        known = {(strip.left, strip.right) for strip in followed}
        for left, right in gaps[1:-1]:
            if (left, right) not in known:
                followed.append(
                    Strip(left=left, right=right, top=top, bottom=bottom, rows=1, rows_left=1, rows_right=1)
                )
        open_strips = _distinct(followed)
    found += open_strips
    found = [strip for strip in found if min(strip.rows_left, strip.rows_right) >= FEW]
    tallest = sorted(set(found), key=_height, reverse=True)[:MOST_FOUND]
    return sorted({_upward(strip, spans) for strip in tallest}, key=_height, reverse=True)


def _height(strip: Strip) -> tuple[int, float]:
    return strip.rows, strip.width


Span = tuple[tuple[float, float], list[Gap]]


def _spans(rows: Sequence[Sequence[Piece]], blocks: Sequence[Rect], em: float) -> list[Span]:
    """For each row what stands at its height, this row's words and others': stretches of words, left to right."""
    boxes = sorted([piece.box for row in rows for piece in row] + list(blocks), key=lambda box: box[1])
    heights = sorted(
        {(min(p.box[1] for p in row), max(p.box[3] for p in row)) for row in rows} | {(b[1], b[3]) for b in blocks},
        key=lambda height: height[0] + height[1],
    )
    spans: list[Span] = []
    there: list[Rect] = []
    following = 0
    for top, bottom in heights:
        middle = (top + bottom) / 2
        while following < len(boxes) and boxes[following][1] <= middle:
            there.append(boxes[following])
            following += 1
        there = [box for box in there if box[3] >= middle]
        spans.append(((top, bottom), _joined(sorted((box[0], box[2]) for box in there), 0.45 * em)))
    return spans


def _joined(stretches: Sequence[Gap], near: float) -> list[Gap]:
    joined: list[Gap] = []
    for left, right in stretches:
        if joined and left - joined[-1][1] < near:
            joined[-1] = (joined[-1][0], max(joined[-1][1], right))
        else:
            joined.append((left, right))
    return joined


def _gaps(chunks: Sequence[Gap], narrowest: float) -> list[Gap]:
    """The white space left of the first chunk, between chunks, and right of the last one."""
    edges = [float("-inf"), *(edge for chunk in chunks for edge in chunk), float("inf")]
    pairs = list(zip(edges[::2], edges[1::2], strict=True))
    return [pair for index, pair in enumerate(pairs) if index in (0, len(pairs) - 1) or pair[1] - pair[0] >= narrowest]


def _narrowed(strip: Strip, gap: Gap, narrowest: float) -> Strip | None:
    left, right = max(strip.left, gap[0]), min(strip.right, gap[1])
    if right - left < narrowest:
        return None
    return strip if (left, right) == (strip.left, strip.right) else replace(strip, left=left, right=right)


def _followed(strip: Strip, chunks: Sequence[Gap], bottom: float) -> Strip:
    return Strip(
        left=strip.left, right=strip.right, top=strip.top, bottom=max(bottom, strip.bottom), rows=strip.rows + 1,
        rows_left=strip.rows_left + any(right <= strip.left + 0.1 for _, right in chunks),
        rows_right=strip.rows_right + any(left >= strip.right - 0.1 for left, _ in chunks),
    )  # fmt: skip


def _distinct(strips: Sequence[Strip]) -> list[Strip]:
    """Of strips of the same place the one that began first."""
    first: dict[Gap, Strip] = {}
    for strip in strips:
        key = (round(strip.left, 1), round(strip.right, 1))
        if key not in first or strip.rows > first[key].rows:
            first[key] = strip
    return sorted(first.values(), key=lambda strip: strip.rows, reverse=True)[:MOST_OPEN]


def _upward(strip: Strip, spans: Sequence[Span]) -> Strip:
    """The strip from as far up as nothing crosses it."""
    for (top, _), chunks in reversed(spans[: bisect_left(spans, strip.top, key=lambda span: span[0][0])]):
        if any(left < strip.right and right > strip.left for left, right in chunks):
            break
        strip = replace(
            strip, top=min(top, strip.top), rows=strip.rows + 1,
            rows_left=strip.rows_left + any(right <= strip.left for _, right in chunks),
            rows_right=strip.rows_right + any(left >= strip.right for left, _ in chunks),
        )  # fmt: skip
    return strip
