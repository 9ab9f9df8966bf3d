"""Checks of questions. It does not import torch, so that page and command line can check before anything slow."""

import re
from collections.abc import Sequence

from model.errors import QuestionError
from model.types import Turn

LONGEST_QUESTION = 2_000  # characters

# Words that refer to something said before, in the page's languages.
_REFERENCES = re.compile(
    r"\b(he|she|it|they|him|her|them|his|hers|its|their|this|that|these|those|there|then"
    r"|il|elle|ils|elles|lui|leur|cela|ça|sie|ihn|ihm|ihr|ihre|sein|seine|dies|diese|dort|él|ella|ellos|eso|esto|allí)\b"
    r"|^(and|et|und|y|why|pourquoi|warum|por qué)\b|[他她它这那]",
    re.IGNORECASE,
)


def refers_back(question: str) -> bool:
    """Whether a question refers to earlier turns. One that does not is answered better without them."""
    return _REFERENCES.search(question.strip()) is not None


def words_of_last_turn(history: Sequence[Turn]) -> str:
    """The last turn as text to search for behind a question that refers to it; empty without one."""
    return "".join(f" {turn.question} {turn.answer}" for turn in history[-1:])


def checked_question(text: str) -> str:
    """The question without the space around it; raises QuestionError where nothing, or too much, is asked."""
    question = text.strip()
    if not question:
        raise QuestionError("The question is empty. Type what you want to know about the documents.")
    if len(question) > LONGEST_QUESTION:
        raise QuestionError(
            "The question has {n:,} characters; the limit is {limit:,}."
            " Shorten it, or drop the long text as a document.",
            n=len(question),
            limit=LONGEST_QUESTION,
        )
    return question
