"""`router`: fits what tells facts from other questions, and says how well it does on phrasings that it has not seen.

The folder has `intents.jsonl`, phrasings with their intents, and `questions.jsonl`, what people ask of real documents:
those of a sixth of the documents are learnt as facts, those of another sixth tell how many facts are lost. Questions
about whole documents are learnt, too. Their rows name no intent, only a kind, which allows some intents; a first fit on
the phrasings chooses among those.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast, get_args
from zlib import crc32

import torch

from app.bench.asking import engine_for
from app.bench.real_rows import RealQuestion, read_questions
from app.cli.progress import ProgressLine
from model.checkpoints.adapter import write_router
from model.checkpoints.checkpoint import Checkpoint
from model.errors import DocumentError
from model.training.router import AS_FACTS, Learnt, features_of, fit, least_probability, likeliest_among, routed
from model.types import Intent, RouterWeights

FALSE_ALARMS = 0.015  # share of facts that may be lost
OTHER_KINDS = ("whole-document", "instruction", "section", "follow-up")  # of real questions: these are no facts
_INTENTS_OF_KIND: dict[str, tuple[Intent, ...]] = {
    "whole-document": ("about", "summary", "key_points", "title", "authors", "date", "audience"),
    "instruction": ("summary", "key_points"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrasing:
    """A question and what it wants. `seen`: it is learnt; otherwise it is measured with.

    among: what it may want, where that is not known for certain; then `intent` is the first of them until it is fitted.
    """

    text: str
    intent: Intent
    language: str
    seen: bool
    real: bool = False  # asked of a real document
    among: tuple[Intent, ...] = ()


def router(arguments: argparse.Namespace) -> None:
    line = ProgressLine(sys.stderr)
    phrasings = [*read_phrasings(arguments.data / "intents.jsonl"), *real_phrasings(arguments.data)]
    try:
        checkpoint = engine_for(arguments, line).checkpoint
        weights, table = fitted(checkpoint, phrasings, line)
    finally:
        line.clear()
    print(table)
    if arguments.write:
        write_router(weights)


def fitted(checkpoint: Checkpoint, phrasings: Sequence[Phrasing], line: ProgressLine) -> tuple[RouterWeights, str]:
    """The weights, and how they do on what was not learnt."""
    texts = [one.text for one in phrasings]
    features = features_of(checkpoint, texts, lambda done: line.say(f"{done:,} of {len(texts):,} questions"))
    phrasings = with_intents(phrasings, features)
    weights = _fit(phrasings, features)
    facts = torch.tensor([one.real and not one.among and not one.seen for one in phrasings])
    weights = replace(weights, least=least_probability(weights, features[facts], FALSE_ALARMS))
    unseen = [(one, told) for one, told in zip(phrasings, routed(weights, features), strict=True) if not one.seen]
    return weights, as_table(unseen, weights.least)


def with_intents(phrasings: Sequence[Phrasing], features: torch.Tensor) -> list[Phrasing]:
    """The phrasings (N) with features (N, F); of each that may want several intents, the likeliest is chosen."""
    weights = _fit([replace(one, seen=one.seen and not one.among) for one in phrasings], features)
    return [
        replace(one, intent=likeliest_among(weights, its_features, one.among)) if one.among else one
        for one, its_features in zip(phrasings, features, strict=True)
    ]


def _fit(phrasings: Sequence[Phrasing], features: torch.Tensor) -> RouterWeights:
    """From those that are to be learnt."""
    seen = torch.tensor([one.seen for one in phrasings])
    return fit(Learnt(features=features[seen], intents=[one.intent for one in phrasings if one.seen]))


def as_table(told: Sequence[tuple[Phrasing, Intent]], least: float) -> str:
    """Of phrasings that were not learnt, by intent and by language: how many are told rightly."""
    groups: dict[str, list[bool]] = {}
    for one, intent in told:
        right = intent in (one.among or (one.intent,)) or {intent, one.intent} <= AS_FACTS
        if one.among:
            groups.setdefault("whole documents", []).append(right)
        elif one.real:
            groups.setdefault("facts about real documents", []).append(right)
        else:
            groups.setdefault(f"intent {one.intent}", []).append(right)
            groups.setdefault(f"language {one.language}", []).append(right)
            groups.setdefault("all phrasings", []).append(right)
    lines = [f"told rightly, of what was not learnt (least probability {least:.3f}):"]
    for name, marks in sorted(groups.items()):
        lines.append(f"{name:<30}{sum(marks):>6} of {len(marks):>5}{100 * sum(marks) / len(marks):>7.1f}%")
    return "\n".join(lines)


def read_phrasings(file: Path) -> list[Phrasing]:
    """The rows of `intents.jsonl`. Raises DocumentError where there are none, or one is none."""
    try:
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line.strip()]
        found = [
            Phrasing(
                text=row["text"],
                intent=cast(Intent, row["intent"]),
                language=row["language"],
                seen=row["split"] == "train",
            )
            for row in rows
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DocumentError(
            "{file} has no phrasings ({why}): name a folder with intents.jsonl.", file=file, why=repr(error)
        ) from error
    if unknown := {one.intent for one in found} - set(get_args(Intent)):
        raise DocumentError("{file} has unknown intents: {intents}.", file=file, intents=", ".join(sorted(unknown)))
    return found


def real_phrasings(folder: Path) -> list[Phrasing]:
    """What is asked of `train` documents: facts of two sixths of them, and questions about each as a whole."""
    return [
        Phrasing(
            text=question.question,
            intent=among[0] if among else "fact",
            language="",
            seen=_part(question) != 1,
            real=True,
            among=among,
        )
        for question in read_questions(folder)
        if question.split == "train"
        and (
            (among := _INTENTS_OF_KIND.get(question.kind, ()))
            or (question.kind not in OTHER_KINDS and _part(question) < 2)
        )
    ]


def _part(question: RealQuestion) -> int:
    """Which sixth of the documents a question is about."""
    return crc32(question.document.encode()) % 6
