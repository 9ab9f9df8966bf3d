"""Blocks of rows and tables -> the text of a page, its words and its tables."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Literal

from app.documents.geometry import Rect, fractions, turned_left, union
from app.documents.layout import Block
from app.documents.lines import Line, Piece, Row
from app.documents.table import CELL_GAP, TableBlock, printed_rows
from model.types import Cell, Page, Table, Word

COLUMN_GAP = CELL_GAP  # between the lines of a row


def compose(
    blocks: Sequence[Block],
    *,
    number: int,
    width: float,
    height: float,
    source: Literal["text", "ocr"] = "text",
    unread_boxes: int = 0,
    turns: int = 0,
    slope: float = 0.0,
) -> Page:
    """A page from its blocks; an empty line stands between paragraphs.

    Width and height are those of the page, in points. The blocks were read after that many quarter turns of it against
    the clock, and with lines of that slope levelled; their boxes are in points of the turned and levelled page.
    """
    across, down = (height, width) if turns % 2 else (width, height)
    text = _PageText(across=across, down=down, turns=turns, slope=slope)
    for block in blocks:
        if isinstance(block, TableBlock):
            text.add_table(block)
        else:
            for gap, piece in _spaced(block):
                text.add(gap, piece)
            text.end_block()
    return Page(
        number=number,
        text="".join(text.parts),
        words=tuple(text.words),
        width=width,
        height=height,
        source=source,
        unread_boxes=unread_boxes,
        tables=tuple(text.tables),
    )


@dataclass(slots=True, kw_only=True)
class _PageText:
    """A page's text while it grows. across, down: size in points of the page as it was read."""

    across: float
    down: float
    turns: int
    slope: float
    parts: list[str] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    length: int = 0
    gap: str = ""

    def add(self, gap: str, piece: Piece) -> int:
        """Write a word behind `gap`, and return where it starts."""
        gap, self.gap = self.gap or gap, ""
        start = self.length + len(gap)
        self.length = start + len(piece.text)
        self.parts += gap, piece.text
        box = turned_left(fractions(self._as_printed(piece.box), self.across, self.down), -self.turns, 1.0, 1.0)
        self.words.append(Word(start=start, end=self.length, box=box, hidden=piece.hidden))
        return start

    def _as_printed(self, box: Rect) -> Rect:
        """A box of the levelled page where it stands on the page itself."""
        if not self.slope:
            return box
        fall = self.slope * ((box[0] + box[2]) / 2 - self.across / 2)
        return box[0], box[1] + fall, box[2], box[3] + fall

    def end_block(self) -> None:
        """What comes next stands below an empty line."""
        self.gap = "\n\n" if self.parts else ""

    def add_table(self, table: TableBlock) -> None:
        """Write a table row by row."""
        first = len(self.words)
        places: dict[int, tuple[int, int]] = {}
        for number, row in enumerate(printed_rows(table)):
            for index, printed in enumerate(row):
                start = self.add("\n" if number and not index else printed.gap, printed.piece)
                if printed.cell is not None:
                    places[printed.cell] = (places.get(printed.cell, (start, 0))[0], self.length)
        if len(self.words) > first:
            cells = tuple(_cell(table, index, span) for index, span in sorted(places.items()))
            rows = max(cell.down[1] for cell in table.cells)
            start = self.words[first].start
            self.tables.append(Table(start=start, end=self.length, rows=rows, columns=table.columns, cells=cells))
        self.end_block()


def _cell(table: TableBlock, index: int, span: tuple[int, int]) -> Cell:
    raw = table.cells[index]
    return Cell(
        row=raw.down[0], column=raw.across[0], start=span[0], end=span[1],
        row_span=raw.down[1] - raw.down[0], column_span=raw.across[1] - raw.across[0],
        header=raw.down[0] < table.header_rows,
    )  # fmt: skip


def _spaced(block: Sequence[Row]) -> Iterator[tuple[str, Piece]]:
    """Each piece of a block with the white space before it."""
    boxes = [union(line.box for line in row) for row in block]
    distances = [_distance(one, other) for one, other in pairwise(boxes)]
    usual = median(distances) if len(distances) > 1 else 0.0
    above: Rect | None = None
    for row, box in zip(block, boxes, strict=True):
        gap = "" if above is None else "\n\n" if _is_apart(above, box, usual) else "\n"
        yield from _row(row, gap)
        above = box


def _row(row: Row, gap: str) -> Iterator[tuple[str, Piece]]:
    for line in row:
        yield from _line(line, gap)
        gap = COLUMN_GAP


def _line(line: Line, gap: str) -> Iterator[tuple[str, Piece]]:
    for index, piece in enumerate(line.pieces):
        yield gap if not index else "" if piece.joined else " ", piece


def _distance(above: Rect, box: Rect) -> float:
    return box[1] - above[3]


def _is_apart(above: Rect, box: Rect, usual: float) -> bool:
    """Whether the white space between two rows is that of a new paragraph, and not the usual one of the block."""
    height = min(above[3] - above[1], box[3] - box[1])
    return _distance(above, box) > max(usual, 0.0) + 0.4 * height
