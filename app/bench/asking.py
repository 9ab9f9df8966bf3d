"""A benchmark's questions to one document, answered in batches as the page answers its lists."""

from __future__ import annotations

from collections.abc import Sequence

from app.questions import BATCH
from model.engine import Engine
from model.types import EncodedDocument


def ask_all(engine: Engine, encoded: EncodedDocument, questions: Sequence[str]) -> list[str]:
    """The text of each answer, in the questions' order."""
    texts: list[str] = []
    for first in range(0, len(questions), BATCH):
        *_, answers = engine.answer_batch(encoded, questions[first : first + BATCH])
        texts += [answer.text for answer in answers]
    return texts
