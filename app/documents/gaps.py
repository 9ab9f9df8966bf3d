"""Which parts of a page its text layer does not say, though a reader sees them: these are read by OCR.

Pictures with writing, lines of glyphs without a known meaning, and layers that say something else than the page shows:
bad OCR of a scan, fonts whose codes are no letters. The last are only suspected here; `layer_check.py` tries them.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from app.documents.characters import is_unmapped, unmapped_share
from app.documents.geometry import Rect, area, contains, overlaps, turned_left, union
from app.documents.lines import Line, Piece
from app.documents.picture import PagePicture
from app.documents.textlayer import TextLayer

UNUSABLE = 0.3  # share of glyphs without a meaning from which a text layer is no text
FEW_WORDS = 20  # for each page's area of a picture: a scan may bear a stamp or a page number as text
UNPAINTED = 0.5  # share of glyphs in no colour, from which a layer is one that OCR made
LEAST_SHARE = 0.03  # of the page's area that a picture covers
LEAST_SIDE = 40.0  # points
MOST_PICTURES = 200  # what is made of more is a drawing
PICTURES = ("fill-image", "fill-imgmask")
WITH_VOWELS = 0.7  # of a text's longer words; from fewer down it is no language in Latin letters
ENOUGH_WORDS = 5

Size = tuple[float, float]

_LONG_WORD = re.compile(r"[a-z]{4,}", re.I)
_VOWEL = re.compile(r"[aeiouy]", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps:
    """What has to be read by OCR. Boxes are in points of the page as it was turned for its text layer.

    whole: the page; of its text layer only `layer` is left. pictures: areas. lines: those of the layer to be replaced.
    """

    layer: TextLayer = field(repr=False)
    whole: bool = False
    pictures: tuple[Rect, ...] = ()
    lines: tuple[Line, ...] = ()

    def __bool__(self) -> bool:
        return self.whole or bool(self.pictures or self.lines)

    @property
    def boxes(self) -> list[Rect]:
        return [*self.pictures, *(_with_margin(line.box) for line in self.lines)]


def find_gaps(
    layer: TextLayer, picture: PagePicture, log: Iterable[tuple[str, Rect]], size: tuple[float, float]
) -> Gaps:
    """What a page's layer leaves out. log: what is drawn on it; size: width and height of the page in points."""
    lines = [*layer.lines, *layer.aside]
    text = "".join(piece.text for line in lines for piece in line.pieces)
    if not text:  # letters may be drawn as shapes
        return Gaps(layer=layer, whole=True)
    if unmapped_share(text) > UNUSABLE:
        return Gaps(layer=layer.without_lines(), whole=True)
    unmapped = tuple(line for line in layer.lines if any(is_unmapped(piece.text) for piece in line.pieces))
    if 2 * len(unmapped) > len(lines):
        return Gaps(layer=layer.without_lines(), whole=True)
    across, down = size[::-1] if layer.turns % 2 else size
    boxes = [turned_left(box, layer.turns, *size) for box in _pictures(log, size)]
    words = [piece for line in lines for piece in line.pieces if not piece.hidden]
    empty = [box for box in boxes if _is_empty(box, words, across * down)]
    if any(area(box) > 0.5 * across * down for box in empty):
        return Gaps(layer=layer.without_lines() if layer.unpainted > UNPAINTED else layer, whole=True)
    turned = picture.turned(layer.turns)
    return Gaps(layer=layer, pictures=tuple(box for box in empty if turned.holds_writing(box)), lines=unmapped)


def is_suspect(layer: TextLayer) -> bool:
    """Whether a layer may say something else than the page shows: it is not painted, or in no language."""
    return layer.unpainted > UNPAINTED or not is_language([line.text for line in layer.lines])


def is_language(lines: Iterable[str]) -> bool:
    """Whether text could be of a language, by the vowels of its words; of other scripts than Latin it could."""
    text = " ".join(lines)
    if not text.isascii():
        text = "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))
    words = _LONG_WORD.findall(text)
    return len(words) < ENOUGH_WORDS or sum(_VOWEL.search(word) is not None for word in words) > WITH_VOWELS * len(
        words
    )


def _pictures(log: Iterable[tuple[str, Rect]], size: Size) -> list[Rect]:
    """The pictures of a page; a scan is often cut into strips, so those that touch are one."""
    found = [_clipped(box, size) for kind, box in log if kind in PICTURES]
    whole = [box for box in found if box[2] - box[0] > 1 and box[3] - box[1] > 1]
    if len(whole) > MOST_PICTURES:
        return []
    merged = _merged(whole)
    return [
        box for box in merged
        if area(box) > LEAST_SHARE * size[0] * size[1] and min(box[2] - box[0], box[3] - box[1]) > LEAST_SIDE
    ]  # fmt: skip


def _clipped(box: Rect, size: Size) -> Rect:
    return max(box[0], 0.0), max(box[1], 0.0), min(box[2], size[0]), min(box[3], size[1])


def _merged(boxes: Sequence[Rect]) -> list[Rect]:
    boxes = list(boxes)
    while True:
        touching = next(
            ((one, other) for one, other in combinations(boxes, 2) if overlaps(_grown(one, 1.0), other)), None
        )
        if touching is None:
            return boxes
        boxes.remove(touching[0])
        boxes.remove(touching[1])
        boxes.append(union(touching))


def _is_empty(box: Rect, words: Sequence[Piece], page: float) -> bool:
    """Whether a picture has no visible words over it, but for a few."""
    over = sum(contains(box, piece.box) for piece in words)
    return over < max(3.0, FEW_WORDS * area(box) / page)


def _with_margin(box: Rect) -> Rect:
    return _grown(box, 0.25 * (box[3] - box[1]))


def _grown(box: Rect, by: float) -> Rect:
    return box[0] - by, box[1] - by, box[2] + by, box[3] + by
