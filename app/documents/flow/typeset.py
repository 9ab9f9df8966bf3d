"""A page of blocks -> HTML that MuPDF lays out, and the page's text with the drawn word of each word in it.

Every drawn word is an element whose id is its number: the layout engine tells where the elements came to stand, so
words have exact boxes in any script, and a table's words can be written as lines while their boxes are the cells'.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape
from unicodedata import east_asian_width

from app.documents.characters import clean, word_spans
from app.documents.flow.blocks import Block, Cell, Figure, FlowPage, Heading, Paragraph, Preformatted, Table
from app.documents.flow.pictures import Picture, opened
from app.documents.flow.tables import CellText, Grid
from model.types import Cell as PageCell
from model.types import Table as PageTable

LONGEST_PIECE = 60  # characters of a word that are kept together: MuPDF does not break one that is wider than the page
LEVELS_OF_HEADINGS = 4
POINTS_PER_LETTER, CELL_PADDING = 5.2, 10.0  # of cells, in bold type
SHORT_CELL = 24  # characters that are not broken over lines
MOST_INDENT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class TextWord:
    """A word of the text, and the number of the drawn word whose box it has."""

    start: int
    end: int
    drawn: int
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Typeset:
    """A page as HTML, as text, and as words. `figures` are the pictures that the HTML names as f0, f1, ...

    least_width: points that its tables need, so that no short cell runs into the next one.
    """

    html: str
    text: str
    words: tuple[TextWord, ...]
    tables: tuple[PageTable, ...]
    least_width: float
    figures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """A text that was drawn: its words, each with the white space before it and its number."""

    words: tuple[tuple[str, str, int], ...]


def typeset(page: FlowPage, max_pixels: int) -> Typeset:
    """Set a page: blocks one below the other, an empty line between them, items of a list on lines of their own.

    A picture with more than `max_pixels` is left out.
    """
    setter = _Setter(max_pixels)
    above: Block | None = None
    for block in page.blocks:
        setter.block(block, above)
        above = block
    return Typeset(
        html="".join(setter.html),
        text="".join(setter.text),
        words=tuple(setter.words),
        tables=tuple(setter.tables),
        least_width=setter.least_width,
        figures=tuple(setter.figures),
    )


class _Setter:
    """Collects a page's HTML, text and words."""

    def __init__(self, max_pixels: int) -> None:
        self._max_pixels = max_pixels
        self.html: list[str] = []
        self.text: list[str] = []
        self.words: list[TextWord] = []
        self.tables: list[PageTable] = []
        self.least_width = 0.0
        self.figures: list[Picture] = []
        self._length = 0
        self._drawn = 0

    def block(self, block: Block, above: Block | None) -> None:
        """Set one block below another."""
        is_next_item = isinstance(block, Paragraph) and isinstance(above, Paragraph) and block.marker and above.marker
        gap = "\n" if is_next_item else "\n\n"
        if isinstance(block, Heading):
            level = min(max(block.level, 1), LEVELS_OF_HEADINGS)
            self._running(f"<h{level}>", block.text, f"</h{level}>", gap)
        elif isinstance(block, Paragraph):
            indent = 18 * min(block.indent, MOST_INDENT)
            text = f"{block.marker} {block.text}" if block.marker else block.text
            self._running(f'<p style="margin-left:{indent}pt">', text, "</p>", gap, hidden=block.is_hidden)
        elif isinstance(block, Preformatted):
            self._preformatted(block.text, gap)
        elif isinstance(block, Table):
            self._table(block, gap)
        elif isinstance(block, Figure):
            self._figure(block, gap)

    def _running(self, before: str, text: str, after: str, gap: str, *, hidden: bool = False) -> None:
        """Running text; its line ends are kept, other white space is one space."""
        lines = [" ".join(line.split()) for line in clean(text).split("\n")]
        text = "\n".join(line for line in lines if line)
        if not text:
            return
        self.html.append(before)
        drawn = self._draw(text)
        self.html.append(after)
        first = len(self.words)
        self._write(drawn.words, gap)
        if hidden:
            self.words[first:] = [replace(word, hidden=True) for word in self.words[first:]]

    def _preformatted(self, text: str, gap: str) -> None:
        self.html.append("<pre>")
        drawn = self._draw(text)
        self.html.append("</pre>")
        words = drawn.words
        if self._length:
            words = ((gap + words[0][0], *words[0][1:]), *words[1:])
        self._write(words, "")
        trailing = text[len(text.rstrip()) :]
        self.text.append(trailing)
        self._length += len(trailing)

    def _table(self, table: Table, gap: str) -> None:
        if table.caption.strip():
            self._running("<p><b>", table.caption, "</b></p>", gap)
            gap = "\n"
        grid = Grid(table)
        if grid.width == 1:  # a frame around text
            for cell in grid.cells:
                self._running("<p>", cell.text, "</p>", gap)
            return
        numbers = {id(cell): index for index, cell in enumerate(grid.cells)}
        drawn: dict[int, _Drawn] = {}
        self.least_width = max(self.least_width, _width_of(grid))
        self.html.append("<table>")
        for row_number, row in enumerate(table.rows):
            self.html.append("<tr>")
            for cell in row:
                drawn[numbers[id(cell)]] = self._cell(cell, is_header=cell.is_header or row_number < grid.header_rows)
            self.html.append("</tr>")
        self.html.append("</table>")
        start = self._length + len(gap if self._length else "")
        said: dict[int, tuple[int, int]] = {}  # where a cell's text stands first
        for line in grid.lines():
            for part in line:
                first = len(self.words)
                self._write(_part(part, drawn), gap)
                gap = " "
                own = self.words[first : first + len(drawn[part.cell].words)]
                if own:
                    said.setdefault(part.cell, (own[0].start, own[-1].end))
            gap = "\n"
        self.tables.append(
            PageTable(
                start=start,
                end=self._length,
                rows=len(grid.places),
                columns=grid.width,
                cells=tuple(_page_cells(grid, said)),
            )
        )

    def _cell(self, cell: Cell, *, is_header: bool) -> _Drawn:
        spans = "".join(
            f' {name}="{count}"' for name, count in (("colspan", cell.columns), ("rowspan", cell.rows)) if count > 1
        )
        styles = "head " * is_header + "short " * (len(cell.text) <= SHORT_CELL and cell.columns == 1)
        self.html.append(f'<td class="{styles}"{spans}>')
        lines = (" ".join(line.split()) for line in clean(cell.text).split("\n"))
        drawn = self._draw("\n".join(filter(None, lines)))
        self.html.append("</td>")
        return drawn

    def _figure(self, figure: Figure, gap: str) -> None:
        if (picture := opened(figure, self._max_pixels)) is not None:
            name, size = f"f{len(self.figures)}", f'width="{picture.width:.0f}" height="{picture.height:.0f}"'
            self.html.append(f'<p id="{name}"><img src="{name}" {size}></p>')
            self.figures.append(picture)
        if figure.description.strip():
            self._running('<p class="note">', f"[{figure.description}]", "</p>", gap)

    def _draw(self, text: str) -> _Drawn:
        """Draw the words of a text, with the white space between them."""
        words: list[tuple[str, str, int]] = []
        position = 0
        for start, end in _pieces(text):
            space = text[position:start]
            self.html.append(escape(space.replace("\t", "    ")).replace("\n", "<br>"))
            self.html.append(f'<span id="{self._drawn}">{escape(text[start:end])}</span>')
            words.append((space, text[start:end], self._drawn))
            self._drawn += 1
            position = end
        return _Drawn(words=tuple(words))

    def _write(self, words: tuple[tuple[str, str, int], ...], gap: str) -> None:
        """Add words to the page's text; the gap stands before the first one, unless it begins the page."""
        for index, (space, word, drawn) in enumerate(words):
            before = space if index or not gap else gap if self._length else ""
            start = self._length + len(before)
            self._length = start + len(word)
            self.text += before, word
            self.words.append(TextWord(start=start, end=self._length, drawn=drawn))


