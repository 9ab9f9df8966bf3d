"""Many questions at once: from a list or a spreadsheet, and what is wrong with one that cannot be asked."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from app.documents.charsets import decode
from app.documents.delimited import separator
from model.answering.questions import checked_question
from model.errors import QuestionError

MOST_QUESTIONS = 500
MOST_BYTES = 2_000_000  # of a spreadsheet: 500 questions are far smaller
BATCH = 16  # answered together; the next sixteen wait until these are answered
_ARCHIVE = b"PK\x03\x04"  # what an Excel workbook begins with
NAMES = ("question", "frage", "pregunta", "domanda", "问题")  # French writes it as English does


Form = Literal["csv", "xlsx"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A spreadsheet as it is, empty rows in between included. `names` are those of its columns, empty without any."""

    form: Form
    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]  # all as long as the longest


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a spreadsheet: its name, its place, and the cells below it that are not empty."""

    name: str
    index: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the questions of a list come from: a column of a file, whose other columns are kept beside the answers."""

    sheet: Sheet
    column: Column

    @property
    def head(self) -> tuple[str, ...]:
        """What stands above the columns; nothing above those without a name but the questions."""
        return tuple(
            name or (self.column.name if index == self.column.index else "")
            for index, name in enumerate(self.sheet.names)
        )


def checked_questions(texts: Iterable[str]) -> tuple[str, ...]:
    """The questions of a list without its empty lines; raises QuestionError for an empty list, or one too long."""
    questions = [(number, text.strip()) for number, text in enumerate(texts, start=1) if text.strip()]
    if not questions:
        raise QuestionError("The list has 0 questions. Write one a line.")
    if len(questions) > MOST_QUESTIONS:
        raise QuestionError(
            "The list has {number:,} questions; the limit is {limit:,} at once. Ask the first ones, then the rest.",
            number=len(questions),
            limit=MOST_QUESTIONS,
        )
    return tuple(_checked(number, text) for number, text in questions)


def check_size(name: str, size: int) -> None:
    """Raises QuestionError for a file of more bytes than a list of questions has; it can be asked before it is read."""
    if size > MOST_BYTES:
        raise QuestionError(
            "{name} has {size:,} bytes; a list of questions may have {limit:,}. Keep only the questions.",
            name=name,
            size=size,
            limit=MOST_BYTES,
        )


def is_workbook(data: bytes) -> bool:
    """Whether the file is to be read as an Excel workbook, by a worker, and not as text."""
    return data.startswith(_ARCHIVE)


def read_sheet(name: str, data: bytes) -> Sheet:
    """The cells of a CSV file. Raises QuestionError for one that is too large, is no text, or has no row."""
    text = _text(name, data)
    return sheet_of(name, list(csv.reader(io.StringIO(text), delimiter=_separator(text))), size=len(data), form="csv")


def sheet_of(name: str, rows: Sequence[Sequence[str]], *, size: int, form: Form) -> Sheet:
    """The cells of a file of so many bytes. Raises QuestionError where none of them holds anything."""
    filled = [at for at, row in enumerate(rows) if any(map(str.strip, row))]
    if not filled:
        raise QuestionError(
            "{name} has no column: its {size:,} bytes hold 0 rows. Put one question in each row.", name=name, size=size
        )
    rows = rows[filled[0] : filled[-1] + 1]
    width = max(map(len, rows))
    named = _has_names(rows[0])
    whole = [(*row, *[""] * (width - len(row))) for row in rows]
    names = tuple(map(str.strip, whole[0])) if named else ("",) * width
    return Sheet(form=form, names=names, rows=tuple(whole[named:]))


def columns(name: str, data: bytes) -> tuple[Column, ...]:
    """The columns of a CSV file, as `columns_of` gives them. Raises QuestionError as `read_sheet` does, too."""
    return columns_of(name, read_sheet(name, data))


def columns_of(name: str, sheet: Sheet) -> tuple[Column, ...]:
    """The columns of a spreadsheet of this name, the one that looks most like questions first.

    Raises QuestionError for one without a filled column.
    """
    found = [
        Column(name=title or f"Column {index + 1}", index=index, cells=_below(sheet.rows, index))
        for index, title in enumerate(sheet.names)
    ]
    found = [column for column in found if column.cells]
    if not found:
        raise QuestionError(
            "{name} has names of columns, but 0 rows below them. Put one question in each row.", name=name
        )
    return tuple(sorted(found, key=_likeness, reverse=True))


def _checked(number: int, text: str) -> str:
    try:
        return checked_question(text)
    except QuestionError as error:
        raise QuestionError(
            "Line {number:,} of the list cannot be asked. {reason}", number=number, reason=error.message
        ) from error


def _text(name: str, data: bytes) -> str:
    check_size(name, len(data))
    decoded = decode(data)
    if decoded is None:
        raise QuestionError(
            "{name} is no text (it begins with {bytes}). Save the table as CSV and drop that.",
            name=name,
            bytes=data[:8].hex(" "),
        )
    return decoded.text


def _separator(text: str) -> str:
    """The one that cuts the rows alike; in a list of questions a comma is none."""
    first = text.partition("\n")[0]
    return separator(text) if not first.rstrip().endswith(("?", "？")) or "\t" in first else "\t"


def _has_names(row: Sequence[str]) -> bool:
    """Whether a first row names the columns: a name is short and asks nothing."""
    return any(_is_name_of_questions(cell) for cell in row) or (
        len(row) > 1 and all(0 < len(cell.strip()) <= 30 and "?" not in cell for cell in row)
    )


def _is_name_of_questions(cell: str) -> bool:
    return len(cell) <= 30 and "?" not in cell and any(name in cell.lower() for name in NAMES)


def _below(rows: Sequence[Sequence[str]], index: int) -> tuple[str, ...]:
    cells = (" ".join(row[index].split()) for row in rows if index < len(row))
    return tuple(cell for cell in cells if cell)


def _likeness(column: Column) -> tuple[bool, float]:
    asking = sum(cell.endswith(("?", "？")) for cell in column.cells) / len(column.cells)
    return _is_name_of_questions(column.name), asking
