"""What RapidOCR says of one line: its letters with their places -> words with boxes.

RapidOCR's dictionary lacks whole scripts (Cyrillic, Arabic, Hangul, ...): of such a line it returns stray punctuation,
or Latin letters of a similar look, often with a high score. So a line counts as read only if its letters are certain
*and* they account for its ink.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.documents.characters import clean, word_spans
from app.documents.geometry import Rect, union
from app.documents.lines import Piece

CERTAIN = 0.6  # least mean confidence of a line's letters
UNREAD_INK = 0.1  # share of a line's ink, far from every letter read, from which the line was not read
NEAR = 0.4  # of a line's height: how far a letter's ink reaches from its middle
FOREIGN = 0.25  # share of unread lines from which a page is taken to be in a script that cannot be read here
LOOK_ALIKES = frozenset("ABCEHKMOPTXYabcekmnoprtuxy")  # Latin letters that Cyrillic and Greek ones are taken for

Pixels = NDArray[np.uint8]
Letter = tuple[str, float]  # a character, and where its middle stands along the line: 0..1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLine:
    """A line that was read: its characters, white space too, and its box."""

    letters: tuple[Letter, ...] = field(repr=False)
    box: Rect

    @property
    def text(self) -> str:
        return "".join(char for char, _ in self.letters)

    @property
    def is_vertical(self) -> bool:
        return self.box[3] - self.box[1] >= 1.5 * (self.box[2] - self.box[0])

    def places(self) -> list[float]:
        """Where each letter stands across the picture."""
        return [self.box[0] + place * (self.box[2] - self.box[0]) for _, place in self.letters]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReport:
    """What RapidOCR says of a line. info: its WordInfo; upside_down: the line was turned round to be read."""

    text: str
    info: Any = field(repr=False)
    upside_down: bool

    @property
    def certainty(self) -> float:
        """The mean confidence of the line's letters."""
        pairs = zip(self.text, self.info.confs or (), strict=False)
        scores = [score for char, score in pairs if not char.isspace()]
        return sum(scores) / max(len(scores), 1)

    def letters(self) -> Iterator[Letter]:
        """The characters, white space too, each with its place."""
        columns = iter([column for word in self.info.word_cols or () for column in word])
        place = 0.0
        for char in self.text:
            if not char.isspace():
                place = min((next(columns) + 0.5) / self.info.line_txt_len, 1.0)
            yield char, 1 - place if self.upside_down else place


def is_read(crop: Pixels, letters: Sequence[Letter], sure: float) -> bool:
    """Whether the letters account for the writing in a line's picture. crop: (height, width, 3)."""
    places = np.array([place for char, place in letters if clean(char).strip()])
    if not places.size or sure < CERTAIN:
        return False
    height, width = crop.shape[:2]
    if height >= 1.5 * width:  # RapidOCR reads such a line from top to bottom
        crop, height, width = np.rot90(crop), width, height
    band = crop[height // 4 : max(height * 2 // 3, height // 4 + 1)].mean(axis=2)  # above underlines and leaders
    difference = np.abs(band - np.median(band)).max(axis=0)
    ink = np.flatnonzero(difference > max(0.4 * difference.max(), 1.0))
    distance = np.abs(ink[:, None] - places[None, :] * width).min(axis=1)
    return bool((distance > NEAR * height).mean() < UNREAD_INK) if ink.size else True


def without_look_alikes(lines: Sequence[ReadLine | None]) -> list[ReadLine]:
    """The lines that can be trusted: beside many unread ones (None), `POCTOB` is a Russian word in Latin disguise."""
    read = [line for line in lines if line is not None]
    if len(lines) - len(read) < FOREIGN * len(lines):
        return read
    return [line for line in read if not _is_look_alike(line.text)]


def _is_look_alike(text: str) -> bool:
    letters = {char for char in text if char.isalpha()}
    return bool(letters) and letters <= LOOK_ALIKES


def joined_where_they_overlap(lines: Sequence[ReadLine]) -> list[ReadLine]:
    """Lines whose boxes share letters as one line: the detector cuts a long line into parts that overlap."""
    joined: list[ReadLine] = []
    for line in sorted(lines, key=lambda line: line.box[0]):
        for index, other in enumerate(joined):
            both = _joined(other, line) if _share_a_band(other.box, line.box) else None
            if both is not None:
                joined[index] = both
                break
        else:
            joined.append(line)
    return joined


def _share_a_band(left: Rect, right: Rect) -> bool:
    """Whether two boxes of one height lie over each other at their ends."""
    height = min(left[3] - left[1], right[3] - right[1])
    shared = min(left[3], right[3]) - max(left[1], right[1])
    return right[0] < left[2] and shared > 0.6 * height and max(left[3] - left[1], right[3] - right[1]) < 2 * height


def _joined(left: ReadLine, right: ReadLine) -> ReadLine | None:
    """The two as one line with each letter once, or None where no letter stands in both."""
    if left.is_vertical or right.is_vertical:
        return None
    near = 0.35 * (left.box[3] - left.box[1])
    ends, starts = left.places(), right.places()
    for after in range(len(starts) - 1, -1, -1):
        char, place = right.letters[after][0], starts[after]
        if char.isspace() or place > left.box[2]:
            continue
        for before in range(len(ends) - 1, -1, -1):
            if left.letters[before][0] == char and abs(ends[before] - place) < near:
                return _cut_together(left, before + 1, right, after + 1)
    return None


def _cut_together(left: ReadLine, end: int, right: ReadLine, start: int) -> ReadLine:
    """`end` letters of the left line, and those of the right one from `start` on."""
    box = union((left.box, right.box))
    width = box[2] - box[0]
    kept = [*zip(left.letters[:end], left.places()[:end], strict=True)]
    if right.box[2] > left.box[2]:
        kept += zip(right.letters[start:], right.places()[start:], strict=True)
    else:
        kept += zip(left.letters[end:], left.places()[end:], strict=True)
    return replace(left, box=box, letters=tuple((letter[0], (place - box[0]) / width) for letter, place in kept))


def line_pieces(line: ReadLine) -> Iterator[Piece]:
    """The words of a line, each with its part of the line's box."""
    kept = [(char, place) for letter, place in line.letters for char in clean(letter)]
    text = "".join(char for char, _ in kept)
    half = 0.5 / max(len(text), 1)
    for start, end in word_spans(text):
        places = [place for _, place in kept[start:end]]
        box = _part(line, max(min(places) - half, 0.0), min(max(places) + half, 1.0))
        yield Piece(text=text[start:end], box=box, joined=start > 0 and not text[start - 1].isspace())


def _part(line: ReadLine, start: float, end: float) -> Rect:
    """The stretch of a line's box between two fractions of its length."""
    x0, y0, x1, y1 = line.box
    if line.is_vertical:
        return x0, y0 + start * (y1 - y0), x1, y0 + end * (y1 - y0)
    return x0 + start * (x1 - x0), y0, x0 + end * (x1 - x0), y1
