"""Text layers that may say something else than their page shows are compared with a few lines of OCR."""

import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher
from statistics import mean

from app.documents.geometry import Rect
from app.documents.lines import Line
from app.documents.picture import PagePicture
from app.documents.recognition import Recognizer
from app.documents.textlayer import TextLayer

TRIED = 3  # lines
LONGEST = 90  # letters of a line that is tried; RapidOCR scales a longer one down
SHORTEST = 8
SURE = 0.85  # mean confidence from which what was recognised may speak against the layer
ALIKE = 0.87  # of the characters, from which the layer is right


def says_what_is_shown(layer: TextLayer, picture: PagePicture, recognizer: Recognizer) -> bool:
    """Whether lines of a layer are those of the picture. It is believed where that cannot be told."""
    lines = _to_try(layer.lines)
    if not lines:
        return True
    turned = picture.turned(layer.turns)
    read = recognizer.read_lines([turned.part(_grown(line.box)) for line in lines])
    compared = [
        _likeness(line.text, text) for line, (text, sure) in zip(lines, read, strict=False) if sure >= SURE and text
    ]
    return not compared or mean(compared) >= ALIKE


def _to_try(lines: Sequence[Line]) -> list[Line]:
    """The longest lines, of those that are not too long; of other scripts than Latin none can be tried."""
    fit = [line for line in lines if SHORTEST <= len(line.text) <= LONGEST and _is_latin(line.text)]
    return sorted(fit, key=lambda line: len(line.text), reverse=True)[:TRIED]


def _is_latin(text: str) -> bool:
    letters = [char for char in text if char.isalpha()]
    return 2 * sum(char.isascii() for char in letters) > len(letters)


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, _compared(one), _compared(other), autojunk=False).ratio()


def _compared(text: str) -> str:
    """The letters and digits, without accents: the OCR leaves some out."""
    return "".join(char for char in unicodedata.normalize("NFKD", text.casefold()) if char.isalnum())


def _grown(box: Rect) -> Rect:
    rim = 0.15 * (box[3] - box[1])
    return box[0] - 2 * rim, box[1] - rim, box[2] + 2 * rim, box[3] + rim
