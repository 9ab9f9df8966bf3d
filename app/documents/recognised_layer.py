"""Gaps in a page's text layer, read by OCR -> one layer, whose lines all take part in the reading order."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.documents.gaps import Gaps
from app.documents.geometry import Rect, contains
from app.documents.layout import Block, reading_order
from app.documents.lines import Line, Piece
from app.documents.picture import PagePicture
from app.documents.recognition import Recognition, Recognizer
from app.documents.table import TableBlock
from app.documents.textlayer import TextLayer, turned_line

Size = tuple[float, float]  # width and height in points


def with_gaps_read(gaps: Gaps, picture: PagePicture, recognizer: Recognizer, size: Size) -> TextLayer:
    """The layer with what OCR reads in its gaps. picture: the page without annotations; size: of the page."""
    return _whole(gaps, picture, recognizer, size) if gaps.whole else _parts(gaps, picture, recognizer)


def _whole(gaps: Gaps, picture: PagePicture, recognizer: Recognizer, size: Size) -> TextLayer:
    """The page by OCR, and what visible words the layer has."""
    found = recognizer.read(picture.pixels)
    further = (found.turns - gaps.layer.turns) % 4
    across, down = size[::-1] if gaps.layer.turns % 2 else size
    width = size[found.turns % 2]
    layer = [
        _levelled(turned_line(line, further, across, down), found.slope, width)
        for line in gaps.layer.lines + gaps.layer.aside
    ]
    read = _without([_scaled(line, 1 / picture.scale, 0.0) for line in found.lines], layer)
    return TextLayer(
        lines=layer + read, aside=[], turns=found.turns, slope=found.slope, recognised=True,
        unread_boxes=found.unread_boxes,
    )  # fmt: skip


def _parts(gaps: Gaps, picture: PagePicture, recognizer: Recognizer) -> TextLayer:
    """The layer, with what OCR reads in the boxes of its gaps."""
    turned = picture.turned(gaps.layer.turns)
    canvas, top = _only(gaps.boxes, turned)
    found = recognizer.read(canvas)
    read, aside = _in_points(found, canvas, turned.scale, top)
    replaced = [
        line for line in gaps.lines if any(contains(line.box, piece.box) for one in read for piece in one.pieces)
    ]
    kept = [line for line in gaps.layer.lines if not any(line is other for other in replaced)]
    fresh = _without(read, kept)
    words = sum(len(line.pieces) for line in fresh + aside)
    return replace(
        gaps.layer,
        lines=kept + fresh,
        aside=gaps.layer.aside + aside,
        recognised=2 * words > words + gaps.layer.word_count,
        unread_boxes=found.unread_boxes,
    )


def _only(boxes: Sequence[Rect], picture: PagePicture) -> tuple[NDArray[np.uint8], int]:
    """The rows of a picture that hold boxes, white but for these, and the number of the first row."""
    canvas = np.full_like(picture.pixels, 255)
    for box in boxes:
        x0, y0, x1, y1 = (max(round(edge * picture.scale), 0) for edge in box)
        canvas[y0:y1, x0:x1] = picture.pixels[y0:y1, x0:x1]
    top = max(round(min(box[1] for box in boxes) * picture.scale), 0)
    bottom = round(max(box[3] for box in boxes) * picture.scale)
    return canvas[top : max(bottom, top + 1)], top


def _in_points(found: Recognition, canvas: NDArray[np.uint8], scale: float, top: int) -> tuple[list[Line], list[Line]]:
    """What was read in a canvas, in points of the page; lines that run in another direction are the second list."""
    if not found.turns:
        return [_scaled(line, 1 / scale, top) for line in found.lines], []
    height, width = canvas.shape[:2]
    across, down = (height, width) if found.turns % 2 else (width, height)
    ordered = [line for block in reading_order(found.lines) for line in _lines(block)]
    return [], [_scaled(turned_line(line, -found.turns % 4, across, down), 1 / scale, top) for line in ordered]


def _lines(block: Block) -> list[Line]:
    if isinstance(block, TableBlock):
        return [line for cell in block.cells for line in cell.lines]
    return [line for row in block for line in row]


def _scaled(line: Line, scale: float, top: float) -> Line:
    return Line.of(
        replace(piece, box=(
            piece.box[0] * scale, (piece.box[1] + top) * scale, piece.box[2] * scale, (piece.box[3] + top) * scale,
        ))
        for piece in line.pieces
    )  # fmt: skip


def _levelled(line: Line, slope: float, width: float) -> Line:
    """A line of the page where it stands once the lines of a scan, of that slope, are levelled."""
    if not slope:
        return line
    return Line.of(replace(piece, box=_lifted(piece.box, slope, width)) for piece in line.pieces)


def _lifted(box: Rect, slope: float, width: float) -> Rect:
    rise = slope * ((box[0] + box[2]) / 2 - width / 2)
    return box[0], box[1] - rise, box[2], box[3] - rise


def _without(lines: Sequence[Line], known: Sequence[Line]) -> list[Line]:
    """The lines without the words that stand where visible words of the layer do: these are known already."""
    boxes = [piece.box for line in known for piece in line.pieces if not piece.hidden]
    if not boxes:
        return list(lines)
    return [Line.of(pieces) for line in lines if (pieces := [one for one in line.pieces if not _is_known(one, boxes)])]


def _is_known(piece: Piece, boxes: Sequence[Rect]) -> bool:
    return any(contains(box, piece.box) for box in boxes)
