"""`confidence`: fits how likely an answer is right, on questions about documents that were not trained on.

The documents are the development ones of `train` (`model/training/real_documents.py`), or a whole split. Their
questions are asked; of every answer that is given, its features and whether it is right are taken. What is printed is
cross-validated: each document's answers are judged by weights that were fitted on the other documents.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch.nn import functional

from app.bench.asking import engine_for
from app.bench.real import AskedDocument, ask_document, chosen_questions
from app.bench.reliability import as_lines, reliability
from app.cli.progress import ProgressLine
from app.cli.reading import open_reader
from model.answering.confidence import Calibration
from model.answering.reranker import Features
from model.checkpoints.adapter import write_calibration
from model.errors import DocumentError
from model.training.real_documents import is_for_development
from model.types import CalibrationWeights

MARKED_OF_WRONG = 0.8  # share of the wrong answers that the doubt mark stands under
FOLDS = 5
_DECAY = 0.02  # of the squared weights of standardised features, per answer
_STEPS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An answer that was given: what is known of it, and whether it is right."""

    document: str
    features: Features
    right: bool


class Recorder(Calibration):
    """Keeps the features of every answer; the confidence that it tells is the number of its features."""

    def __init__(self) -> None:
        super().__init__(CalibrationWeights(weights={}, doubt_below=0.0))
        self.seen: list[Features] = []

    def confidence(self, features: Features) -> float:
        self.seen.append(features)
        return float(len(self.seen) - 1)


def confidence(arguments: argparse.Namespace) -> None:
    asked = chosen_questions(arguments)
    if not arguments.all_documents:
        asked = [one for one in asked if is_for_development(one[0].id)]
    if not asked:
        raise DocumentError("{folder} has no documents for development: name another folder.", folder=arguments.data)
    answers = judged(arguments, asked)
    print(as_table(answers))
    if arguments.write:
        write_calibration(fit(answers))


def judged(arguments: argparse.Namespace, asked: Sequence[AskedDocument]) -> list[Judged]:
    """Ask all questions, and judge what is answered. Refusals and remarks are not judged: they bear no mark."""
    line = ProgressLine(sys.stderr)
    found: list[Judged] = []
    try:
        engine = engine_for(arguments, line)
        recorder = Recorder()
        engine.answering = replace(engine.answering, calibration=recorder)
        with open_reader() as reader:
            for number, (document, questions) in enumerate(asked, start=1):
                line.say(f"document {number:,} of {len(asked):,}: {document.file.name}")
                for one in ask_document(engine, reader, document, questions):
                    if one.given and one.is_rated:
                        features = recorder.seen[int(one.confidence)]
                        found.append(Judged(document=document.id, features=features, right=one.right))
    finally:
        line.clear()
    return found


def fit(answers: Sequence[Judged]) -> CalibrationWeights:
    """Logistic regression with the limit under which `MARKED_OF_WRONG` of these wrong answers are."""
    if len({one.right for one in answers}) < 2:
        raise DocumentError("Of {count} answers all are right, or none: ask about more documents.", count=len(answers))
    names = sorted({name for one in answers for name in one.features})
    inputs = torch.tensor([[one.features.get(name, 0.0) for name in names] for one in answers])
    labels = torch.tensor([float(one.right) for one in answers])
    mean, scale = inputs.mean(0), inputs.std(0).clamp(min=1e-3)
    weights, bias = torch.zeros(len(names), requires_grad=True), torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights, bias], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        told = (inputs - mean) / scale @ weights + bias
        value = functional.binary_cross_entropy_with_logits(told, labels) + _DECAY * weights.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    folded = weights.detach() / scale
    by_name = dict(zip(names, folded.tolist(), strict=True)) | {"bias": float(bias.detach() - folded @ mean)}
    return CalibrationWeights(weights=by_name, doubt_below=_limit(by_name, answers))


def _limit(weights: Mapping[str, float], answers: Sequence[Judged]) -> float:
    calibration = Calibration(CalibrationWeights(weights=weights, doubt_below=0.0))
    wrong = sorted(calibration.confidence(one.features) for one in answers if not one.right)
    return wrong[min(len(wrong) - 1, int(MARKED_OF_WRONG * len(wrong)))]


def cross_validated(answers: Sequence[Judged]) -> tuple[list[float], list[bool]]:
    """The confidence of every answer, and whether it is doubted, by weights that did not see its document."""
    order = {name: number for number, name in enumerate(dict.fromkeys(one.document for one in answers))}
    told, doubted = [0.0] * len(answers), [False] * len(answers)
    for fold in range(FOLDS):
        calibration = Calibration(fit([one for one in answers if order[one.document] % FOLDS != fold]))
        for index, one in enumerate(answers):
            if order[one.document] % FOLDS == fold:
                told[index] = calibration.confidence(one.features)
                doubted[index] = calibration.is_doubtful(told[index])
    return told, doubted


def as_table(answers: Sequence[Judged]) -> str:
    told, doubted = cross_validated(answers)
    right = [one.right for one in answers]
    lines = [f"{len(answers):,} answers, {sum(right):,} right; cross-validated by document:"]
    for name, group in (("wrong", False), ("right", True)):
        marks = [doubt for doubt, is_right in zip(doubted, right, strict=True) if is_right is group]
        lines.append(f"{'doubtful of ' + name:<22}{sum(marks):>6} of {len(marks):>4}{_per_cent(marks):>6.0f}%")
    weights = fit(answers)
    lines += as_lines(reliability(told, right))
    lines += [f"{name:<22}{weight:>13.3f}" for name, weight in sorted(weights.weights.items())]
    return "\n".join([*lines, f"{'doubt below':<22}{weights.doubt_below:>13.3f}"])


def _per_cent(marks: Sequence[bool]) -> float:
    return 100 * sum(marks) / max(1, len(marks))
