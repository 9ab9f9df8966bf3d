"""Blocks of rows -> the text of a page and its words."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Literal

from app.documents.geometry import Rect, fractions, turned_left, union
from app.documents.layout import Line, Piece, Row
from model.types import Page, Word

COLUMN_GAP = "   "  # between the cells of a row


def compose(
    blocks: Sequence[Sequence[Row]],
    *,
    number: int,
    width: float,
    height: float,
    source: Literal["text", "ocr"] = "text",
    unread_boxes: int = 0,
    turns: int = 0,
) -> Page:
    """A page from its blocks; an empty line stands between paragraphs.

    Width and height are those of the page, in points. The blocks were read after that many quarter turns of it against
    the clock; their boxes are in points of the turned page.
    """
    across, down = (height, width) if turns % 2 else (width, height)
    parts: list[str] = []
    words: list[Word] = []
    position = 0
    for gap, piece in _spaced(blocks):
        start = position + len(gap)
        position = start + len(piece.text)
        parts += gap, piece.text
        box = turned_left(fractions(piece.box, across, down), -turns, 1.0, 1.0)
        words.append(Word(start=start, end=position, box=box, hidden=piece.hidden))
    return Page(
        number=number,
        text="".join(parts),
        words=tuple(words),
        width=width,
        height=height,
        source=source,
        unread_boxes=unread_boxes,
    )


def _spaced(blocks: Sequence[Sequence[Row]]) -> list[tuple[str, Piece]]:
    """Each piece with the white space before it."""
    spaced: list[tuple[str, Piece]] = []
    above: Rect | None = None
    for block in blocks:
        boxes = [union(line.box for line in row) for row in block]
        distances = [_distance(one, other) for one, other in pairwise(boxes)]
        usual = median(distances) if len(distances) > 1 else 0.0
        for index, (row, box) in enumerate(zip(block, boxes, strict=True)):
            gap = "" if above is None else "\n" if index and not _is_apart(above, box, usual) else "\n\n"
            spaced += _row(row, gap)
            above = box
    return spaced


def _row(row: Row, gap: str) -> list[tuple[str, Piece]]:
    spaced: list[tuple[str, Piece]] = []
    for line in row:
        spaced += _line(line, gap)
        gap = COLUMN_GAP
    return spaced


def _line(line: Line, gap: str) -> list[tuple[str, Piece]]:
    first, *others = line.pieces
    return [(gap, first), *(("" if piece.joined else " ", piece) for piece in others)]


def _distance(above: Rect, box: Rect) -> float:
    return box[1] - above[3]


def _is_apart(above: Rect, box: Rect, usual: float) -> bool:
    """Whether the white space between two rows is that of a new paragraph, and not the usual one of the block."""
    height = min(above[3] - above[1], box[3] - box[1])
    return _distance(above, box) > max(usual, 0.0) + 0.4 * height
