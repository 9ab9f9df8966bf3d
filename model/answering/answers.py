"""Answers to questions of all kinds: some are quoted at once, the others are decoded together."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from model.answering.confidence import Calibration, quoted_features
from model.answering.definitions import definition
from model.answering.document_index import DocumentIndexes
from model.answering.generation import Generation
from model.answering.listed_items import listed
from model.answering.table_answers import from_tables
from model.answering.whole_document import instead_of_nothing, quoted
from model.types import Answer, EncodedDocument, Intent, Turn

_OF_TABLES: frozenset[Intent] = frozenset(("fact", "compare", "calculate", "list_all", "count_all"))


def answers(
    generation: Generation,
    encodings: Sequence[EncodedDocument],
    questions: Sequence[str],
    intents: Sequence[Intent],
    *,
    history: Sequence[Turn],
    indexes: DocumentIndexes,
    calibration: Calibration | None,
) -> Iterator[tuple[Answer, ...]]:
    """Snapshots of the answers in the questions' order. intents: what each question wants."""
    started = time.perf_counter()
    latest = [
        _without_decoder(question, intent, encodings, indexes, calibration)
        for question, intent in zip(questions, intents, strict=True)
    ]
    seconds = time.perf_counter() - started
    latest = [answer and replace(answer, seconds=seconds, first_token_seconds=seconds) for answer in latest]
    decoded = [index for index, answer in enumerate(latest) if answer is None]
    if not decoded:
        yield tuple(answer for answer in latest if answer is not None)
        return
    asked, wanted = [questions[index] for index in decoded], [intents[index] for index in decoded]
    for some in generation.answers(asked, history, wanted):
        for index, intent, answer in zip(decoded, wanted, some, strict=True):
            nothing = answer.finished and answer.is_message
            latest[index] = _rated(instead_of_nothing(intent, answer, encodings), calibration) if nothing else answer
        yield tuple(answer for answer in latest if answer is not None)


def _without_decoder(
    question: str,
    intent: Intent,
    encodings: Sequence[EncodedDocument],
    indexes: DocumentIndexes,
    calibration: Calibration | None,
) -> Answer | None:
    """What tables, definitions or lists decide, or what is quoted; None where the decoder is to answer."""
    if not any(one.is_excerpt for one in encodings):  # otherwise rows or items may be missing
        if intent in _OF_TABLES and (answer := from_tables(question, encodings, indexes)):
            return answer
        documents = [one.document for one in encodings]
        if answer := definition(question, documents) or listed(question, documents):
            return answer
    return _rated(quoted(intent, question, encodings), calibration)


def _rated(answer: Answer | None, calibration: Calibration | None) -> Answer | None:
    """A quoted answer with the share of such answers that are right."""
    if answer is None or answer.is_message or calibration is None:
        return answer
    confidence = calibration.confidence(quoted_features())
    return replace(answer, confidence=confidence, doubtful=calibration.is_doubtful(confidence))
