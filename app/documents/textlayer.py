"""The text layer of a page that MuPDF opened -> lines, in the space of the page as it is displayed."""

import contextlib
import gc
import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pymupdf

from app.documents.characters import word_spans
from app.documents.geometry import Rect, overlaps, turned_left, union
from app.documents.glyphs import SPACED_LETTERS, Glyph, line_glyphs
from app.documents.lines import Line, Piece, is_unspaced
from app.documents.picture import PagePicture
from app.documents.turned_headings import with_turned_headings

SMALLEST_TYPE = 2.0  # points, of a word's shorter side; nobody reads smaller type
TALLEST, ABOVE, BELOW = 1.5, 0.95, 0.3  # of a letter's size: its box at most, and its parts over and under the baseline
SHORT_WORD = 2  # letters of a word beside one that is set with wide spaces
LEADER = 12  # glyphs without a meaning in a row: no number has so many digits
FLAGS = pymupdf.TEXT_PRESERVE_WHITESPACE  # TEXT_COLLECT_STYLES takes time that grows with the square of the text
PAINTED = pymupdf.mupdf.FZ_STEXT_FILLED | pymupdf.mupdf.FZ_STEXT_STROKED


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLayer:
    """The lines along which the page is read after `turns` quarter turns against the clock, and those set aside.

    Boxes are in points: of the turned page in `lines`, and in `aside` (other directions, outside of the page) too.
    """

    lines: list[Line]
    aside: list[Line]
    turns: int
    unpainted: float = 0.0  # share of its glyphs that are drawn in no colour, as over a scan
    slope: float = 0.0  # of the lines of a scan that lies askew; the boxes are those of the levelled page
    recognised: bool = False  # whether most of it was read by OCR
    unread_boxes: int = 0  # places where OCR could not read the writing

    @property
    def word_count(self) -> int:
        return sum(len(line.pieces) for line in self.lines + self.aside)

    @property
    def heads(self) -> list[Line]:
        """What is set aside and stands above the columns of vertical writing: its title, from left to right."""
        pieces = [piece for line in self.lines for piece in line.pieces]
        if self.turns != 1 or 2 * sum(is_unspaced(piece.text[0]) for piece in pieces) < len(pieces):
            return []
        top = min((piece.box[0] for piece in pieces), default=0.0)
        return [line for line in self.aside if line.box[0] >= 0 and line.box[2] <= top]

    def without_lines(self) -> "TextLayer":
        """The layer of a page whose text is not to be believed."""
        return replace(self, lines=[], aside=[])


def read_layer(page: pymupdf.Page, picture: PagePicture) -> TextLayer:
    """The text layer of a page, with the words that the picture does not show flagged as hidden."""
    # Without a clip of its own PyMuPDF drops what lies outside of the page, where text can hide.
    with _no_collection():
        layer = page.get_textpage(flags=FLAGS, clip=pymupdf.INFINITE_RECT()).extractRAWDICT()
        return _read(page, layer, picture)


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Without Python's search for cycles: it goes through a page's letters again and again while they grow."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _read(page: pymupdf.Page, layer: dict[str, Any], picture: PagePicture) -> TextLayer:
    turn = page.rotation_matrix if page.parent.is_pdf else pymupdf.Identity
    raws = [line for block in layer["blocks"] for line in block.get("lines", ())]
    columns = [raw["bbox"] for raw in raws if _is_short(raw)] if _is_vertical(raws) else []
    wide = {_level(raw) for raw in raws if _is_set_wide(raw)}
    found: list[tuple[int, list[Piece]]] = []
    for raw in raws:
        pieces = [
            _placed(piece, turn)
            for piece in _without_leaders(list(line_pieces(raw, SHORT_WORD if _level(raw) in wide else SPACED_LETTERS)))
        ]
        if pieces:
            turns = _quarter_turns(raw, turn, columns)
            in_column = turns and columns and _is_short(raw)  # glyph by glyph: no space stands between two
            found.append((turns, [replace(piece, joined=True) for piece in pieces] if in_column else pieces))
    seen = _shown(_once(found), picture)
    return replace(_main_direction(seen, page.rect.width, page.rect.height), unpainted=_unpainted(raws))


def _unpainted(raws: list[dict[str, Any]]) -> float:
    """The share of glyphs that are neither filled nor stroked."""
    amounts = [0, 0]
    for span in (span for raw in raws for span in raw["spans"]):
        amounts[bool(span["char_flags"] & PAINTED)] += len(span["chars"])
    return amounts[0] / max(sum(amounts), 1)


def _level(raw: dict[str, Any]) -> int:
    return round(raw["bbox"][3])


def _is_set_wide(raw: dict[str, Any]) -> bool:
    """Whether MuPDF sees a space behind each of the first letters of a line: short words beside it are set so, too."""
    spaces = itertools.islice((char for span in raw["spans"] for char in span["chars"]), 1, 2 * SPACED_LETTERS - 1, 2)
    return sum(char["synthetic"] for char in spaces) == SPACED_LETTERS - 1


def line_pieces(raw: dict[str, Any], fewest: int = SPACED_LETTERS) -> Iterator[Piece]:
    """The words of one of MuPDF's lines. fewest: single letters with wide spaces between them that make a word."""
    bold = all(span["flags"] & pymupdf.TEXT_FONT_BOLD for span in raw["spans"])
    upright = raw["dir"] == (1.0, 0.0)
    word: list[Glyph] = []
    for glyph in line_glyphs(raw, fewest):
        if word and (glyph.is_space or glyph.apart):
            yield from _words(word, bold=bold, upright=upright)
            word = []
        if not glyph.is_space:
            word.append(glyph)
    yield from _words(word, bold=bold, upright=upright)


