"""Words on a page, and the lines that they stand in. Text layers and OCR share these."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from app.documents.geometry import Rect, union

Row = list["Line"]  # lines that share a baseline, in reading direction

MARKER = re.compile(r"^([^\w\s$€£¥%&(\-–—+*.,]|[-–—*]|\(?\d{1,2}[.)]|\(?[a-zA-Z][.)]|\([ivx]+\)|[ivx]+\.|o)$")
_RAISED = re.compile(r"^[⁰¹²³⁴-⁹⁺⁻*†‡§,]+$")
_THOUSANDS = re.compile(r"[($€£¥]*['’]?000(?:,000)?(?:['’]?s|['’])?\)?$", re.I)  # the unit of a column, as $000's
MARKER_GAP = 4.0  # ems between the bullet of an item and its text, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A word on a page. `joined` tells that no space stands before it; `size` is that of its type, 0 if not known."""

    text: str
    box: Rect
    joined: bool = False
    hidden: bool = False
    size: float = 0.0
    bold: bool = False

    @property
    def em(self) -> float:
        """The size of the type in points; the height of the box where it is not known."""
        return self.size or 0.8 * (self.box[3] - self.box[1])


@dataclass(frozen=True, slots=True)
class Line:
    """Words that stand close together on one baseline."""

    pieces: tuple[Piece, ...]
    box: Rect

    @classmethod
    def of(cls, pieces: Iterable[Piece]) -> "Line":
        pieces = tuple(pieces)
        return cls(pieces, union(piece.box for piece in pieces))

    @property
    def height(self) -> float:
        return self.box[3] - self.box[1]

    @property
    def em(self) -> float:
        return max(piece.em for piece in self.pieces)

    @property
    def bold(self) -> bool:
        return all(piece.bold for piece in self.pieces)

    @property
    def text(self) -> str:
        first, *others = self.pieces
        return first.text + "".join(piece.text if piece.joined else f" {piece.text}" for piece in others)


def rows_of(pieces: Iterable[Piece]) -> list[list[Piece]]:
    """Words grouped by baseline, top to bottom, each row from left to right."""
    rows: list[list[Piece]] = []
    bounds: list[tuple[float, float]] = []
    for piece in sorted(pieces, key=lambda piece: (piece.box[1] + piece.box[3], piece.box[0])):
        top, bottom = piece.box[1], piece.box[3]
        for index in range(len(rows) - 1, max(len(rows) - 4, -1), -1):
            above, below = bounds[index]
            if min(below, bottom) - max(above, top) > 0.5 * max(below - above, bottom - top):
                rows[index].append(piece)
                break
        else:
            rows.append([piece])
            bounds.append((top, bottom))
    for row in rows:
        row.sort(key=lambda piece: piece.box[0])
    return _with_raised(rows)


def _with_raised(rows: list[list[Piece]]) -> list[list[Piece]]:
    """The rows, those of nothing but raised marks as part of the row below, where each stands behind a word."""
    found: list[list[Piece]] = []
    for row in rows:
        marks = found[-1] if found and all(_RAISED.match(piece.text) for piece in found[-1]) else []
        if marks and all(any(_stands_behind(mark, piece) for piece in row) for mark in marks):
            found[-1] = sorted([*row, *marks], key=lambda piece: piece.box[0])
        else:
            found.append(row)
    return found


def _stands_behind(mark: Piece, word: Piece) -> bool:
    """Whether a raised mark begins where a word ends, and at least half of it at the word's height."""
    level = min(mark.box[3], word.box[3]) - max(mark.box[1], word.box[1]) > 0.5 * (mark.box[3] - mark.box[1])
    return level and abs(mark.box[0] - word.box[2]) < 0.3 * word.em


def split_at_gaps(row: Sequence[Piece], cuts: Sequence[float] = (), *, gap: float = 1.1) -> list[Line]:
    """The lines of a row: it is cut where white space is wider than so many ems, and at each x of `cuts`."""
    lines: list[Line] = []
    run: list[Piece] = []
    right = 0.0
    for word in row:
        piece = _joined_to(run[-1], word) if run else word
        wide = gap if not (len(run) == 1 and is_marker(run[0].text)) else max(gap, MARKER_GAP)
        if run and (piece.box[0] - right > wide * min(piece.em, run[-1].em) or _cut(run[-1], piece, cuts)):
            lines.append(Line.of(run))
            run = []
        right = max(right, piece.box[2]) if run else piece.box[2]
        run.append(piece)
    if run:
        lines.append(Line.of(run))
    return lines


def _joined_to(one: Piece, other: Piece) -> Piece:
    """The word as it stands behind another: without a space, where the script has none."""
    near = other.box[0] - one.box[2] < other.em
    joined = near and is_unspaced(one.text[-1]) and is_unspaced(other.text[0])
    return replace(other, joined=True) if joined and not other.joined else other


def is_unspaced(char: str) -> bool:
    """Whether a character belongs to a script that is written without spaces: Chinese, Japanese."""
    return "\u3000" <= char <= "\u30ff" or "\u3400" <= char <= "\u9fff" or "\uff00" <= char <= "\uffef"


def is_marker(text: str) -> bool:
    """Whether a word is the bullet, the tick box or the number of an item."""
    return MARKER.match(text) is not None


def _cut(one: Piece, other: Piece, cuts: Sequence[float]) -> bool:
    return any(one.box[2] <= x + 0.5 and other.box[0] >= x - 0.5 for x in cuts)


def is_right_to_left(pieces: Iterable[Piece]) -> bool:
    """Whether most letters belong to scripts that run to the left."""
    letters = [char for piece in pieces if not piece.text.isascii() for char in piece.text if char.isalpha()]
    strong = sum("\u0590" <= char <= "\u08ff" or "\ufb1d" <= char <= "\ufefc" for char in letters)
    return strong > 0 and 2 * strong > len(letters)


def in_reading_direction(line: Line) -> Line:
    """The line with its words in the order of reading; numbers in a line that runs to the left keep their own."""
    if not is_right_to_left(line.pieces):
        return line
    turned: list[Piece] = []
    run: list[Piece] = []
    for piece in reversed(line.pieces):
        leftward = is_right_to_left([piece])
        if leftward or (run and not (piece.text.isascii() and run[0].text.isascii())):
            turned += run
            run = []
        if leftward:
            turned.append(piece)
        else:
            run.insert(0, piece)
    return Line.of(turned + run)


def usual_em(pieces: Sequence[Piece]) -> float:
    """The size of most type."""
    return median(piece.em for piece in pieces) if pieces else 10.0


def is_number(text: str) -> bool:
    """Whether a cell holds a figure: digits with signs, or the marks that stand for one."""
    bare = text.replace(" ", "")
    letters = sum(char.isalpha() for char in bare)
    digits = sum(char.isdecimal() for char in bare)
    return (digits > 0 and digits >= 2 * letters and not _THOUSANDS.match(bare)) or bare in {
        "-",
        "–",
        "—",
        "*",
        "…",
        "...",
        "n/a",
        "N/A",
        "NA",
        "Ref.",
    }
