"""What stands beside the lines of a text: numbers of lines in the margin, initials several lines high, footnotes."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from app.documents.characters import VOWELS
from app.documents.lines import Piece, rows_of, split_at_gaps, usual_em

EDGE = 1.5  # ems within which numbers of lines begin, or end
FEWEST, FEWEST_PRINTED = 5, 20  # numbered lines; those on paper that is sold with numbers
TALL = 1.7  # times the usual type: an initial
NARROW, FEW_LETTERS = 0.45, 0.25  # of the width and the letters of the text beside a side bar
SMALL = 0.93  # times the usual type: a footnote
LINES_ABOVE = 3  # of the text that a footnote belongs to
_NOTE_MARK = re.compile(r"^(?:[*†‡§¶]{1,3}|[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,3}|\(?\d{1,3}[.)]?)(?!\d)")

_QUOTES = "\"'“”„‘’«»¿¡(["
_VOICED = VOWELS | {"y"}
_BEGINNINGS = re.compile(r"[bcfgps]l|[bcdfgkptw]r|[cgprstw]h|[gk]n|ps|s[ckmnpqtw]|[dt]w|ts")  # pairs of consonants


def without_line_numbers(pieces: Sequence[Piece]) -> tuple[list[Piece], list[Piece]]:
    """The words of a page without the numbers of its lines, and those numbers."""
    rows = rows_of(pieces)
    for side in (0, -1):
        counting = [index for index, row in enumerate(rows) if row[side].text.isdecimal() and len(row[side].text) < 4]
        counting = _at_the_edge(counting, rows, side)
        numbers = [rows[index][side] for index in counting]
        if _may_count(numbers, counting, len(rows)) and _are_line_numbers(numbers, rows, side):
            boxes = {piece.box for piece in numbers}
            return [piece for piece in pieces if piece.box not in boxes], numbers
    return list(pieces), []


def _at_the_edge(counting: Sequence[int], rows: Sequence[list[Piece]], side: int) -> list[int]:
    """The rows whose number stands as far out as others do: lines begin with numbers, too."""
    away = {index: rows[index][0].box[0] if side == 0 else -rows[index][-1].box[2] for index in counting}
    return [index for index in counting if away[index] < min(away.values()) + EDGE * rows[index][side].em]


def _may_count(numbers: Sequence[Piece], counting: Sequence[int], rows: int) -> bool:
    """Whether there are enough numbers: most lines have one, or each fifth, or they were on the paper before."""
    fifths = len(numbers) > 1 and all(
        below - above == 5 == int(other.text) - int(one.text)
        for (above, one), (below, other) in pairwise(zip(counting, numbers, strict=True))
    )
    return len(numbers) >= max(FEWEST, 0.6 * rows) or fifths or _are_printed_before(numbers)


def _are_printed_before(numbers: Sequence[Piece]) -> bool:
    """Whether numbers stand on the paper of a pleading, at even distances, whatever lines are written beside them."""
    steps = [below.box[1] - above.box[1] for above, below in pairwise(numbers)]
    return len(numbers) >= FEWEST_PRINTED and max(steps) - min(steps) < 0.2 * median(steps)


def _are_line_numbers(numbers: Sequence[Piece], rows: Sequence[list[Piece]], side: int) -> bool:
    """Whether numbers count the lines of a text: one below the other, each one more, apart from whole lines."""
    steps = [int(below.text) - int(above.text) for above, below in pairwise(numbers)]
    edges = [piece.box[0] for piece in numbers], [piece.box[2] for piece in numbers]
    straight = min(max(edge) - min(edge) for edge in edges) < 0.5 * usual_em(numbers)
    lines = [split_at_gaps(row) for row in rows]
    alone = sum(len(parts) <= 2 for parts in lines) >= 0.8 * len(lines)
    numbered = [parts for row, parts in zip(rows, lines, strict=True) if row[side] in numbers and len(row) > 1]
    apart = all(len(parts) > 1 and len(parts[side].pieces) == 1 for parts in numbered)
    written = [row for row in rows if len(row) > 1 or row[side] not in numbers]
    wide = bool(written) and median(sum(len(piece.text) for piece in row) for row in written) > 20
    return straight and alone and apart and wide and sum(step in (1, 5) for step in steps) >= 0.9 * len(steps)


def with_drop_caps(pieces: Sequence[Piece]) -> list[Piece]:
    """The words with each initial at the head of the line that it begins, in one with the rest of its word."""
    usual = usual_em(pieces)
    changed: dict[int, Piece] = {}
    for index, cap in enumerate(pieces):
        letter = cap.text.lstrip(_QUOTES)
        if not (len(letter) <= 2 and letter.isalpha() and letter.isupper() and cap.em > TALL * usual):
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
        if _is_rest(letter, first.text):
            changed[min(beside)[2]] = replace(first, joined=True)
    return [changed.get(index, piece) for index, piece in enumerate(pieces)]


def _is_rest(cap: str, text: str) -> bool:
    """Whether a word goes on with this. A and I are words themselves: of these only what begins no word does."""
    bare = "".join(char for char in text.lower() if char.isalpha())
    cluster = bare[:2].isascii() and not _VOICED & set(bare[:2]) and not _BEGINNINGS.match(bare)
    return cap not in ("A", "I") or len(bare) <= 2 or cluster or not VOWELS & set(bare)


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
