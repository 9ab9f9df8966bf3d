"""Pages whose right text is known: their reading order and their tables, from a folder of real documents."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.errors import DocumentError


@dataclass(frozen=True, slots=True, kw_only=True)
class RightOrder:
    """The blocks of a page in the order in which a person reads them. ` ... ` stands where one is shortened."""

    blocks: tuple[str, ...]
    kind: str  # what makes the page hard: text, columns, tables, scan


@dataclass(frozen=True, slots=True, kw_only=True)
class RightTable:
    """A table of a page. Levels of headings are joined by ` / `, in `columns` and in the cells of `rows`."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def groups(self) -> tuple[str, ...]:
        """The rows that only head those below them, which may say them again."""
        return tuple(row[0] for row in self.rows if row and row[0] and not any(row[1:]))


@dataclass(frozen=True, slots=True, kw_only=True)
class RightPage:
    """What is known of one page of a file."""

    path: Path
    number: int
    scan: bool
    order: RightOrder | None
    tables: tuple[RightTable, ...]


def read_right_pages(folder: Path, split: str | None) -> list[RightPage]:
    """The pages of a folder with documents.jsonl, order.jsonl, tables.jsonl and files/. Raises DocumentError."""
    documents = {row["id"]: row for row in _rows(folder / "documents.jsonl") if split in (None, row["split"])}
    order = {(row["doc"], row["page"]): row for row in _rows(folder / "order.jsonl")}
    tables: dict[tuple[str, int], list[RightTable]] = {}
    for row in _rows(folder / "tables.jsonl"):
        tables.setdefault((row["doc"], row["page"]), []).append(_table(row))
    pages = [
        RightPage(
            path=folder / "files" / documents[document]["file"],
            number=number,
            scan=bool(documents[document]["scan"]),
            order=_order(order.get((document, number)), scan=bool(documents[document]["scan"])),
            tables=tuple(tables.get((document, number), ())),
        )
        for document, number in sorted({*order, *tables})
        if document in documents
    ]
    if not pages:
        raise DocumentError(
            "{folder} has no pages with a known text in the split {split!r}: name another.", folder=folder, split=split
        )
    return pages


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8") as file:
            yield from (json.loads(line) for line in file if line.strip())
    except (OSError, ValueError) as error:
        raise DocumentError(
            "{path} cannot be read ({why}). Name a folder with documents.jsonl, order.jsonl, tables.jsonl and files.",
            path=path,
            why=error,
        ) from error


def _table(row: dict[str, Any]) -> RightTable:
    return RightTable(
        caption=row["caption"],
        columns=tuple(row["columns"]),
        rows=tuple(tuple(cells) for cells in row["rows"]),
    )


def _order(row: dict[str, Any] | None, *, scan: bool) -> RightOrder | None:
    if row is None:
        return None
    layout = row["layout"].lower()
    kind = "tables" if "table" in layout else "columns" if "column" in layout else "text"
    return RightOrder(blocks=tuple(row["blocks"]), kind="scan" if scan else kind)
