"""`evidence`: how often the first page chip under an answer names the page where the answer stands.

The documents are made of rows with known answers: each page is one row's context, so the right page is known. All
questions to a document are answered from one reading of it.
"""

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.bench.rows import Row, read_rows
from app.bench.scores import best, refuses, token_f1
from app.commands.progress import ProgressLine
from app.receipts import doubtful
from app.settings import Settings
from model.checkpoints import load_checkpoint
from model.engine import Engine
from model.types import Answer, Document, Page

A4 = (595.0, 842.0)  # points; a row has no real page
RIGHT_F1 = 0.5  # from here on an answer counts as right: it says the same in somewhat other words


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A row, the page of its document that it was asked about, and the answer that it got."""

    row: Row
    page: int
    answer: Answer

    @property
    def first_is_right(self) -> bool:
        return bool(self.answer.evidence) and self.answer.evidence[0].page == self.page

    @property
    def answer_is_right(self) -> bool:
        return best(token_f1, self.answer.text, self.row.answers) >= RIGHT_F1


def evidence(arguments: argparse.Namespace) -> None:
    rows = [row for row in read_rows(arguments.data) if row.answers]
    settings = Settings.from_environment(os.environ)
    line = ProgressLine(sys.stderr)
    try:
        name = arguments.model or settings.model
        engine = Engine(load_checkpoint(name, cache_folder=settings.cache_folder, progress=line.loading))
        documents = list(_documents(rows, arguments.pages, arguments.documents))
        asked: list[Question] = []
        for number, contexts in enumerate(documents, start=1):
            line.say(f"document {number:,} of {len(documents):,}")
            asked += _ask(engine, contexts)
    finally:
        line.clear()
    figures = _figures(asked, pages=arguments.pages)
    print(json.dumps(figures, indent=2) if arguments.json else _table(figures))


def _documents(rows: Sequence[Row], pages: int, most: int) -> Iterator[list[Row]]:
    """One question about each page: rows whose contexts differ, `pages` of them to a document."""
    by_context = list({row.context: row for row in rows}.values())
    for number in range(min(most, len(by_context) // pages)):
        yield by_context[number * pages : (number + 1) * pages]


def _ask(engine: Engine, rows: Sequence[Row]) -> list[Question]:
    pages = tuple(
        Page(number=number, text=row.context, words=(), width=A4[0], height=A4[1]) for number, row in enumerate(rows, 1)
    )
    name = hashlib.sha256("".join(row.context for row in rows).encode()).hexdigest()
    encoded = engine.encode(Document(name=name, sha256=name, pages=pages))
    *_, answers = engine.answer_batch(encoded, [row.question for row in rows])
    return [
        Question(row=row, page=number, answer=answer)
        for number, (row, answer) in enumerate(zip(rows, answers, strict=True), start=1)
    ]


def _figures(asked: Sequence[Question], *, pages: int) -> dict[str, float | int | None]:
    """Figures in per cent of questions; None where there is none to count."""
    answered = [one for one in asked if not refuses(one.answer.text)]
    found = [one for one in answered if one.answer.evidence and one.answer.evidence[0].verbatim]
    right = [one for one in asked if one.answer_is_right]
    marked = [one for one in answered if doubtful(one.answer)]
    unmarked = [one for one in answered if not doubtful(one.answer)]
    return {
        "questions": len(asked),
        "pages_a_document": pages,
        "first_chip_right": _share(asked, "first_is_right"),
        "first_chip_right_where_answered": _share(answered, "first_is_right"),
        "first_chip_right_where_answer_right": _share(right, "first_is_right"),
        "first_chip_right_where_found_as_text": _share(found, "first_is_right"),
        "answered": _per_cent(len(answered), len(asked)),
        "answer_right": _share(asked, "answer_is_right"),
        "marked_doubtful": _per_cent(len(marked), len(answered)),
        "answer_right_where_marked": _share(marked, "answer_is_right"),
        "answer_right_where_not_marked": _share(unmarked, "answer_is_right"),
    }


def _share(asked: Sequence[Question], what: str) -> float | None:
    return _per_cent(sum(getattr(one, what) for one in asked), len(asked))


def _per_cent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None


def _table(figures: dict[str, float | int | None]) -> str:
    return "\n".join(
        f"{name.replace('_', ' '):<40}{'-' if value is None else value:>8}" for name, value in figures.items()
    )
