"""`python -m app.bench reading`: pages as they are read, against their right text; and what a page costs."""

import argparse
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, median

from app.bench.other_readers import Reader, check_number, other_reader
from app.bench.page_scores import OrderScore, TableScore, score_order, score_table
from app.bench.results import as_result
from app.bench.right_pages import RightPage, read_right_pages
from app.documents.limits import Limits
from app.documents.opening import open_source
from app.documents.recognition import Recognizer
from model.errors import DocumentError
from model.types import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class PageReport:
    """One page: its scores, and the CPU time of its reading in seconds."""

    file: str
    number: int
    kind: str  # text, columns, tables, scan
    seconds: float
    source: str
    order: OrderScore | None
    tables: tuple[TableScore, ...]


def reading(arguments: argparse.Namespace) -> None:
    """Print how well the pages of a folder are read."""
    pages = read_right_pages(arguments.folder, arguments.split)
    reader = other_reader(arguments.reader) if arguments.reader else own_reader
    chosen = [page for page in pages if not (arguments.without_scans and page.scan)]
    reports = [report for page in chosen if (report := _report(page, reader)) is not None]
    if arguments.pages is not None:
        arguments.pages.write_text(json.dumps([asdict(report) for report in reports], indent=1), encoding="utf-8")
    print(as_result({"kinds": summary(reports)}) if arguments.json else _as_text(summary(reports)))


def _as_text(kinds: dict[str, dict[str, float]]) -> str:
    rows = ("  ".join(f"{key} {value:g}" for key, value in figures.items()) for figures in kinds.values())
    return "\n".join(f"{name:18} {row}" for name, row in zip(kinds, rows, strict=True))


def summary(reports: Sequence[PageReport]) -> dict[str, dict[str, float]]:
    """Means by kind of page; rows and cells over all tables."""
    found: dict[str, dict[str, float]] = {}
    for kind in sorted({report.kind for report in reports}):
        scores = [report.order for report in reports if report.kind == kind and report.order is not None]
        if scores:
            found[f"order, {kind}"] = _order_figures(scores)
    scores = [report.order for report in reports if report.order is not None]
    if scores:
        found["order, all"] = _order_figures(scores)
    found["tables"] = _table_figures([table for report in reports for table in report.tables])
    for kind, seconds in _seconds(reports).items():
        found[f"time, {kind}"] = {"pages": len(seconds), "cpu_ms": round(1000 * median(seconds), 1)}
    return found


def _report(page: RightPage, reader: Reader) -> PageReport | None:
    try:
        read, seconds = reader(page.path, page.number)
    except DocumentError:
        return None
    tables = tuple(score_table([read], table) for table in page.tables)
    if any(table.right < table.rows for table in tables) and (following := _following(page, reader)) is not None:
        tables = tuple(score_table([read, following], table) for table in page.tables)
    return PageReport(
        file=page.path.name,
        number=page.number,
        kind="scan" if page.scan else page.order.kind if page.order else "tables",
        seconds=seconds,
        source=read.source,
        order=score_order(read, page.order) if page.order else None,
        tables=tables,
    )


def _following(page: RightPage, reader: Reader) -> Page | None:
    """The next page, where a table may go on; None behind the last one."""
    try:
        return reader(page.path, page.number + 1)[0]
    except DocumentError:
        return None


def own_reader(path: Path, number: int) -> tuple[Page, float]:
    """The page as this app reads it, and its CPU time in seconds. Raises DocumentError.

    It is read in this process so that its CPU time can be told: name folders of your own only.
    """
    source = open_source(path, name=path.name, password=None, limits=Limits())
    try:
        check_number(path, number, source.page_count)
        start = time.process_time()
        page = source.read(number, Recognizer(lambda: None))
        return page, time.process_time() - start
    finally:
        source.close()


def _order_figures(scores: Sequence[OrderScore]) -> dict[str, float]:
    return {
        "pages": len(scores),
        "order": _mean(scores, lambda score: score.order),
        "words": _mean(scores, lambda score: score.words),
        "wrong": _mean(scores, lambda score: score.wrong),
    }


def _mean(scores: Iterable[OrderScore], of: Callable[[OrderScore], float]) -> float:
    return round(mean(of(score) for score in scores), 4)


def _table_figures(tables: Sequence[TableScore]) -> dict[str, float]:
    rows, cells = sum(table.rows for table in tables), sum(table.cells for table in tables)
    return {
        "tables": len(tables),
        "rows": rows,
        "right": round(sum(table.right for table in tables) / max(rows, 1), 4),
        "right_by_table": round(mean(table.right / max(table.rows, 1) for table in tables), 4) if tables else 0.0,
        "headed": round(sum(table.headed for table in tables) / max(cells, 1), 4),
    }


def _seconds(reports: Sequence[PageReport]) -> dict[str, list[float]]:
    kinds: dict[str, list[float]] = {}
    for report in reports:
        kind = "ocr" if report.source == "ocr" else "table" if report.tables or report.kind == "tables" else "text"
        kinds.setdefault(kind, []).append(report.seconds)
    return kinds
