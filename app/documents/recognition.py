"""OCR: a page's pixels -> lines of words, and a count of the places that could not be read."""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.documents.compose import compose
from app.documents.geometry import Rect
from app.documents.layout import reading_order
from app.documents.lines import Line
from app.documents.recognised_lines import (
    LineReport,
    Pixels,
    ReadLine,
    is_read,
    joined_where_they_overlap,
    line_pieces,
    without_look_alikes,
)
from model.types import Page

MARGIN = 16  # pixels of white around the picture: the detector misses writing that touches the edge
SURE_TURN = 0.9  # confidence from which RapidOCR reads a line upside down
LEVEL = 0.003  # a slope that puts no word into the row above or below
MAX_THREADS = 4

Corners = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """What was read, in pixels of the picture, and how many places with writing could not be read.

    turns: quarter turns against the clock after which the picture was read; the boxes are those of the turned one.
    slope: how far its lines fall for each pixel to the right; the boxes are those of the levelled picture.
    """

    lines: list[Line]
    unread_boxes: int
    turns: int = 0
    slope: float = 0.0


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

    def read_lines(self, pictures: Sequence[Pixels]) -> list[tuple[str, float]]:
        """The text of pictures of one line each, and its confidence. pictures: (height, width, 3), red first."""
        self._announce()
        read = self._loaded().recognize_txt([np.ascontiguousarray(picture[:, :, ::-1]) for picture in pictures])
        return [(str(text), float(score)) for text, score in zip(read.txts or (), read.scores or (), strict=True)]

    def _loaded(self) -> Any:
        if self._engine is None:
            self._engine = _load_engine()
        return self._engine

    def _read_once(self, pixels: Pixels) -> Recognition:
        padded = np.pad(pixels[:, :, ::-1], ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), constant_values=255)
        found, turns, read, crops = self._loaded().run_ocr_steps(np.ascontiguousarray(padded), {})
        boxes = [] if found.boxes is None else [np.asarray(box, float) - MARGIN for box in found.boxes]
        if read.txts is None:
            return Recognition(lines=[], unread_boxes=len(boxes))
        slope = _slope(boxes)
        reports = self._upright_together(
            [
                LineReport(text=text, info=info, upside_down=_is_upside_down(turn))
                for text, info, turn in zip(read.txts, read.word_results, turns.cls_res, strict=True)
            ],
            crops,
        )
        lines: list[ReadLine | None] = []
        for box, crop, report in zip(boxes, crops, reports, strict=True):
            letters = tuple(report.letters())
            well = is_read(crop, letters, report.certainty)
            lines.append(ReadLine(letters=letters, box=_levelled(box, slope, pixels.shape[1])) if well else None)
        kept = without_look_alikes(lines)
        return Recognition(
            lines=[Line.of(line_pieces(line)) for line in joined_where_they_overlap(kept)],
            unread_boxes=len(boxes) - len(kept),
            turns=_quarter_turns(boxes, [report.upside_down for report in reports]),
            slope=slope,
        )

    def _upright_together(self, reports: list[LineReport], crops: Sequence[Pixels]) -> list[LineReport]:
        """The lines with those that were read the other way up than most read again, as most were."""
        main = 2 * sum(report.upside_down for report in reports) > len(reports)
        others = [index for index, report in enumerate(reports) if report.upside_down != main]
        if not others:
            return reports
        again = self._loaded().recognize_txt([np.rot90(crops[index], 2 if main else 0) for index in others])
        for index, text, info in zip(others, again.txts, again.word_results, strict=True):
            report = LineReport(text=text, info=info, upside_down=main)
            reports[index] = max(reports[index], report, key=lambda one: one.certainty)
        return reports


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
        slope=found.slope,
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


def _is_upside_down(turn: tuple[str, float]) -> bool:
    return "180" in turn[0] and turn[1] > SURE_TURN


def _quarter_turns(boxes: Sequence[Corners], upside_down: Sequence[bool]) -> int:
    """How many quarter turns against the clock put most lines upright."""
    votes: Counter[int] = Counter()
    for corners, flipped in zip(boxes, upside_down, strict=True):
        wide, high = np.ptp(corners, axis=0)
        if max(wide, high) > 3 * min(wide, high):  # of a short word neither says much
            votes[(1 if high > wide else 0) + (2 if flipped else 0)] += 1
    return votes.most_common(1)[0][0] if votes.total() > 1 else 0


def _slope(boxes: Sequence[Corners]) -> float:
    """The slope of the longest lines: half of all their length runs steeper, half flatter."""
    measured = []
    for corners in boxes:
        across, down = (corners[1] + corners[2] - corners[0] - corners[3]) / 2
        thick = float(np.linalg.norm(corners[3] - corners[0]))
        if across > 3 * thick:
            measured.append((float(down / across), float(across)))
    measured.sort()
    half = sum(length for _, length in measured) / 2
    for slope, length in measured:
        half -= length
        if half <= 0:
            return slope if abs(slope) > LEVEL else 0.0
    return 0.0


def _levelled(corners: Corners, slope: float, width: int) -> Rect:
    """The box of a line in the levelled picture: what stands right of the middle is lifted, what is left lowered."""
    level = corners - np.stack([np.zeros(4), slope * (corners[:, 0] - width / 2)], axis=1)
    return (*level.min(axis=0).tolist(), *level.max(axis=0).tolist())