def _without_leaders(pieces: list[Piece]) -> list[Piece]:
    """The words of a line without the dots behind its first ones that lead to a figure, of a font without names."""
    return [
        piece
        for index, piece in enumerate(pieces)
        if not index or len(piece.text) < LEADER or set(piece.text) != {"\ufffd"}
    ]


def _words(glyphs: list[Glyph], *, bold: bool, upright: bool) -> Iterator[Piece]:
    text = "".join(glyph.text for glyph in glyphs)
    for index, (start, end) in enumerate(word_spans(text)):
        boxes = [_tight(glyph) if upright else glyph.box for glyph in glyphs[start:end]]
        size = max(glyph.size for glyph in glyphs[start:end])
        yield Piece(text=text[start:end], box=union(boxes), joined=index > 0, size=size, bold=bold)


def _tight(glyph: Glyph) -> Rect:
    """The box of a letter that stands upright: fonts with mathematical signs reach over the lines beside their own."""
    x0, y0, x1, y1 = glyph.box
    if y1 - y0 <= TALLEST * glyph.size:
        return glyph.box
    return x0, max(y0, glyph.base - ABOVE * glyph.size), x1, min(y1, glyph.base + BELOW * glyph.size)


def _once(found: list[tuple[int, list[Piece]]]) -> list[tuple[int, list[Piece]]]:
    """Without words that are drawn a second time over themselves, for bold type or a shadow."""
    known: dict[str, list[Rect]] = {}
    kept = []
    for turns, pieces in found:
        fresh = []
        for piece in pieces:
            boxes = known.setdefault(piece.text, [])
            if not any(_same_place(box, piece.box) for box in boxes[-3:]):
                fresh.append(piece)
            boxes.append(piece.box)
        if fresh:
            kept.append((turns, fresh))
    return kept


def _same_place(one: Rect, other: Rect) -> bool:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return width > 0 and height > 0 and width * height > 0.6 * (one[2] - one[0]) * (one[3] - one[1])


def _shown(found: list[tuple[int, list[Piece]]], picture: PagePicture) -> list[tuple[int, list[Piece]]]:
    """The words, flagged as hidden where they are tiny or the picture shows nothing in their place."""
    visible = iter(picture.shows([piece.box for _, pieces in found for piece in pieces]))
    return [(turns, [_flagged(piece, next(visible)) for piece in pieces]) for turns, pieces in found]


def _flagged(piece: Piece, visible: bool) -> Piece:
    return piece if visible and not _is_tiny(piece) else replace(piece, hidden=True)


def _is_tiny(piece: Piece) -> bool:
    box = piece.box
    return min(box[2] - box[0], box[3] - box[1]) < SMALLEST_TYPE and len(piece.text) > 1


def _main_direction(found: list[tuple[int, list[Piece]]], width: float, height: float) -> TextLayer:
    """Turn the page so that most of its words stand upright."""
    amount: Counter[int] = Counter()
    for turns, pieces in found:
        amount[turns] += len(pieces)
    main = amount.most_common(1)[0][0] if found else 0
    lines: list[Line] = []
    aside: list[Line] = []
    for turns, pieces in found:
        line = Line.of(pieces)
        on_page = overlaps(line.box, (0.0, 0.0, width, height))
        (lines if turns == main and on_page else aside).append(turned_line(line, main, width, height))
    lines, aside = with_turned_headings(lines, aside)
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


def _placed(piece: Piece, turn: pymupdf.Matrix) -> Piece:
    return piece if turn == pymupdf.Identity else replace(piece, box=turned(piece.box, turn))


def _quarter_turns(raw: dict[str, Any], turn: pymupdf.Matrix, columns: Sequence[Rect]) -> int:
    """How many quarter turns against the clock put a line upright, or, of vertical writing, its columns across.

    columns: the boxes of what may be part of a column; none where the page is written from left to right.
    """
    direction = raw["dir"]
    if columns and _is_short(raw) and (_is_single(raw) or any(_is_next(raw["bbox"], box) for box in columns)):
        direction = (0.0, 1.0)
    x, y = direction[0] * turn.a + direction[1] * turn.c, direction[0] * turn.b + direction[1] * turn.d
    return round(math.atan2(y, x) / (math.pi / 2)) % 4


def _is_short(raw: dict[str, Any]) -> bool:
    """Whether a line is a glyph or two: figures stand upright in a column, one or two beside each other."""
    return sum(len(span["chars"]) for span in raw["spans"]) <= 2


def _is_next(one: Rect, other: Rect) -> bool:
    """Whether one box stands right above or below another one."""
    level = abs(one[0] + one[2] - other[0] - other[2]) < one[3] - one[1]
    return level and 0 < abs(one[1] - other[1]) < 1.5 * (one[3] - one[1])


def _is_single(raw: dict[str, Any]) -> bool:
    """Whether a line is one Chinese, Japanese or Korean glyph."""
    chars = [char["c"] for span in raw["spans"] for char in span["chars"]]
    return len(chars) == 1 and "\u2e80" <= chars[0] <= "\uffef"


def _is_vertical(raws: list[dict[str, Any]]) -> bool:
    """Whether a page is written from top to bottom, glyph by glyph: each stands right above the next."""
    single = [raw["bbox"] for raw in raws if _is_single(raw)]
    if len(single) < 4 or 2 * len(single) < len(raws):
        return False
    steps = [
        abs(other[0] - one[0]) < 0.3 * (one[2] - one[0]) and 0 < other[1] - one[1] < 2 * (one[3] - one[1])
        for one, other in itertools.pairwise(single)
    ]
    return 2 * sum(steps) > len(steps)
