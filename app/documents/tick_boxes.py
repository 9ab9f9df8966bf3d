"""Boxes to tick that are drawn on a page: small squares beside words, empty or with a mark in them.

A form field says its state by itself (`annotations.py`), and some fonts have letters that look like boxes. What is
drawn with strokes has no text at all, so a reader of the text would not know which of the choices was made.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.documents.geometry import Rect, contains
from app.documents.lines import Line, Piece

TICKED, UNTICKED = "☑", "☐"
SMALLEST, LARGEST = 5.0, 16.0  # points of a side
NEAR = 24.0  # points from a box to the words that it belongs to
TOUCH = 1.0  # points: boxes nearer to each other are cells, or places for single letters
MARKS = frozenset("XxVv×✓✔✕✖✗✘•●■")


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """A small square on a page; is_marked: strokes run across it."""

    box: Rect
    is_marked: bool = False


def is_square(box: Rect) -> bool:
    """Whether a box could be one to tick, by its size."""
    width, height = box[2] - box[0], box[3] - box[1]
    return min(width, height) >= SMALLEST and max(width, height) <= LARGEST and abs(width - height) < 0.25 * width


def with_tick_boxes(lines: list[Line], squares: Sequence[Square]) -> list[Line]:
    """The lines with a letter for each box to tick, in place of a mark that is set in it."""
    alone = [square for square in squares if not any(_touch(square.box, other.box) for other in squares)]
    pieces = [piece for line in lines for piece in line.pieces] if alone else []
    added: list[Line] = []
    replaced: set[Rect] = set()
    for square in alone:
        inside = [piece for piece in pieces if contains(square.box, piece.box)]
        is_marked = square.is_marked or bool(inside)
        if all(piece.text in MARKS for piece in inside) and _has_words_beside(square.box, pieces, inside):
            replaced |= {piece.box for piece in inside}
            added.append(Line.of([Piece(text=TICKED if is_marked else UNTICKED, box=square.box)]))
    if not replaced:
        return [*lines, *added]
    kept = [[piece for piece in line.pieces if piece.box not in replaced] for line in lines]
    return [*(Line.of(there) for there in kept if there), *added]


def _touch(one: Rect, other: Rect) -> bool:
    apart = (
        one[2] + TOUCH < other[0] or other[2] + TOUCH < one[0] or one[3] + TOUCH < other[1] or other[3] + TOUCH < one[1]
    )
    return one != other and not apart


def _has_words_beside(box: Rect, pieces: Sequence[Piece], inside: Sequence[Piece]) -> bool:
    """Whether a word with letters stands right or left of a box, on its line."""
    middle = (box[1] + box[3]) / 2
    return any(
        piece.box[1] < middle < piece.box[3]
        and (0 <= piece.box[0] - box[2] < NEAR or 0 <= box[0] - piece.box[2] < NEAR)
        and any(char.isalpha() for char in piece.text)
        for piece in pieces
        if piece not in inside
    )
