"""`ranking`: fits the weights by which a checkpoint chooses among the likely answers, on what it may learn from.

Every question's candidates are written out once. Under a softmax of their scores the chosen one has an expected F1; the
weights are those for which its logarithm is largest on average. Then refusing is made as dear as `FALSE_REFUSALS` asks.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence

import torch

from app.bench.asking import engine_for
from app.bench.ranking_choices import LIKELIEST, Choice, choices_of, choices_of_documents, drawn, learnable
from app.bench.real import chosen_questions
from app.bench.rows import read_rows
from app.cli.progress import ProgressLine
from model.answering.reranker import Features, Reranker
from model.checkpoints.adapter import adapter_info, write_ranking
from model.errors import DocumentError

FALSE_REFUSALS = 0.06  # of the answerable rows with several candidates; of others it may be more
UNANSWERABLE = 0.5  # of an answerable row's weight
DECAY = 0.001  # of the squared distance to `LIKELIEST`, and of weights that are new
KEPT = 0.1  # of the squared distance to a checkpoint's own weights, where the fit goes on from them
TIE = 0.001  # between answering and refusing is broken in favour of answering

Weights = Mapping[str, float]


def ranking(arguments: argparse.Namespace) -> None:
    if not arguments.rows and not arguments.data:
        raise DocumentError("There is nothing to learn from: name --rows FILE or --data FOLDER, or both.")
    line = ProgressLine(sys.stderr)
    try:
        rows = [row for file in arguments.rows for row in drawn(read_rows(file), arguments.contexts)]
        asked = learnable(chosen_questions(arguments)) if arguments.data else []
        engine = engine_for(arguments, line)
        choices = [*choices_of(engine, rows, line), *choices_of_documents(engine, asked, line)]
    finally:
        line.clear()
    weights = fit(choices, adapter_info().ranking if arguments.go_on else None)
    print(as_table(choices, weights))
    if arguments.write:
        write_ranking(weights)


def fit(choices: Sequence[Choice], known: Weights | None = None) -> Weights:
    """The weights under which the candidates that gain most are chosen most often; they stay near the known ones."""
    known = known or {}
    names = sorted({name for one in choices for found in one.features for name in found} | known.keys())
    told = [one for one in choices if max(one.gains) > 0]
    if not told:
        raise DocumentError(
            "None of {count} rows has a right candidate: take rows that the model can answer.", count=len(choices)
        )
    most = max(len(one.gains) for one in told)
    table = torch.zeros(len(told), most, len(names))
    gains, absent = torch.zeros(len(told), most), torch.full((len(told), most), -torch.inf)
    for row, one in enumerate(told):
        count = len(one.gains)
        table[row, :count] = torch.tensor([[found.get(name, 0.0) for name in names] for found in one.features])
        gains[row, :count], absent[row, :count] = torch.tensor(one.gains), 0.0
    start = torch.tensor([(known or LIKELIEST).get(name, 0.0) for name in names])
    decay = torch.tensor([KEPT if name in known else DECAY for name in names])
    importance = torch.tensor([1.0 if one.answerable else UNANSWERABLE for one in told])
    weights = start.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([weights], max_iter=300, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        expected = (torch.softmax(table @ weights + absent, dim=-1) * gains).sum(-1).clamp(min=1e-6)
        value = (decay * (weights - start).square()).sum() - (importance * expected.log()).mean()
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
