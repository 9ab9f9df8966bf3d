"""The engine of a benchmark, and its questions to a document, answered in batches as the page answers its lists."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

from app.commands.progress import ProgressLine
from app.questions import BATCH
from app.settings import Settings
from model.checkpoints import load_checkpoint
from model.engine import Engine
from model.types import EncodedDocument


def engine_for(arguments: argparse.Namespace, settings: Settings, line: ProgressLine) -> Engine:
    """The engine with the checkpoint that the arguments, or else the settings, name."""
    name = arguments.model or settings.model
    checkpoint = load_checkpoint(name, cache_folder=settings.cache_folder, progress=line.loading)
    if arguments.whole_document:
        checkpoint = replace(checkpoint, passage_tokens=None)
    return Engine(checkpoint, memory_precision=settings.precision)


def ask_all(engine: Engine, encoded: EncodedDocument, questions: Sequence[str]) -> list[str]:
    """The text of each answer, in the questions' order."""
    texts: list[str] = []
    for first in range(0, len(questions), BATCH):
        *_, answers = engine.answer_batch(encoded, questions[first : first + BATCH])
        texts += [answer.text for answer in answers]
    return texts
