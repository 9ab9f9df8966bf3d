"""OCR: a page's pixels -> lines of words, and a count of the places that could not be read.

RapidOCR's dictionary lacks whole scripts (Cyrillic, Arabic, Hangul, ...): of such a line it returns stray punctuation,
or Latin letters of a similar look, often with a high score. So a line counts as read only if its letters are certain
*and* they account for its ink.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.documents.characters import clean, word_spans
from app.documents.compose import compose
from app.documents.geometry import Rect
from app.documents.layout import reading_order
from app.documents.lines import Line, Piece
from model.types import Page

CERTAIN = 0.6  # least mean confidence of a line's letters
UNREAD_INK = 0.1  # share of a line's ink, far from every letter read, from which the line was not read
NEAR = 0.4  # of a line's height: how far a letter's ink reaches from its middle
FOREIGN = 0.25  # share of unread lines from which a page is taken to be in a script that cannot be read here
MARGIN = 16  # pixels of white around the picture: the detector misses writing that touches the edge
SURE_TURN = 0.9  # confidence from which RapidOCR reads a line upside down
MAX_THREADS = 4
LOOK_ALIKES = frozenset("ABCEHKMOPTXYabcekmnoprtuxy")  # Latin letters that Cyrillic and Greek ones are taken for

Pixels = NDArray[np.uint8]
Letter = tuple[str, float]  # a character, and where its middle stands along the line: 0..1


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """What was read, in pixels of the picture, and how many places with writing could not be read."""

    lines: list[Line]
    unread_boxes: int
    turns: int = (
        0  # quarter turns against the clock after which the picture was read; the boxes are those of the turned one
    )


class Recognizer:
    """RapidOCR, loaded at the first picture. `announce` is called before each."""

    def __init__(self, announce: Callable[[], None]) -> None:
        self._announce = announce
        self._engine: Any = None

    def read(self, pixels: Pixels) -> Recognition:
        """Find and read the writing, whichever way up it stands. pixels: (height, width, 3), red first."""
        self._announce()
        first = self._read_once(pixels)
        turns = first.turns
        return replace(self._read_once(np.rot90(pixels, turns)), turns=turns) if turns else first

    def _read_once(self, pixels: Pixels) -> Recognition:
        if self._engine is None:
            self._engine = _load_engine()
        padded = np.pad(pixels[:, :, ::-1], ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), constant_values=255)
        found, turns, read, crops = self._engine.run_ocr_steps(np.ascontiguousarray(padded), {})
        boxes = [] if found.boxes is None else [np.asarray(box, float) - MARGIN for box in found.boxes]
        if read.txts is None:
            return Recognition(lines=[], unread_boxes=len(boxes))
        lines: list[Line | None] = []
        for box, crop, turn, text, info in zip(boxes, crops, turns.cls_res, read.txts, read.word_results, strict=True):
            letters = list(_letters(text, info, upside_down="180" in turn[0] and turn[1] > SURE_TURN))
            read_well = _is_read(crop, letters, _certainty(text, info))
            lines.append(Line.of(_pieces(letters, box)) if read_well else None)
        kept = _without_look_alikes(lines)
        turns = _quarter_turns(boxes, ["180" in turn[0] and turn[1] > SURE_TURN for turn in turns.cls_res])
        return Recognition(lines=kept, unread_boxes=len(boxes) - len(kept), turns=turns)


def page_from_picture(found: Recognition, *, number: int, scale: float, width: float, height: float) -> Page:
    """The page that was recognised. scale: points a pixel; width and height in points."""
    page = compose(
        reading_order(found.lines),
        number=number,
        width=width / scale,
        height=height / scale,
        source="ocr",
        unread_boxes=found.unread_boxes,
        turns=found.turns,
    )
    return replace(page, width=width, height=height)


def _load_engine() -> Any:
    """RapidOCR with the models of its own package; importing it takes a second, and most documents never need it."""
    from rapidocr import RapidOCR

    threads = max(1, min(MAX_THREADS, os.cpu_count() or 1))
    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.return_word_box": True,
            "Global.use_vertical_padding": False,
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def _quarter_turns(boxes: list[NDArray[np.float64]], upside_down: list[bool]) -> int:
    """How many quarter turns against the clock put most lines upright."""
    votes: Counter[int] = Counter()
    for corners, flipped in zip(boxes, upside_down, strict=True):
        wide, high = np.ptp(corners, axis=0)
        if max(wide, high) > 3 * min(wide, high):  # of a short word neither says much
            votes[(1 if high > wide else 0) + (2 if flipped else 0)] += 1
    return votes.most_common(1)[0][0] if votes.total() > 1 else 0


def _letters(text: str, info: Any, *, upside_down: bool) -> Iterator[Letter]:
    """The characters of a line, white space too, each with its place. info: RapidOCR's WordInfo."""
    columns = iter([column for word in info.word_cols or () for column in word])
    place = 0.0
    for char in text:
        if not char.isspace():
            place = min((next(columns) + 0.5) / info.line_txt_len, 1.0)
        yield char, 1 - place if upside_down else place


