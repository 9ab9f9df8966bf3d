"""Questions about another passage of the same article that this passage does not answer, though it has their words.

A person who asks about a document asks such questions: on its subject, of what it does not tell.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from model.answering.words import plain_letters

_WORD = re.compile(r"[^\W\d_]{4,}|\d+")
_BEGINNING = 6  # letters: issue stands for issued
_LEAST_WORDS, _LEAST_SHARE = 3, 0.6  # of a question's words that a passage has to have


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """An answerable question about a context."""

    context: str
    question: str
    answers: Sequence[str]
    words: frozenset[str]


def questions_of_neighbours(rows: Iterable[dict]) -> dict[str, str]:
    """By context: of the questions about others of the same document the one that suits it best, if one does."""
    by_document: dict[str, list[_Asked]] = defaultdict(list)
    for row in rows:
        if row["answers"]:
            question = row["question"].strip()
            told = {"answers": row["answers"], "words": _words(question)}
            by_document[row["document"]].append(_Asked(context=row["context"], question=question, **told))
    nearest = {context: _nearest(context, asked) for asked in by_document.values() for context in _contexts(asked)}
    return {context: question for context, question in nearest.items() if question is not None}


def _contexts(asked: Sequence[_Asked]) -> Iterable[str]:
    return dict.fromkeys(one.context for one in asked)


def _nearest(context: str, asked: Sequence[_Asked]) -> str | None:
    """Of the questions that the context does not answer, the one that shares the largest part of its words."""
    words, text = _words(context), plain_letters(context)
    known = {one.question for one in asked if one.context == context}
    best, question = _LEAST_SHARE, None
    for one in asked:
        share = len(one.words & words) / max(1, len(one.words))
        suits = len(one.words) >= _LEAST_WORDS and one.context != context and one.question not in known
        if suits and share > best and not any(plain_letters(answer) in text for answer in one.answers):
            best, question = share, one.question
    return question


def _words(text: str) -> frozenset[str]:
    return frozenset(word[:_BEGINNING] for word in _WORD.findall(text.lower()))
