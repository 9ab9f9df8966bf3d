"""What a flowing document is made of, whatever its format."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading; level counts from 1."""

    text: str
    level: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Running text, or an item of a list: `marker` ("•", "2.1") stands before it, `indent` counts levels of lists.

    is_hidden: no reader of the document sees it, as white text on white.
    """

    text: str
    marker: str = ""
    indent: int = 0
    is_hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Preformatted:
    """Text whose line ends and spaces are kept."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell of a table, over several columns and rows where it is merged."""

    text: str = ""
    columns: int = 1
    rows: int = 1
    is_header: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of cells as they are written in the file: what a merged cell covers is left out."""

    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A picture in the text: the bytes of an image file, and its size in points where the document gives one."""

    data: bytes = field(repr=False)
    width: float | None = None
    height: float | None = None
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageBreak:
    """A new page begins. `rendered`: the program that wrote the file had a page end here, so its numbers are kept."""

    rendered: bool = False


Block = Heading | Paragraph | Preformatted | Table | Figure | PageBreak


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of a document that begins on a page of its own: a slide, a sheet, a chapter. Its name is cited."""

    blocks: tuple[Block, ...]
    label: str = ""
    is_one_page: bool = False  # a slide stays whole, however long it is


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPage:
    """The blocks of one page, and the name by which it is cited."""

    blocks: tuple[Block, ...]
    label: str = ""


def plain_table(rows: Iterable[Iterable[str]], caption: str = "") -> Table:
    """A table of cells that are not merged."""
    return Table(rows=tuple(tuple(Cell(text=text) for text in row) for row in rows), caption=caption)


def without_repeated_breaks(blocks: Iterable[Block]) -> Iterator[Block]:
    """The blocks with no two page breaks in a row: Word marks a break and the end of the page that it makes."""
    for is_break, group in groupby(blocks, key=lambda block: isinstance(block, PageBreak)):
        alike = list(group)
        yield from alike[-1:] if is_break else alike
