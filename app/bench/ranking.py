"""`ranking`: fits the weights by which a checkpoint chooses among the likely answers, on rows that it may learn from.

Every row's candidates are written out once. Under a softmax of their scores the chosen one has an expected F1; the
weights are those for which its logarithm is largest on average. Then refusing is made as dear as `FALSE_REFUSALS` asks.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

from app.bench.asking import ask_all, engine_for
from app.bench.quality import row_document
from app.bench.rows import Row, by_context, read_rows
from app.bench.scores import best, refuses, token_f1
from app.cli.progress import ProgressLine
from model.answering.beam_search import Candidate
from model.answering.reranker import Features, QuestionContext, Reranker, features
from model.checkpoints.adapter import write_ranking
from model.engine import Engine
from model.errors import DocumentError

FALSE_REFUSALS = 0.06  # of the answerable rows with several candidates; of others it may be more
UNANSWERABLE = 0.5  # of an answerable row's weight
DECAY = 0.001  # of the squared distance to `LIKELIEST`
TIE = 0.001  # between answering and refusing is broken in favour of answering
LIKELIEST = {"log_probability": 1.0}

Weights = Mapping[str, float]


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

    def best(self, question: str, text: str, answers: Sequence[str], candidates: Sequence[Candidate]) -> int:
        asked = QuestionContext.of(question, text)
        found = [features(asked, text, one.log_probabilities) for text, one in zip(answers, candidates, strict=True)]
        self.seen[question] = answers, found
        return self.first(found)


def ranking(arguments: argparse.Namespace) -> None:
    line = ProgressLine(sys.stderr)
    try:
        rows = [row for file in arguments.data for row in drawn(read_rows(file), arguments.contexts)]
        choices = choices_of(engine_for(arguments, line), rows, line)
    finally:
        line.clear()
    weights = fit(choices)
    print(as_table(choices, weights))
    if arguments.write:
        write_ranking(weights)


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
        engine.reranker = recorder
        ask_all(engine, engine.encode(row_document(group[0])), [row.question for row in group])
        choices += [choice(row, *recorder.seen[row.question]) for row in group if row.question in recorder.seen]
    return choices


def choice(row: Row, answers: Sequence[str], found: list[Features]) -> Choice:
    gains = [best(token_f1, answer, row.answers) if row.answers else float(refuses(answer)) for answer in answers]
    return Choice(features=found, gains=gains, answerable=bool(row.answers))


def fit(choices: Sequence[Choice]) -> Weights:
    """The weights under which the candidates that gain most are chosen most often."""
    names = sorted({name for one in choices for found in one.features for name in found})
    told = [one for one in choices if max(one.gains) > 0]
    if not told:
        raise DocumentError(f"None of {len(choices)} rows has a right candidate: take rows that the model can answer.")
    most = max(len(one.gains) for one in told)
    table = torch.zeros(len(told), most, len(names))
    gains, absent = torch.zeros(len(told), most), torch.full((len(told), most), -torch.inf)
    for row, one in enumerate(told):
        count = len(one.gains)
        table[row, :count] = torch.tensor([[found.get(name, 0.0) for name in names] for found in one.features])
        gains[row, :count], absent[row, :count] = torch.tensor(one.gains), 0.0
    start = torch.tensor([LIKELIEST.get(name, 0.0) for name in names])
    importance = torch.tensor([1.0 if one.answerable else UNANSWERABLE for one in told])
    weights = start.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([weights], max_iter=300, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        expected = (torch.softmax(table @ weights + absent, dim=-1) * gains).sum(-1).clamp(min=1e-6)
        value = DECAY * (weights - start).square().sum() - (importance * expected.log()).mean()
        value.backward()
        return value

    optimizer.step(loss)
    return _refusing_less(choices, dict(zip(names, weights.tolist(), strict=True)))


def _refusing_less(choices: Sequence[Choice], weights: Weights) -> Weights:
    """The same weights with the price of refusing at which `FALSE_REFUSALS` of the answerable rows are refused."""
    scorer = Reranker(weights=weights)
    leads = []  # of refusing before the best answer
    for one in choices:
        refusing = [scorer.score(found) for found in one.features if "refuses" in found]
        answering = [scorer.score(found) for found in one.features if "refuses" not in found]
        if one.answerable and refusing and answering:
            leads.append(max(refusing) - max(answering))
    if not leads:
        return weights
    answerable = sum(one.answerable for one in choices)
    allowed = min(len(leads) - 1, round(FALSE_REFUSALS * answerable))
    return {**weights, "refuses": weights["refuses"] - sorted(leads, reverse=True)[allowed] - TIE}


def chosen(found: Sequence[Features], weights: Weights) -> int:
    return Reranker(weights=weights).first(found)


def as_table(choices: Sequence[Choice], weights: Weights) -> str:
    """The weights as JSON, and what they gain on the rows that they were fitted on."""
    lines = [json.dumps({name: round(weight, 3) for name, weight in weights.items()}, indent=2)]
    for label, answerable in (("answerable", True), ("unanswerable", False)):
        group = [one for one in choices if one.answerable is answerable]
        if group:
            before, after = (100 * sum(_gain(one, by) for one in group) / len(group) for by in (LIKELIEST, weights))
            lines.append(f"{len(group):,} {label}: {before:.1f} by likelihood, {after:.1f} by these weights")
    return "\n".join(lines)


def _gain(one: Choice, weights: Weights) -> float:
    return one.gains[chosen(one.features, weights)]
