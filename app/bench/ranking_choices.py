"""What `ranking` learns from: the likely answers to questions, written out, and how good each of them is.

Rows of passages have an F1. Answers about real documents have one, too, or are right by the rules of their kind.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from app.bench.asking import ask_all
from app.bench.quality import row_document
from app.bench.real import AskedDocument, ask_document
from app.bench.real_scores import OPEN_KINDS, Outcome
from app.bench.rows import Row, by_context
from app.bench.scores import best, refuses, token_f1
from app.cli.progress import ProgressLine
from app.cli.reading import open_reader
from model.answering.beam_search import Candidate
from model.answering.prompts import NOT_IN_DOCUMENT
from model.answering.reranker import Features, QuestionContext, Reranker, features
from model.engine import Engine
from model.training.real_documents import is_for_development

LIKELIEST = {"log_probability": 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A row's candidates: what is known of each, and its F1, which for refusing what the text does not say is 1."""

    features: list[Features]
    gains: list[float]
    answerable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder(Reranker):
    """Chooses the likeliest, and keeps the candidates of each question, read off."""

    seen: dict[str, tuple[Sequence[str], list[Features]]] = field(default_factory=dict)

    def best(self, context: QuestionContext, answers: Sequence[str], candidates: Sequence[Candidate]) -> int:
        found = [features(context, text, one.log_probabilities) for text, one in zip(answers, candidates, strict=True)]
        self.seen[context.question] = answers, found
        return self.first(found)


def drawn(rows: Sequence[Row], contexts: int) -> list[Row]:
    """The rows of so many contexts, always the same ones."""
    every = sorted({row.context for row in rows})
    kept = set(random.Random(0).sample(every, min(contexts, len(every))))
    return [row for row in rows if row.context in kept]


def choices_of(engine: Engine, rows: Sequence[Row], line: ProgressLine) -> list[Choice]:
    """The candidates for each row that has several."""
    choices: list[Choice] = []
    groups = [[rows[index] for index in indices] for indices in by_context(rows)]
    for number, group in enumerate(groups, start=1):
        line.say(f"context {number:,} of {len(groups):,}")
        recorder = Recorder(weights=LIKELIEST)
        engine.answering = replace(engine.answering, reranker=recorder)
        ask_all(engine, engine.encode(row_document(group[0])), [row.question for row in group])
        choices += [choice(row, *recorder.seen[row.question]) for row in group if row.question in recorder.seen]
    return choices


def choice(row: Row, answers: Sequence[str], found: list[Features]) -> Choice:
    gains = [_gain(answer, row.answers) for answer in answers]
    return Choice(features=found, gains=gains, answerable=bool(row.answers))


def learnable(asked: Sequence[AskedDocument]) -> list[AskedDocument]:
    """Without documents that are for choosing settings, and without questions of whole texts: those are not decoded."""
    return [
        (document, [one for one in questions if one.kind not in OPEN_KINDS])
        for document, questions in asked
        if not is_for_development(document.id)
    ]


def choices_of_documents(engine: Engine, asked: Sequence[AskedDocument], line: ProgressLine) -> list[Choice]:
    """The candidates for each question about real documents that has several."""
    choices: list[Choice] = []
    with open_reader() as reader:
        for number, (document, questions) in enumerate(asked, start=1):
            line.say(f"document {number:,} of {len(asked):,}: {document.file.name}")
            recorder = Recorder(weights=LIKELIEST)
            engine.answering = replace(engine.answering, reranker=recorder)
            told = ask_document(engine, reader, document, questions)
            choices += [
                document_choice(one, *recorder.seen[one.question.question])
                for one in told
                if one.question.question in recorder.seen
            ]
    return choices


def document_choice(outcome: Outcome, answers: Sequence[str], found: list[Features]) -> Choice:
    """outcome: of the question; each of the answers is judged in its place."""
    wanted = outcome.question.answers
    gains = [_gain(answer, wanted) for answer in answers]
    if wanted:
        judged = [replace(outcome, text=answer, found=answer != NOT_IN_DOCUMENT) for answer in answers]
        gains = [max(float(one.right), gain) for one, gain in zip(judged, gains, strict=True)]
    return Choice(features=found, gains=gains, answerable=bool(wanted))


def _gain(answer: str, wanted: Sequence[str]) -> float:
    """How good an answer is by its words; where nothing is wanted, refusing is."""
    return best(token_f1, answer, wanted) if wanted else float(refuses(answer))
