"""Laws of questions that a text does not answer, but looks as if."""

from __future__ import annotations

import pytest

from model.answering.prompts import NOT_IN_DOCUMENT, prompt_text
from model.training.edited_negatives import ASKED, edited_question, opposites
from model.training.tasks import Example, pairs_by_context

CONTEXT = """The city of Montpellier was founded in 985. The longest bridge of France, which Norman Foster designed, was
opened in 2004 by Jacques Chirac. Henry IV issued the Edict of Nantes in 1598, and Louis Philippe visited Marseille."""
QUESTION = "When was the longest bridge of France opened by Jacques Chirac?"


def of_many(language: str = "en") -> set[str]:
    """Edited forms of a question about a text, worded a little differently each time."""
    asked = (edited_question(QUESTION + " " * number, CONTEXT, "2004", language) for number in range(200))
    return {other.strip() for other in asked if other is not None}


def test_one_thing_is_replaced() -> None:
    words = QUESTION.strip("?").split()
    for other in of_many():
        changed = other.strip("?").split()
        assert other != QUESTION
        assert sum(word not in words for word in changed) in (1, 2), other
        assert sum(word not in changed for word in words) in (1, 2), other


def test_names_come_from_elsewhere_in_the_text_and_never_from_the_answers_sentence() -> None:
    found = of_many()
    assert any("Louis" in other or "Marseille" in other for other in found)
    assert not any("Norman" in other for other in found)


def test_words_become_their_opposites_in_english_alone() -> None:
    assert any("shortest bridge" in other for other in of_many("en"))
    assert not any("shortest" in other for other in of_many("fr"))
    assert all(opposites()[other] for other in opposites().values())


def test_a_number_becomes_one_that_the_text_lacks_or_has_elsewhere() -> None:
    asked = (edited_question("Who opened it in 2004?" + " " * n, CONTEXT, "Jacques Chirac", "fr") for n in range(100))
    numbers = {other.split("in ")[1].strip(" ?") for other in asked if other is not None}
    assert "1598" in numbers  # of the same length, told of something else
    assert "2004" not in numbers
    assert len(numbers) > 3


def test_there_is_one_for_a_fixed_share_of_the_questions() -> None:
    asked = [edited_question(QUESTION + " " * number, CONTEXT, "2004", "en") for number in range(400)]
    assert asked == [edited_question(QUESTION + " " * number, CONTEXT, "2004", "en") for number in range(400)]
    assert sum(other is not None for other in asked) / 400 == pytest.approx(1 / ASKED, abs=0.1)


def test_what_offers_nothing_to_replace_or_is_not_answered_there_has_none() -> None:
    assert all(edited_question("Why so" + "?" * n, "because of it", "because", "en") is None for n in range(20))
    assert all(edited_question(QUESTION + " " * n, CONTEXT, "in May", "en") is None for n in range(20))


def test_it_is_asked_beside_the_question_and_refused() -> None:
    questions = [QUESTION + "?" * number for number in range(20)]
    told = {"source": "squad11_train", "language": "en", "document": "Lake_Constance", "context": CONTEXT}
    rows = [told | {"question": question, "answers": ["2004"]} for question in questions]
    pairs = pairs_by_context(rows)[CONTEXT]
    asked = [Example(prompt_text(question), "2004") for question in questions]
    assert [pair for pair in pairs if pair in asked] == asked
    others = [pair.answer for pair in pairs if pair.prompt.startswith("Question:") and pair not in asked]
    assert others
    assert set(others) == {NOT_IN_DOCUMENT}
