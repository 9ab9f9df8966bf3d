"""Exact match and token F1 as SQuAD defines them, and how well "the document does not say" is said.

https://rajpurkar.github.io/SQuAD-explorer/ (evaluate-v1.1.py): lower case, no punctuation, no articles.
"""

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.bench.rows import Row
from model.answering.messages import NOT_FOUND
from model.answering.prompts import NOT_IN_DOCUMENT

ARTICLES = re.compile(r"\b(a|an|the)\b")
WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Figures in per cent, None where no row tells. The first two and the last are over the answerable rows."""

    name: str
    exact_match: float | None
    f1: float | None
    no_answer_recall: float | None
    false_refusals: float | None


def score(name: str, rows: Sequence[Row], predictions: Sequence[str]) -> Scores:
    """Score one prediction a row."""
    pairs = list(zip(rows, predictions, strict=True))
    answerable = [(row, prediction) for row, prediction in pairs if row.answers]
    return Scores(
        name=name,
        exact_match=_per_cent([best(exact_match, prediction, row.answers) for row, prediction in answerable]),
        f1=_per_cent([best(token_f1, prediction, row.answers) for row, prediction in answerable]),
        no_answer_recall=_per_cent([refuses(prediction) for row, prediction in pairs if not row.answers]),
        false_refusals=_per_cent([refuses(prediction) for _, prediction in answerable]),
    )


def best(measure: Callable[[str, str], float], prediction: str, answers: Sequence[str]) -> float:
    """The measure against the answer that suits the prediction best."""
    return max(measure(prediction, answer) for answer in answers)


def exact_match(prediction: str, answer: str) -> float:
    return float(normalise(prediction) == normalise(answer))


def token_f1(prediction: str, answer: str) -> float:
    """Harmonic mean of precision and recall over words, counted with repetition."""
    predicted, expected = normalise(prediction).split(), normalise(answer).split()
    common = (Counter(predicted) & Counter(expected)).total()
    return 2 * common / (len(predicted) + len(expected)) if common else 0.0


def refuses(prediction: str) -> bool:
    return normalise(prediction) in {normalise(NOT_FOUND), normalise(NOT_IN_DOCUMENT)}


def normalise(text: str) -> str:
    return " ".join(ARTICLES.sub(" ", text.lower().translate(WITHOUT_PUNCTUATION)).split())


def _per_cent(values: Sequence[float]) -> float | None:
    return round(100 * sum(values) / len(values), 2) if values else None
