"""The text layer of a page that MuPDF opened -> lines, in the space of the page as it is displayed."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pymupdf

from app.documents.characters import clean, word_spans
from app.documents.geometry import Rect, overlaps, turned_left, union
from app.documents.layout import Line, Piece
from app.documents.picture import PagePicture

SMALLEST_TYPE = 2.0  # points, of a word's shorter side; nobody reads smaller type
FLAGS = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_COLLECT_STYLES

Letter = tuple[str, Rect]  # a character and its box in the unrotated page


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLayer:
    """The lines along which the page is read after `turns` quarter turns against the clock, and those set aside.

    Boxes are in points: of the turned page in `lines`, and in `aside` (other directions, outside of the page) too.
    """

    lines: list[Line]
    aside: list[Line]
    turns: int


def read_layer(page: pymupdf.Page, picture: PagePicture) -> TextLayer:
    """The text layer of a page, with the words that the picture does not show flagged as hidden."""
    # Without a clip of its own PyMuPDF drops what lies outside of the page, where text can hide.
    layer = page.get_textpage(flags=FLAGS, clip=pymupdf.INFINITE_RECT()).extractRAWDICT()
    turn = page.rotation_matrix if page.parent.is_pdf else pymupdf.Identity
    found: list[tuple[int, Line]] = []
    for raw in (line for block in layer["blocks"] for line in block.get("lines", ())):
        pieces = [_placed(piece, turn, picture) for piece in _pieces(raw)]
        if pieces:
            found.append((_quarter_turns(raw["dir"], turn), Line.of(pieces)))
    return _main_direction(found, page.rect.width, page.rect.height)


def _main_direction(found: list[tuple[int, Line]], width: float, height: float) -> TextLayer:
    """Turn the page so that most of its words stand upright."""
    amount: Counter[int] = Counter()
    for turns, line in found:
        amount[turns] += len(line.pieces)
    main = amount.most_common(1)[0][0] if found else 0
    lines: list[Line] = []
    aside: list[Line] = []
    for turns, line in found:
        on_page = overlaps(line.box, (0.0, 0.0, width, height))
        (lines if turns == main and on_page else aside).append(turned_line(line, main, width, height))
    return TextLayer(lines=lines, aside=aside, turns=main)


def turned_line(line: Line, turns: int, width: float, height: float) -> Line:
    """The line on the turned page."""
    if not turns:
        return line
    return Line.of(replace(piece, box=turned_left(piece.box, turns, width, height)) for piece in line.pieces)


def turned(rect: Rect, matrix: pymupdf.Matrix) -> Rect:
    """The rectangle in the space of the displayed page."""
    box = pymupdf.Rect(rect) * matrix
    return box.x0, box.y0, box.x1, box.y1


def _placed(piece: Piece, turn: pymupdf.Matrix, picture: PagePicture) -> Piece:
    box = turned(piece.box, turn)
    tiny = min(box[2] - box[0], box[3] - box[1]) < SMALLEST_TYPE and len(piece.text) > 1
    return replace(piece, box=box, hidden=tiny or not picture.shows(box))


def _quarter_turns(direction: tuple[float, float], turn: pymupdf.Matrix) -> int:
    """How many quarter turns against the clock put a line of that direction upright."""
    x, y = direction[0] * turn.a + direction[1] * turn.c, direction[0] * turn.b + direction[1] * turn.d
    return round(math.atan2(y, x) / (math.pi / 2)) % 4


def _pieces(raw: dict[str, Any]) -> Iterator[Piece]:
    """The words of one of MuPDF's lines."""
    letters: list[Letter] = []
    for letter in _letters(raw):
        if letter[0].isspace():
            yield from _words(letters)
            letters = []
        else:
            letters.append(letter)
    yield from _words(letters)


def _letters(raw: dict[str, Any]) -> Iterator[Letter]:
    letters = [(char["c"], char["bbox"]) for span in raw["spans"] for char in span["chars"]]
    if letters and letters[-1][0] == "\u00ad":  # a soft hyphen that ends a line is printed
        letters[-1] = ("-", letters[-1][1])
    return ((clean(char), box) for char, box in letters)


def _words(letters: list[Letter]) -> Iterator[Piece]:
    text = "".join(char for char, _ in letters)
    boxes = [box for char, box in letters for _ in char]  # a ligature is several characters
    for index, (start, end) in enumerate(word_spans(text)):
        yield Piece(text=text[start:end], box=union(boxes[start:end]), joined=index > 0)
