"""A list is quoted whole where a question names it by its lead-in or heading; other questions are left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.answering.listed_items import listed
from model.engine import Engine
from tests.helpers.tiny import document, tiny_checkpoint

GUIDE = """Sailing club guide

The club has three sources of income:
• membership fees,
• the harbour café, and
• donations.

Safety equipment

Every boat must carry the following safety items:

1. a life jacket for each person
on board
2. a fire extinguisher
3. flares

Values
- **Care**: we look after boats.
- **Calm**: nobody shouts.

Boats are kept in four sheds. Paint is used for
* hulls
* masts"""
GERMAN = "Der Verein hat drei Einnahmequellen:\n- Beiträge\n- das Café\n- Spenden"
FRENCH = "Le club a trois sources de revenus :\n- les cotisations\n- le café\n- les dons"


def asked(question: str, *pages: str) -> str:
    answer = listed(question, [document(*pages)])
    return answer.text if answer else ""


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("What are the three sources of income?", "membership fees; the harbour café; donations"),
        ("The club's three sources of income?", ""),  # does not begin as a question for a list
        ("Which sources of income does the club have?", "membership fees; the harbour café; donations"),
        (
            "Which safety items must every boat carry?",
            "a life jacket for each person on board; a fire extinguisher; flares",
        ),
        ("List the safety items", "a life jacket for each person on board; a fire extinguisher; flares"),
        ("Name the two values", "Care; Calm"),  # what each item is about
    ],
)
def test_a_list_is_quoted_whole(question: str, said: str) -> None:
    assert asked(question, GUIDE) == said


@pytest.mark.parametrize(
    ("question", "text", "said"),
    [
        ("Welche drei Einnahmequellen hat der Verein?", GERMAN, "Beiträge; das Café; Spenden"),
        ("Nenne die Einnahmequellen", GERMAN, "Beiträge; das Café; Spenden"),
        ("Quelles sont les trois sources de revenus ?", FRENCH, "les cotisations; le café; les dons"),
    ],
)
def test_in_other_languages(question: str, text: str, said: str) -> None:
    assert asked(question, text) == said


@pytest.mark.parametrize(
    "question",
    [
        "What are the two sources of income?",  # the list has three
        "Which sources of income are not donations?",  # items that are left out
        "Which of the sources of income is largest?",  # one of them
        "What is the source of income?",  # one thing
        "Which sources of income grew in 2020?",  # words that the lead-in has not
        "Which parts is paint used for?",  # no colon announces that list
        "Which values are there?",
        "How many sources of income are there?",
        "What are the four sheds?",  # no list
    ],
)
def test_other_questions_are_left_to_the_decoder(question: str) -> None:
    assert asked(question, GUIDE) == ""


def test_one_word_may_be_missing_where_the_number_is_right() -> None:
    assert asked("Which three income sources does the sailing club report?", GUIDE) == (
        "membership fees; the harbour café; donations"
    )
    assert asked("Which income sources does the sailing club report?", GUIDE) == ""


def test_a_list_that_goes_on_on_the_next_page_is_not_given_as_whole() -> None:
    first, second = "The club owns these boats:\n- Ada\n- Bea", "- Cleo\n- Dora"
    assert asked("Which boats does the club own?", first, second) == ""
    assert asked("Which boats does the club own?", first, "Another chapter.") == "Ada; Bea"


def test_items_under_items_belong_to_them() -> None:
    text = "Meals:\n- soup\n  - hot\n  - cold\n- bread"
    assert asked("Name the two meals", text) == "soup - hot - cold; bread"


def test_each_item_is_evidence() -> None:
    pages = [document("Nothing."), document("Cover", GUIDE)]
    answer = listed("What are the three sources of income?", pages)
    assert answer is not None
    assert [one.words for one in answer.evidence] == ["membership fees", "the harbour café", "donations"]
    assert {(one.document_index, one.page) for one in answer.evidence} == {(1, 2)}
    assert sum(one.score for one in answer.evidence) == pytest.approx(1.0)
    assert 0.5 < answer.confidence < 1.0


@given(st.lists(st.sampled_from(["- a", "1. b", "  - c", "Kinds:", "", "text goes on", "a) d"]), max_size=12))
def test_items_are_pieces_of_the_page(lines: list[str]) -> None:
    text = "\n".join(lines)
    answer = listed("Which kinds are listed? Name the kinds", [document("A page.", text)])
    assert answer is None or all(one.words in text for one in answer.evidence)


def test_the_engine_reads_no_list_off_an_excerpt() -> None:
    engine = Engine(tiny_checkpoint())
    encoded = engine.encode(document(GUIDE))
    question = "What are the three sources of income?"
    *_, answer = engine.answer(encoded, question)
    assert answer.text == "membership fees; the harbour café; donations"
    *_, excerpt = engine.answer(replace(encoded, is_excerpt=True), question)
    assert excerpt.text != answer.text
