"""The table of answers as a file, in the form of the one that the questions came in, beside what stood there."""

import csv
import io
import re
from collections.abc import Iterator, Sequence

from xlsxwriter import Workbook

from app.page.panels.table import HEAD
from app.questions import Form, Origin
from app.sessions.table import Row

ADDED = (*HEAD[1:-1], "Text there", HEAD[-1], "Check it")  # columns beside a question; the last marks what is doubtful
LONGEST_CELL = 32_767  # characters that Excel takes
# Where a spreadsheet would compute what a document says: at the beginning of a cell, and after a character that parts
# cells in some countries, so that a part of this cell is taken for one. Unicode has more signs for these four.
_FORMULA = re.compile(
    r"""
    (?: ^ (?=[\t\r\n])
      | (?: ^ | (?<=[;\t\r\n]) ) (?= \s* [=+\-@＝﹦⁼₌＋﹢⁺₊﬩－﹣＠﹫] )
    )
    (?! \s* [+\-] \d [\d.,\x20\xa0]* $ )  # a number with its sign is a number
    """,
    re.VERBOSE,
)
_SIGNED = re.compile(r"\s*[=+\-@]")  # what a spreadsheet takes for a formula when a person edits the cell
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d+)?")

Cell = str | int | float


def answers_file(form: Form, rows: Sequence[Row], origin: Origin | None = None) -> bytes:
    """The table in one of these forms. `origin`: the questions came from there, and stand in their rows again."""
    return as_xlsx(rows, origin) if form == "xlsx" else as_csv(rows, origin).encode("utf-8-sig")


def as_csv(rows: Sequence[Row], origin: Origin | None = None) -> str:
    """Every cell in quotes, and what looks like a formula marked as text."""
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    for cells in _lines(rows, origin):
        writer.writerow([_in_csv(cell) for cell in cells])
    return file.getvalue()


def as_xlsx(rows: Sequence[Row], origin: Origin | None = None) -> bytes:
    """A workbook in which whatever somebody wrote is text; plain numbers that came from the file are numbers again."""
    file = io.BytesIO()
    kept = len(origin.head) if origin else 0
    with Workbook(file, {"in_memory": True}) as book:
        sheet, as_text = book.add_worksheet(), book.add_format({"quote_prefix": True})
        for at, cells in enumerate(_lines(rows, origin)):
            for column, cell in enumerate(cells):
                if not isinstance(cell, str):
                    sheet.write_number(at, column, cell)
                elif column < kept and _NUMBER.fullmatch(cell):
                    sheet.write_number(at, column, float(cell))
                elif cell:
                    sheet.write_string(at, column, cell[:LONGEST_CELL], as_text if _SIGNED.match(cell) else None)
    return file.getvalue()


def _lines(rows: Sequence[Row], origin: Origin | None) -> Iterator[list[Cell]]:
    """The names of the columns, and then what was there with the answer that belongs beside it."""
    yield [*(origin.head if origin else HEAD[:1]), *ADDED]
    for cells, row in _beside(rows, origin):
        yield [*cells, *(_answer_cells(row) if row else [""] * len(ADDED))]


def _beside(rows: Sequence[Row], origin: Origin | None) -> Iterator[tuple[Sequence[str], Row | None]]:
    """A file is gone through once for each way it was asked."""
    if origin is None:
        yield from (((row.question,), row) for row in rows)
        return
    left = iter(rows)
    for _ in range(0, len(rows), len(origin.column.cells)):
        for cells in origin.sheet.rows:
            yield cells, next(left, None) if cells[origin.column.index].strip() else None


def _answer_cells(row: Row) -> list[Cell]:
    place = row.place
    quote = " ".join(place.quote.split()) if place else ""
    confidence = "" if row.confidence is None else round(row.confidence, 2)
    check = "yes" if row.doubtful else ""
    return [row.answer.text, row.document, place.page if place else "", quote, confidence, check]


def _in_csv(cell: Cell) -> str:
    return f"{cell:.2f}" if isinstance(cell, float) else _FORMULA.sub("'", str(cell))
