"""Laws of questions about another passage of the same article."""

from __future__ import annotations

from typing import Any

import pytest

from model.answering.prompts import NOT_IN_DOCUMENT, prompt_text
from model.training.neighbouring_negatives import questions_of_neighbours
from model.training.tasks import Example, pairs_by_context

TOWER = "The tower of the castle was built by Ada Keller in 1907."
GARDEN = "The garden of the castle is open to visitors. It was built later than the tower."
FOUNDED = "When was the tower of the castle built?"
OPEN = "To whom is the garden of the castle open?"


def row(context: str, question: str, *answers: str, document: str = "Castle") -> dict[str, Any]:
    told = {"source": "squad11_train", "language": "en", "document": document, "context": context}
    return told | {"question": question, "answers": list(answers)}


def test_a_passage_gets_the_question_about_another_that_shares_most_of_its_words() -> None:
    rows = [row(TOWER, "Who painted the kitchen?", "Ada Keller"), row(TOWER, FOUNDED, "1907")]
    assert questions_of_neighbours([*rows, row(GARDEN, OPEN, "visitors")]) == {GARDEN: FOUNDED}


@pytest.mark.parametrize(
    "rows",
    [
        [row(TOWER, FOUNDED, "1907"), row(GARDEN, OPEN, "visitors", document="Park")],  # of another article
        [row(TOWER, FOUNDED, "the Castle"), row(GARDEN, OPEN, "visitors")],  # the passage has that answer, too
        [row(TOWER, FOUNDED, "1907"), row(GARDEN, FOUNDED, "later")],  # it is asked about this passage, too
        [row(TOWER, FOUNDED), row(GARDEN, OPEN, "visitors")],  # nobody knows whether it has an answer here
        [row(TOWER, "Which colour had the windows?", "red"), row(GARDEN, OPEN, "visitors")],  # other words
    ],
)
def test_none_where_it_might_be_answered_or_hardly_suits(rows: list[dict[str, Any]]) -> None:
    assert GARDEN not in questions_of_neighbours(rows)


def test_it_is_asked_and_refused() -> None:
    pairs = pairs_by_context([row(TOWER, FOUNDED, "1907"), row(GARDEN, OPEN, "visitors")])
    assert Example(prompt_text(FOUNDED), NOT_IN_DOCUMENT) in pairs[GARDEN]
