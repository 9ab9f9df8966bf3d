"""`real`: real documents asked what people ask of them, by kind, with evidence pages, refusals and doubt.

A folder has `documents.jsonl`, `questions.jsonl` and `files/`. Each file is read once, by the app's own reader, and its
questions are answered in batches, as the page answers lists; a follow-up is asked with the turns before it. A file that
fails makes all its questions wrong, and so is a question without an answer.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from app.bench.asking import engine_for
from app.bench.real_answers import append_outcomes, read_outcomes
from app.bench.real_rows import RealDocument, RealQuestion, read_documents, read_questions
from app.bench.real_scores import Outcome, Tally, side
from app.bench.reliability import as_lines, reliability
from app.bench.results import as_result
from app.cli.progress import ProgressLine
from app.cli.reading import open_reader
from app.documents import DocumentReader
from app.questions import BATCH
from model.engine import Engine
from model.errors import DocumentError, ReadonceError
from model.types import Answer, EncodedDocument, Turn

AskedDocument = tuple[RealDocument, list[RealQuestion]]
"""A document and what is asked about it."""


def real(arguments: argparse.Namespace) -> None:
    asked = chosen_questions(arguments)
    known = read_outcomes(arguments.answers, asked) if arguments.answers else []
    outcomes = [*known, *_ask(arguments, _unanswered(asked, known))]
    print(as_result(figures(outcomes)) if arguments.json else as_table(outcomes))


def _ask(arguments: argparse.Namespace, asked: Sequence[AskedDocument]) -> list[Outcome]:
    """Ask, and keep the answers about each document as soon as they are there, where a file is named."""
    if not asked:
        return []
    line = ProgressLine(sys.stderr)
    outcomes: list[Outcome] = []
    try:
        engine = engine_for(arguments, line)
        with open_reader() as reader:
            for number, (document, questions) in enumerate(asked, start=1):
                line.say(f"document {number:,} of {len(asked):,}: {document.file.name}")
                answered = ask_document(engine, reader, document, questions)
                outcomes += answered
                if arguments.answers:
                    append_outcomes(arguments.answers, answered)
    finally:
        line.clear()
    return outcomes


def _unanswered(asked: Sequence[AskedDocument], known: Sequence[Outcome]) -> list[AskedDocument]:
    done = {one.question.document for one in known}
    return [(document, questions) for document, questions in asked if document.id not in done]


def chosen_questions(arguments: argparse.Namespace) -> list[AskedDocument]:
    """The documents of the split, the first `limit` of them, or those that are named, each with its questions."""
    by_document: dict[str, list[RealQuestion]] = {}
    for question in read_questions(arguments.data):
        by_document.setdefault(question.document, []).append(question)
    documents = [
        one for one in read_documents(arguments.data) if one.split == arguments.split and one.id in by_document
    ]
    if arguments.documents:
        documents = [one for one in documents if one.id in arguments.documents]
    if not documents:
        raise DocumentError(
            "{folder} has no questions about documents of the split {split!r}.",
            folder=arguments.data,
            split=arguments.split,
        )
    return [(one, by_document[one.id]) for one in documents[: arguments.limit]]


def ask_document(
    engine: Engine, reader: DocumentReader, document: RealDocument, questions: Sequence[RealQuestion]
) -> list[Outcome]:
    """What became of a document's questions, those without turns together, the others one by one."""
    try:
        encoded = _encoded(engine, reader, document)
        return [
            _outcome(document, question, answer)
            for part in _batches(questions)
            for question, answer in zip(part, _answers(engine, encoded, part), strict=True)
        ]
    except ReadonceError as error:
        failed = str(error)
        return [Outcome(question=one, has_pages=document.has_pages, failed=failed) for one in questions]


def as_table(outcomes: Sequence[Outcome]) -> str:
    found = figures(outcomes)
    lines = [f"{'kind':<22}{'rows':>6}{'right':>7}{'%':>6}{'refused':>9}{'wrong':>7}"]
    for kind, tally in found["kinds"].items():
        share = f"{100 * tally['right'] / tally['rows']:.0f}"
        lines.append(
            f"{kind:<22}{tally['rows']:>6}{tally['right']:>7}{share:>6}{tally['refused']:>9}{tally['wrong']:>7}"
        )
    for name in ("evidence_page", "doubtful_of_wrong", "doubtful_of_right"):
        lines.append(f"{name.replace('_', ' '):<22}{found[name]['rows']:>6}{found[name]['counted']:>7}")
    return "\n".join([*lines, *as_lines(found["reliability"])])


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """By kind, the most frequent first; the first evidence page of files with several; the marks of what was given."""
    groups: dict[str, list[Outcome]] = {}
    for one in outcomes:
        groups.setdefault(one.question.kind, []).append(one)
        if judgement := side(one.question):
            groups.setdefault(f"yes-no: {judgement}", []).append(one)
    kinds = dict(sorted(groups.items(), key=lambda item: -len(item[1])))
    kinds |= {
        "answerable": [one for one in outcomes if one.question.answers],
        "not answerable": [one for one in outcomes if not one.question.answers],
        "all": list(outcomes),
    }
    given = [one for one in outcomes if one.given]
    return {
        "questions": len(outcomes),
        "documents": len({one.question.document for one in outcomes}),
        "failed_documents": sorted({one.question.document for one in outcomes if one.failed}),
        "kinds": {kind: asdict(Tally.of(group)) for kind, group in kinds.items() if group},
        "evidence_page": _counted([one.page_is_right for one in outcomes if one.is_placed]),
        "doubtful_of_wrong": _counted([one.doubtful for one in given if not one.right]),
        "doubtful_of_right": _counted([one.doubtful for one in given if one.right]),
        "reliability": reliability([one.confidence for one in given], [one.right for one in given]),
    }


def _counted(marks: Sequence[bool]) -> dict[str, int]:
    return {"rows": len(marks), "counted": sum(marks)}


def _encoded(engine: Engine, reader: DocumentReader, document: RealDocument) -> EncodedDocument:
    """As `ask` reads a file."""
    opened = reader.read(document.file, name=document.file.name)
    try:
        return engine.encode(opened.document, views="auto", picture=opened.picture)
    finally:
        opened.images.close()


def _batches(questions: Sequence[RealQuestion]) -> Iterator[Sequence[RealQuestion]]:
    alone = [question for question in questions if not question.turns]
    yield from (alone[first : first + BATCH] for first in range(0, len(alone), BATCH))
    yield from ([question] for question in questions if question.turns)


def _answers(engine: Engine, encoded: EncodedDocument, questions: Sequence[RealQuestion]) -> tuple[Answer, ...]:
    history: tuple[Turn, ...] = questions[0].turns
    *_, answers = engine.answer_batch(encoded, [one.question for one in questions], history=history)
    return answers


def _outcome(document: RealDocument, question: RealQuestion, answer: Answer) -> Outcome:
    return Outcome(
        question=question,
        has_pages=document.has_pages,
        text=answer.text,
        pages=tuple(place.page for place in answer.evidence),
        doubtful=answer.doubtful,
        confidence=answer.confidence,
        found=answer.found,
        is_rated=not answer.is_message and bool(answer.text) and answer.stop_reason != "stopped",
    )
