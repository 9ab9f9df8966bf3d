"""What pages hold in large numbers, words and tables, as rows of numbers; how many are whose, the header says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from model.encoding.header import PageHeader
from model.types import Cell, Document, Table, Word

WORD_SPAN = ("start", "end", "hidden")
TABLE_SPAN = ("start", "end", "rows", "columns", "cells")
CELL = ("row", "column", "start", "end", "row_span", "column_span", "header")

_MOST_CELLS = 2**24  # each way

Tensors = Mapping[str, torch.Tensor]


def page_tensors(document: Document) -> dict[str, torch.Tensor]:
    """All pages' words, tables and cells, page after page. Spans are (N, x) int32, boxes (N, 4) float32 in 0..1."""
    words = [word for page in document.pages for word in page.words]
    tables = [table for page in document.pages for table in page.tables]
    spans = [(table.start, table.end, table.rows, table.columns, len(table.cells)) for table in tables]
    return {
        "words.spans": _rows([(word.start, word.end, word.hidden) for word in words], len(WORD_SPAN)),
        "words.boxes": torch.tensor([word.box for word in words]).reshape(-1, 4).nan_to_num().clamp(0, 1),
        "tables.spans": _rows(spans, len(TABLE_SPAN)),
        "tables.cells": _rows(
            [[getattr(cell, name) for name in CELL] for table in tables for cell in table.cells], len(CELL)
        ),
    }


def check_page_tensors(tensors: Tensors, pages: Sequence[PageHeader]) -> None:
    """Raises ValueError where words, tables or cells are not as they are on a page, or not in its text."""
    words, tables, cells = (tensors[name] for name in ("words.spans", "tables.spans", "tables.cells"))
    for rows, columns, name, least, most in (
        (words, WORD_SPAN, "hidden", 0, 1),
        (tables, TABLE_SPAN, "rows", 0, _MOST_CELLS),
        (tables, TABLE_SPAN, "columns", 0, _MOST_CELLS),
        (tables, TABLE_SPAN, "cells", 0, _MOST_CELLS),
        (cells, CELL, "row", 0, _MOST_CELLS),
        (cells, CELL, "column", 0, _MOST_CELLS),
        (cells, CELL, "row_span", 1, _MOST_CELLS),
        (cells, CELL, "column_span", 1, _MOST_CELLS),
        (cells, CELL, "header", 0, 1),
    ):
        _check_numbers(name, _column(rows, columns, name), least, most)
    of_table = _column(tables, TABLE_SPAN, "cells")
    if (count := int(of_table.sum())) != len(cells):
        raise ValueError(f"there are {len(cells)} cells in tables, not {count}")
    of_word, of_table_page = (_owners([getattr(page, name) for page in pages]) for name in ("words", "tables"))
    _check_spans("word", words, WORD_SPAN, pages, of_word)
    _check_spans("table", tables, TABLE_SPAN, pages, of_table_page)
    _check_spans("cell", cells, CELL, pages, of_table_page[_owners(of_table.tolist())])
    _check_order(words, pages, of_word)


def words_from(tensors: Tensors) -> list[Word]:
    """All pages' words, page after page."""
    rows = zip(tensors["words.spans"].tolist(), tensors["words.boxes"].tolist(), strict=True)
    return [Word(start=start, end=end, box=tuple(box), hidden=bool(hidden)) for (start, end, hidden), box in rows]


def tables_from(tensors: Tensors) -> list[Table]:
    """All pages' tables, page after page."""
    first, tables = 0, []
    cells = [_cell(row) for row in tensors["tables.cells"].tolist()]
    for start, end, rows, columns, count in tensors["tables.spans"].tolist():
        own = tuple(cells[first : first + count])
        tables.append(Table(start=start, end=end, rows=rows, columns=columns, cells=own))
        first += count
    return tables


def _cell(row: Sequence[int]) -> Cell:
    *numbers, header = row  # the last of CELL, and the only truth value
    return Cell(**dict(zip(CELL, numbers, strict=False)), header=bool(header))


def _rows(rows: Sequence[Sequence[int]], columns: int) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.int32).reshape(-1, columns)


def _owners(counts: Sequence[int]) -> torch.Tensor:
    """Counts of rows that lie behind each other -> for each row, whose it is."""
    return torch.repeat_interleave(torch.tensor(counts, dtype=torch.long))


def _column(rows: torch.Tensor, columns: Sequence[str], name: str) -> torch.Tensor:
    return rows[:, columns.index(name)]


def _check_numbers(name: str, numbers: torch.Tensor, least: int, most: int) -> None:
    if (wrong := (numbers < least) | (numbers > most)).any():
        raise ValueError(f"a word, table or cell has {name} {int(numbers[wrong][0])}, not {least} to {most:,}")


def _check_spans(
    name: str, rows: torch.Tensor, columns: Sequence[str], pages: Sequence[PageHeader], owners: torch.Tensor
) -> None:
    """owners: for each row, the index of its page."""
    starts, ends = _column(rows, columns, "start"), _column(rows, columns, "end")
    lengths = torch.tensor([len(page.text) for page in pages])[owners]
    if (wrong := (starts < 0) | (ends < starts) | (ends > lengths)).any():
        place = f"characters {int(starts[wrong][0])} to {int(ends[wrong][0])}"
        page = pages[int(owners[wrong][0])]
        raise ValueError(f"a {name} of page {page.number} lies at {place}, and the page has {len(page.text)}")


def _check_order(words: torch.Tensor, pages: Sequence[PageHeader], owners: torch.Tensor) -> None:
    """The words of a page stand one behind the other, and none is empty."""
    starts, ends, _ = words.unbind(1)
    earlier = torch.zeros_like(ends)  # where the word before it on the same page ends
    earlier[1:] = torch.where(owners[1:] == owners[:-1], ends[:-1], 0)
    if (wrong := (starts < earlier) | (ends <= starts)).any():
        place = f"characters {int(starts[wrong][0])} to {int(ends[wrong][0])}"
        raise ValueError(f"a word of page {pages[int(owners[wrong][0])].number} lies at {place}, out of its order")
