"""Sections -> pages: at the breaks that the file has, else by the amount of text, between blocks and rows of tables."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from app.documents.flow.blocks import (
    Block,
    Figure,
    FlowPage,
    Heading,
    PageBreak,
    Paragraph,
    Preformatted,
    Section,
    Table,
    without_repeated_breaks,
)
from app.documents.flow.tables import Grid
from app.documents.plaintext import PAGE_CHARACTERS, split_pages

LINE = 80  # characters that the end of a block counts for: short lines fill a page, too
FIGURE = 800  # characters that a picture counts for
RENDERED_CHARACTERS = 4 * PAGE_CHARACTERS  # of a page whose end the file gives
LONGEST_LABEL = 60  # characters


def paginate(sections: Sequence[Section]) -> list[FlowPage]:
    """The pages of all sections, in order. Each section begins a page; one without blocks is an empty page."""
    return [page for section in sections for page in _pages(section)]


def _pages(section: Section) -> Iterator[FlowPage]:
    if section.is_one_page:
        yield FlowPage(blocks=section.blocks, label=section.label)
        return
    blocks = list(without_repeated_breaks(section.blocks))
    has_own_pages = any(isinstance(block, PageBreak) and block.rendered for block in blocks)
    pages = list(_cut(blocks, RENDERED_CHARACTERS if has_own_pages else PAGE_CHARACTERS))
    heading = ""
    for number, page in enumerate(pages, start=1):
        names = [block.text for block in page if isinstance(block, Heading) and block.text.strip()]
        begins_with_one = bool(page) and isinstance(page[0], Heading)
        label, heading = heading, names[-1] if names else heading
        if section.label:
            label = section.label if len(pages) == 1 else f"{section.label} ({number} of {len(pages)})"
        elif has_own_pages:
            label = ""
        elif names and (begins_with_one or not label):
            label = names[0]
        yield FlowPage(blocks=tuple(page), label=_shortened(label))


def _cut(blocks: Sequence[Block], most: int) -> Iterator[list[Block]]:
    """Groups of blocks that fit on a page each."""
    page: list[Block] = []
    size = 0
    for block in blocks:
        if isinstance(block, PageBreak):
            if page:
                yield page
            page, size = [], 0
            continue
        for part in _parts(block, most):
            if page and size + _size(part) > most:
                carried = [page.pop()] if len(page) > 1 and isinstance(page[-1], Heading) else []
                yield page
                page, size = carried, sum(map(_size, carried))
            page.append(part)
            size += _size(part)
    if page:
        yield page


def _parts(block: Block, most: int) -> Iterator[Block]:
    """A block that is longer than a page in parts."""
    if _size(block) <= most:
        yield block
    elif isinstance(block, Table):
        yield from _parts_of_table(block, most)
    elif isinstance(block, Preformatted):
        yield from (Preformatted(text=part) for part in split_pages(block.text, most))
    elif isinstance(block, Paragraph):
        yield from (replace(block, text=part) for part in split_pages(block.text, most))
    else:
        yield block


def _parts_of_table(table: Table, most: int) -> Iterator[Table]:
    """The rows in groups, each below the table's header; no cut goes through a cell that covers several rows."""
    count = Grid(table).header_rows
    header = tuple(tuple(replace(cell, is_header=True) for cell in row) for row in table.rows[:count])
    overhead = sum(map(_row_size, header))
    rows: list[tuple] = []
    size, covered = overhead, 0
    for row in table.rows[count:]:
        if rows and covered <= 0 and size + _row_size(row) > most:
            yield replace(table, rows=header + tuple(rows))
            rows, size = [], overhead
        rows.append(row)
        size += _row_size(row)
        covered = max([covered, *(cell.rows for cell in row)]) - 1
    yield replace(table, rows=header + tuple(rows))


def _size(block: Block) -> int:
    if isinstance(block, Table):
        return len(block.caption) + sum(map(_row_size, block.rows))
    if isinstance(block, Figure):
        return FIGURE
    if isinstance(block, PageBreak):
        return 0
    if isinstance(block, Preformatted):
        return len(block.text)
    return len(block.text) + LINE


def _row_size(row: tuple) -> int:
    """About what the row's line has: a cell's header stands before its value."""
    return sum(len(cell.text) + 15 for cell in row if cell.text)


def _shortened(label: str) -> str:
    flat = " ".join(label.split())
    return flat if len(flat) <= LONGEST_LABEL else flat[: LONGEST_LABEL - 1].rstrip() + "…"