def _certainty(text: str, info: Any) -> float:
    scores = [score for char, score in zip(text, info.confs or (), strict=False) if not char.isspace()]
    return sum(scores) / max(len(scores), 1)


def _is_read(crop: Pixels, letters: list[Letter], certainty: float) -> bool:
    """Whether the letters account for the writing in a line's picture. crop: (height, width, 3)."""
    places = np.array([place for char, place in letters if clean(char).strip()])
    if not places.size or certainty < CERTAIN:
        return False
    height, width = crop.shape[:2]
    if height >= 1.5 * width:  # RapidOCR reads such a line from top to bottom
        crop, height, width = np.rot90(crop), width, height
    band = crop[height // 4 : max(height * 2 // 3, height // 4 + 1)].mean(axis=2)  # above underlines and leaders
    difference = np.abs(band - np.median(band)).max(axis=0)
    ink = np.flatnonzero(difference > max(0.4 * difference.max(), 1.0))
    distance = np.abs(ink[:, None] - places[None, :] * width).min(axis=1)
    return bool((distance > NEAR * height).mean() < UNREAD_INK) if ink.size else True


def _without_look_alikes(lines: list[Line | None]) -> list[Line]:
    """The lines that can be trusted: beside many unread ones (None), `POCTOB` is a Russian word in Latin disguise."""
    read = [line for line in lines if line is not None]
    if len(lines) - len(read) < FOREIGN * len(lines):
        return read
    return [line for line in read if not _is_look_alike("".join(piece.text for piece in line.pieces))]


def _is_look_alike(text: str) -> bool:
    letters = {char for char in text if char.isalpha()}
    return bool(letters) and letters <= LOOK_ALIKES


def _pieces(letters: list[Letter], corners: NDArray[np.float64]) -> Iterator[Piece]:
    """The words of a line, each with its part of the line's box. corners: (4, 2)."""
    kept = [(char, place) for letter, place in letters for char in clean(letter)]
    text = "".join(char for char, _ in kept)
    line: Rect = (*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist())
    half = 0.5 / max(len(text), 1)
    for start, end in word_spans(text):
        places = [place for _, place in kept[start:end]]
        box = _part(line, max(min(places) - half, 0.0), min(max(places) + half, 1.0))
        yield Piece(text=text[start:end], box=box, joined=start > 0 and not text[start - 1].isspace())


def _part(line: Rect, start: float, end: float) -> Rect:
    """The stretch of a line's box between two fractions of its length."""
    x0, y0, x1, y1 = line
    if y1 - y0 >= 1.5 * (x1 - x0):
        return x0, y0 + start * (y1 - y0), x1, y0 + end * (y1 - y0)
    return x0 + start * (x1 - x0), y0, x0 + end * (x1 - x0), y1
