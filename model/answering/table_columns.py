"""Columns of tables, read whole: what is asked of all rows is answered from these, not from the few that are shown.

Rows follow each other over page breaks, too, and share headings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from model.answering.quotes import Quote, answer_quoting
from model.answering.table_cells import compared_words
from model.answering.table_rows import LabelledCell, TableRow, rows_of
from model.types import Answer, Document, Page


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedCell:
    """A cell, with the document, the page and the row that it stands in."""

    document: Document
    page: Page
    row: TableRow
    cell: LabelledCell

    def place(self, document_index: int) -> Quote:
        """Where the value stands, behind its heading. document_index: among the documents that are asked."""
        line = self.page.text[self.row.start : self.row.end]
        heading = f"{self.cell.column}: " if self.cell.column else ""
        start = self.row.start + max(0, line.find(heading + self.cell.value)) + len(heading)
        end = start + len(self.cell.value)
        return Quote(document_index=document_index, page=self.page, start=start, end=end)


@dataclass(frozen=True, kw_only=True)
class WholeTable:
    """All cells of a table, row by row."""

    rows: tuple[tuple[PlacedCell, ...], ...]

    @cached_property
    def columns(self) -> dict[str, list[PlacedCell]]:
        """The cells under each heading."""
        columns: dict[str, list[PlacedCell]] = {}
        for row in self.rows:
            for one in row:
                columns.setdefault(one.cell.column, []).append(one)
        columns.pop("", None)
        return columns

    @cached_property
    def page_words(self) -> frozenset[str]:
        """The words of its pages."""
        pages = {one.page.number: one.page for row in self.rows for one in row[:1]}
        return frozenset().union(*(compared_words(page.text) for page in pages.values()))


def tables_of(document: Document) -> Iterator[WholeTable]:
    """The tables of a document."""
    table: list[tuple[PlacedCell, ...]] = []
    headings: set[str] = set()
    for page in document.pages:
        for row in rows_of(page.text):
            own = {cell.column for cell in row.cells}
            if table and not own & headings:
                yield WholeTable(rows=tuple(table))
                table, headings = [], set()
            table.append(tuple(PlacedCell(document=document, page=page, row=row, cell=cell) for cell in row.cells))
            headings |= own
    if table:
        yield WholeTable(rows=tuple(table))


def answer_from(
    question: str, text: str, cells: Sequence[PlacedCell], documents: Sequence[Document], confidence: float
) -> Answer:
    """An answer that these cells give. confidence: the share of such answers that are right."""
    index = {id(document): number for number, document in enumerate(documents)}
    return answer_quoting(question, text, [one.place(index[id(one.document)]) for one in cells], documents, confidence)
