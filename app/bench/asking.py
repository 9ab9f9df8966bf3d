"""The engine of a benchmark, and its questions to a document, answered in batches as the page answers its lists."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

from app.cli.progress import ProgressLine
from app.cli.reading import load_engine
from app.questions import BATCH
from model.engine import Engine
from model.types import EncodedDocument


def engine_for(arguments: argparse.Namespace, line: ProgressLine) -> Engine:
    """The engine that the arguments ask for."""
    engine = load_engine(arguments.model, line, quantized=not arguments.exact_weights)
    if arguments.whole_document:
        engine.checkpoint = replace(engine.checkpoint, passage_tokens=None)
    return engine


def ask_all(engine: Engine, encoded: EncodedDocument, questions: Sequence[str]) -> list[str]:
    """The text of each answer, in the questions' order."""
    texts: list[str] = []
    for first in range(0, len(questions), BATCH):
        *_, answers = engine.answer_batch(encoded, questions[first : first + BATCH])
        texts += [answer.text for answer in answers]
    return texts
