"""The text layer of a page that MuPDF opened -> lines, in the space of the page as it is displayed."""

from collections.abc import Iterable, Iterator
from typing import Any

import pymupdf

from app.documents.characters import clean, word_spans
from app.documents.geometry import Rect, overlaps, union
from app.documents.layout import Line, Piece
from app.documents.picture import PagePicture

SMALLEST_SIZE = 2.0  # points; nobody reads smaller type
FLAGS = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_COLLECT_STYLES

Letter = tuple[str, Rect, float]  # character, box in the unrotated page, font size


def read_lines(page: pymupdf.Page, picture: PagePicture) -> tuple[list[Line], list[Line]]:
    """The upright lines on the page, and the rest: sideways, or outside of the page."""
    # Without a clip of its own PyMuPDF drops what lies outside of the page, where text can hide.
    layer = page.get_textpage(flags=FLAGS, clip=pymupdf.INFINITE_RECT()).extractRAWDICT()
    turn = page.rotation_matrix if page.parent.is_pdf else pymupdf.Identity
    bounds: Rect = (0.0, 0.0, page.rect.width, page.rect.height)
    upright: list[Line] = []
    other: list[Line] = []
    for raw in (line for block in layer["blocks"] for line in block.get("lines", ())):
        pieces = [_placed(piece, size, turn, picture) for piece, size in _pieces(raw)]
        if pieces:
            line = Line.of(pieces)
            dx, dy = _direction(raw["dir"], turn)
            (upright if dx > abs(dy) and overlaps(line.box, bounds) else other).append(line)
    return upright, other


def turned(rect: Rect, matrix: pymupdf.Matrix) -> Rect:
    """The rectangle in the space of the displayed page."""
    box = pymupdf.Rect(rect) * matrix
    return box.x0, box.y0, box.x1, box.y1


def _placed(piece: Piece, size: float, turn: pymupdf.Matrix, picture: PagePicture) -> Piece:
    box = turned(piece.box, turn)
    return Piece(text=piece.text, box=box, joined=piece.joined, hidden=size < SMALLEST_SIZE or not picture.shows(box))


def _direction(direction: tuple[float, float], turn: pymupdf.Matrix) -> tuple[float, float]:
    x, y = direction
    return x * turn.a + y * turn.c, x * turn.b + y * turn.d


def _pieces(raw: dict[str, Any]) -> Iterator[tuple[Piece, float]]:
    """The words of one of MuPDF's lines, each with its font size."""
    letters: list[Letter] = []
    for letter in _letters(raw):
        if letter[0].isspace():
            yield from _words(letters)
            letters = []
        else:
            letters.append(letter)
    yield from _words(letters)


def _letters(raw: dict[str, Any]) -> Iterable[Letter]:
    letters = [(char["c"], char["bbox"], span["size"]) for span in raw["spans"] for char in span["chars"]]
    if letters and letters[-1][0] == "\u00ad":  # a soft hyphen that ends a line is printed
        letters[-1] = ("-", *letters[-1][1:])
    return ((clean(char) or "", box, size) for char, box, size in letters)


def _words(letters: list[Letter]) -> Iterator[tuple[Piece, float]]:
    text = "".join(char for char, _, _ in letters)
    owners = [letter for letter in letters for _ in letter[0]]  # a ligature is several characters
    for index, (start, end) in enumerate(word_spans(text)):
        box = union(box for _, box, _ in owners[start:end])
        yield Piece(text=text[start:end], box=box, joined=index > 0), max(size for _, _, size in owners[start:end])