def _width_of(grid: Grid) -> float:
    """The width in points that a table takes whose short cells are not broken, roughly."""
    columns = [0.0] * grid.width
    for row in grid.places:
        for column, index in enumerate(row):
            if grid.cells[index].columns == 1:
                text = grid.cells[index].text[:SHORT_CELL]
                wide = sum(not char.isascii() and east_asian_width(char) in "WF" for char in text)
                columns[column] = max(columns[column], CELL_PADDING + POINTS_PER_LETTER * (len(text) + wide))
    return sum(columns)


def _part(part: CellText, drawn: dict[int, _Drawn]) -> tuple[tuple[str, str, int], ...]:
    """The words of a cell, each with its own box, and the sign after them, which has that of the word before it."""
    cell = drawn[part.cell].words
    words = [(" " if space else "", word, number) for space, word, number in cell]
    sign = part.sign.lstrip()
    if sign and cell:
        words.append((part.sign[: len(part.sign) - len(sign)], sign, cell[-1][2]))
    return tuple(words)


def _page_cells(grid: Grid, said: dict[int, tuple[int, int]]) -> Iterator[PageCell]:
    """The cells that have text, each at its first place, with where the page's text says it."""
    done: set[int] = set()
    for row, places in enumerate(grid.places):
        for column, index in enumerate(places):
            if index in done or index not in said:
                continue
            done.add(index)
            cell, (start, end) = grid.cells[index], said[index]
            yield PageCell(
                row=row,
                column=column,
                start=start,
                end=end,
                row_span=min(cell.rows, len(grid.places) - row),
                column_span=min(cell.columns, grid.width - column),
                header=cell.is_header or grid.titles <= row < grid.header_rows,
            )


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """The words of a text, very long ones in parts."""
    for start, end in word_spans(text):
        yield from ((cut, min(cut + LONGEST_PIECE, end)) for cut in range(start, end, LONGEST_PIECE))
