"""What stands beside the lines of a text: numbers of lines in the margin, initials several lines high, footnotes."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from app.documents.characters import VOWELS
from app.documents.lines import Piece, rows_of, split_at_gaps, usual_em

FEWEST = 5  # numbered lines
TALL = 1.7  # times the usual type: an initial
NARROW, FEW_LETTERS = 0.45, 0.25  # of the width and the letters of the text beside a side bar
SMALL = 0.93  # times the usual type: a footnote
LINES_ABOVE = 3  # of the text that a footnote belongs to
_NOTE_MARK = re.compile(r"^(?:[*†‡§¶]{1,3}|[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,3}|\(?\d{1,3}[.)]?)(?!\d)")


def without_line_numbers(pieces: Sequence[Piece]) -> tuple[list[Piece], list[Piece]]:
    """The words of a page without the numbers of its lines, and those numbers."""
    rows = rows_of(pieces)
    for side in (0, -1):
        numbers = [row[side] for row in rows if row[side].text.isdecimal() and len(row[side].text) < 4]
        if len(numbers) >= max(FEWEST, 0.6 * len(rows)) and _are_line_numbers(numbers, rows, side):
            boxes = {piece.box for piece in numbers}
            return [piece for piece in pieces if piece.box not in boxes], numbers
    return list(pieces), []


def _are_line_numbers(numbers: Sequence[Piece], rows: Sequence[list[Piece]], side: int) -> bool:
    """Whether numbers count the lines of a text: one below the other, each one more, apart from whole lines."""
    steps = [int(below.text) - int(above.text) for above, below in pairwise(numbers)]
    edges = [piece.box[0] for piece in numbers], [piece.box[2] for piece in numbers]
    straight = min(max(edge) - min(edge) for edge in edges) < 0.5 * usual_em(numbers)
    lines = [split_at_gaps(row) for row in rows]
    alone = sum(len(parts) <= 2 for parts in lines) >= 0.8 * len(lines)
    numbered = [parts for row, parts in zip(rows, lines, strict=True) if row[side] in numbers and len(row) > 1]
    apart = all(len(parts) > 1 and len(parts[side].pieces) == 1 for parts in numbered)
    wide = median(sum(len(piece.text) for piece in row) for row in rows) > 20
    return straight and alone and apart and wide and sum(step in (1, 5) for step in steps) >= 0.9 * len(steps)


def with_drop_caps(pieces: Sequence[Piece]) -> list[Piece]:
    """The words with each initial at the head of the line that it begins, in one with the rest of its word."""
    usual = usual_em(pieces)
    changed: dict[int, Piece] = {}
    for index, cap in enumerate(pieces):
        if not (len(cap.text) <= 2 and cap.text.isalpha() and cap.text.isupper() and cap.em > TALL * usual):
            continue
        beside = [
            (other.box[1], other.box[0], place)
            for place, other in enumerate(pieces)
            if place != index
            and other.em < 0.7 * cap.em
            and cap.box[1] - usual < other.box[1] < cap.box[3]
            and -0.2 * usual < other.box[0] - cap.box[2] < 1.5 * usual
        ]
        if len(beside) < 2:
            continue
        first = pieces[min(beside)[2]]
        changed[index] = replace(cap, box=(cap.box[0], first.box[1], cap.box[2], first.box[3]), size=first.size)
        if _is_rest(cap.text, first.text):
            changed[min(beside)[2]] = replace(first, joined=True)
    return [changed.get(index, piece) for index, piece in enumerate(pieces)]


def _is_rest(cap: str, text: str) -> bool:
    """Whether a word goes on with this. A, I and O are words themselves: of these only what is no word does."""
    bare = [char for char in text.lower() if char.isalpha()]
    return cap not in ("A", "I", "O") or len(bare) <= 2 or not VOWELS & set(bare)


def is_side_bar(left: Sequence[Piece], right: Sequence[Piece]) -> bool:
    """Whether the words on the left stand in a margin: a narrow column of few words, in type that is not larger."""
    if not left or not right:
        return False
    narrow = _width(left) < NARROW * _width(right)
    few = sum(len(piece.text) for piece in left) < FEW_LETTERS * sum(len(piece.text) for piece in right)
    return narrow and few and usual_em(left) <= 1.02 * usual_em(right) and len(rows_of(left)) >= LINES_ABOVE


def _width(pieces: Sequence[Piece]) -> float:
    return max(piece.box[2] for piece in pieces) - min(piece.box[0] for piece in pieces)


def footnotes(pieces: Sequence[Piece]) -> list[Piece]:
    """The words of the footnotes of a column: smaller type at its foot, from a mark of a note on."""
    rows = rows_of(pieces)
    usual = usual_em(pieces)
    start = len(rows)
    while start and max(piece.em for piece in rows[start - 1]) < SMALL * usual:
        start -= 1
    first = next((index for index in range(start, len(rows)) if _NOTE_MARK.match(rows[index][0].text)), len(rows))
    if first == len(rows) or first < LINES_ABOVE or len(rows[first]) < 2:
        return []
    return [piece for row in rows[first:] for piece in row]
