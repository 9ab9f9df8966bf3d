"""`evidence`: how often the first page chip under an answer names the page where the answer stands.

The documents are bundles of generated papers (`bundles.py`), or are made of rows with known answers, each page the
context of one row: so the right page is known. All questions to a document are answered from one reading of it.
"""

import argparse
import hashlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.bench.asking import engine_for
from app.bench.bundles import Bundle, BundleQuestion, make_bundles
from app.bench.results import as_result
from app.bench.rows import Row, read_rows
from app.bench.scores import best, refuses, token_f1
from app.cli.progress import ProgressLine
from model.engine import Engine
from model.types import Answer, Document, Page

A4 = (595.0, 842.0)  # points; a row has no real page
BATCH = 16  # questions answered together
RIGHT_F1 = 0.5  # from here on an answer counts as right: it says the same in somewhat other words


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What was asked, and the answer that it got."""

    asked: BundleQuestion
    answer: Answer

    @property
    def first_is_right(self) -> bool:
        return bool(self.answer.evidence) and self.answer.evidence[0].page == self.asked.page

    @property
    def answer_is_right(self) -> bool:
        return best(token_f1, self.answer.text, self.asked.answers) >= RIGHT_F1


def evidence(arguments: argparse.Namespace) -> None:
    pages, most = arguments.pages, arguments.documents
    if arguments.data:
        rows = [row for row in read_rows(arguments.data) if row.answers]
        bundles = list(bundles_of_rows(rows, pages, most))
    else:
        bundles = list(make_bundles(most, pages, arguments.seed))
    line = ProgressLine(sys.stderr)
    try:
        engine = engine_for(arguments, line)
        asked: list[Question] = []
        for number, bundle in enumerate(bundles, start=1):
            line.say(f"document {number:,} of {len(bundles):,}")
            asked += _ask(engine, bundle)
    finally:
        line.clear()
    figures = _figures(asked, pages=pages)
    print(as_result(figures) if arguments.json else _table(figures))


def bundles_of_rows(rows: Sequence[Row], pages: int, most: int) -> Iterator[Bundle]:
    """One question about each page: rows whose contexts differ, `pages` of them to a document."""
    by_context = list({row.context: row for row in rows}.values())
    for first in range(0, min(most * pages, len(by_context) - pages + 1), pages):
        taken = list(enumerate(by_context[first : first + pages], start=1))
        name = hashlib.sha256("".join(row.context for _, row in taken).encode()).hexdigest()
        texts = tuple(
            Page(number=number, text=row.context, words=(), width=A4[0], height=A4[1]) for number, row in taken
        )
        questions = tuple(
            BundleQuestion(question=row.question, answers=row.answers, page=number) for number, row in taken
        )
        yield Bundle(document=Document(name=name, sha256=name, pages=texts), questions=questions)


def _ask(engine: Engine, bundle: Bundle) -> Iterator[Question]:
    encoded = engine.encode(bundle.document)
    for first in range(0, len(bundle.questions), BATCH):
        asked = bundle.questions[first : first + BATCH]
        *_, answers = engine.answer_batch(encoded, [one.question for one in asked])
        yield from (Question(asked=one, answer=answer) for one, answer in zip(asked, answers, strict=True))


def _figures(asked: Sequence[Question], *, pages: int) -> dict[str, float | int | None]:
    """Figures in per cent of questions; None where there is none to count."""
    answered = [one for one in asked if not refuses(one.answer.text)]
    found = [one for one in answered if one.answer.evidence and one.answer.evidence[0].verbatim]
    right = [one for one in asked if one.answer_is_right]
    marked = [one for one in answered if one.answer.doubtful]
    unmarked = [one for one in answered if not one.answer.doubtful]
    return {
        "questions": len(asked),
        "pages_a_document": pages,
        "first_chip_right": _share(asked, "first_is_right"),
        "first_chip_right_where_answered": _share(answered, "first_is_right"),
        "first_chip_right_where_answer_right": _share(right, "first_is_right"),
        "first_chip_right_where_found_as_text": _share(found, "first_is_right"),
        "first_chip_right_where_not_marked": _share(unmarked, "first_is_right"),
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
