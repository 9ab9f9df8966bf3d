"""Many questions and their answers as a table: what is asked at once, and how far it has come."""

import itertools
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from app.questions import Column, Form, Origin, Sheet
from app.sessions.changes import Changes
from model.errors import NO_MESSAGE, Message
from model.types import Answer, Evidence

Status = Literal["", "answering", "stopping", "done", "stopped", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A question to some documents. `sources` are their keys, `names` what they are called."""

    number: int
    question: str
    sources: tuple[str, ...]
    names: tuple[str, ...]
    answer: Answer

    @property
    def done(self) -> bool:
        return self.answer.finished and self.answer.stop_reason != "stopped"

    @property
    def confidence(self) -> float | None:
        """The probability that the answer is right, in 0..1; None until it is there, or where nothing was found."""
        return self.answer.confidence if self.done and self.answer.found else None

    @property
    def doubtful(self) -> bool:
        """Whether the person should check the answer."""
        return self.done and self.answer.doubtful

    @property
    def place(self) -> Evidence | None:
        """Where the answer stands first."""
        return self.answer.evidence[0] if self.answer.evidence else None

    @property
    def document(self) -> str:
        """The one that the answer comes from, or the only one that was asked."""
        return self.names[self.place.document_index] if self.place else self.names[0] if len(self.names) == 1 else ""


class Table:
    """The rows in their order. Each method holds the lock for a moment; the values it hands out are frozen."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._lock = threading.RLock()
        self._rows: dict[int, Row] = {}
        self._began = 0.0
        self.status: Status = ""
        self.sheet: Sheet | None = None  # the spreadsheet that was dropped last
        self.columns: tuple[Column, ...] = ()  # of it
        self.origin: Origin | None = None  # of the questions that are answered
        self.problem = NO_MESSAGE  # why it has failed, or could not be asked

    @property
    def size_bytes(self) -> int:
        cells = sum(len(cell) for column in self.columns for cell in column.cells)
        return cells + sum(2 * len(row.question) + row.answer.size_bytes for row in self.rows)

    @property
    def rows(self) -> tuple[Row, ...]:
        with self._lock:
            return tuple(self._rows.values())

    @property
    def answering(self) -> bool:
        return self.status in ("answering", "stopping")

    @property
    def done(self) -> int:
        return sum(row.done for row in self.rows)

    @property
    def seconds_left(self) -> float | None:
        """A guess; None before the first answers."""
        done = self.done
        return (time.monotonic() - self._began) * (len(self._rows) - done) / done if done else None

    @property
    def form(self) -> Form:
        """Of the file that the answers are written into: that of the spreadsheet that was dropped."""
        return self.sheet.form if self.sheet else "csv"

    def row(self, number: int) -> Row | None:
        return self._rows.get(number)

    def origin_of(self, questions: Sequence[str]) -> Origin | None:
        """The column that these questions are, unchanged and in their order."""
        same = (column for column in self.columns if column.cells == tuple(questions))
        column = next(same, None)
        return Origin(sheet=self.sheet, column=column) if self.sheet and column else None

    def begin(self, rows: Sequence[Row], origin: Origin | None = None) -> None:
        """Ask these, in place of what stood here."""
        with self._lock:
            self.origin = origin
            self._rows = {row.number: row for row in rows}
            self._began = time.monotonic()
            self.end("answering")

    def clear(self) -> None:
        self.begin(())
        self.end("")

    def stop(self) -> None:
        """Begin no further rows."""
        with self._lock:
            if self.status == "answering":
                self.end("stopping")

    def refuse(self, problem: Message) -> None:
        """What was to be asked cannot be asked; the table that stands stays."""
        self.problem = problem
        self._changes.notify()

    def end(self, status: Status, problem: Message = NO_MESSAGE) -> None:
        self.status, self.problem = status, problem
        self._changes.notify()

    def next(self, most: int) -> tuple[Row, ...]:
        """The next rows that can be answered together: they ask the same documents."""
        if self.status != "answering":
            return ()
        waiting = [row for row in self.rows if not row.done]
        same = itertools.takewhile(lambda row: row.sources == waiting[0].sources, waiting)
        return tuple(itertools.islice(same, most))

    def answer(self, rows: Sequence[Row], answers: Sequence[Answer]) -> None:
        """These rows have come further; it is news when one is finished."""
        with self._lock:
            before = self.done
            for row, answer in zip(rows, answers, strict=True):
                if row.number in self._rows:
                    self._rows[row.number] = replace(row, answer=answer)
            if self.done == before:
                return
        self._changes.notify()
