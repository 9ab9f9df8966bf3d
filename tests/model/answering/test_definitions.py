"""A term is defined in the documents' words; questions that ask for anything else are left to the decoder."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.answering.definitions import definition
from model.engine import Engine
from tests.helpers.tiny import document, tiny_checkpoint

RULES = """Harbour rules

1. Definitions
"Berth holder" means a person who rents a berth for a season or longer.
A tender is a small boat that carries people to a larger one. It needs no number.
(3) Ballast refers to weight that is carried to keep a ship upright. Old ballast is not to be thrown away.
Moorings are used by visitors. Slipway is closed in winter.
We define peak season as the weeks from 15 June to 15 August.
The Harbour Safety Board (HSB) meets monthly. VTS: Vessel Traffic Service.
Port control runs Tidewatch, a program that predicts the tide, and a list of ships called the day book."""
GERMAN = """Verordnung
Ein Liegeplatz ist eine Wasserfläche, an der ein Boot festgemacht wird. Der Hafenmeister ist krank.
Saisonpreis bezeichnet den Preis von April bis Oktober."""
FRENCH = "Une marina est un port de plaisance. Le fioul désigne tout carburant lourd."
SPANISH = "Cifrar un mensaje es un proceso donde el emisor codifica el mensaje."


def asked(question: str, *pages: str) -> str:
    answer = definition(question, [document(*pages)])
    return answer.text if answer else ""


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ('What does "Berth holder" mean?', "a person who rents a berth for a season or longer"),
        ("define berth holder", "a person who rents a berth for a season or longer"),
        ("What are berth holders?", "a person who rents a berth for a season or longer"),
        ("what is a tender", "a small boat that carries people to a larger one"),
        ("What is ballast?", "weight that is carried to keep a ship upright"),
        ("How is peak season defined?", "the weeks from 15 June to 15 August"),
        ("What does HSB stand for?", "Harbour Safety Board"),
        ("What is VTS?", "Vessel Traffic Service"),
        ("What is Tidewatch?", "a program that predicts the tide"),
    ],
)
def test_a_term_is_defined_in_the_documents_words(question: str, said: str) -> None:
    assert asked(question, RULES) == said


@pytest.mark.parametrize(
    ("question", "text", "said"),
    [
        ("Was ist ein Liegeplatz?", GERMAN, "eine Wasserfläche, an der ein Boot festgemacht wird"),
        ("Was bedeutet Saisonpreis?", GERMAN, "den Preis von April bis Oktober"),
        ("Qu'est-ce qu'une marina ?", FRENCH, "un port de plaisance"),
        ("Que signifie fioul ?", FRENCH, "tout carburant lourd"),
        ("¿Qué es cifrar un mensaje?", SPANISH, "un proceso donde el emisor codifica el mensaje"),
    ],
)
def test_in_other_languages(question: str, text: str, said: str) -> None:
    assert asked(question, text) == said


@pytest.mark.parametrize(
    "question",
    [
        "What are moorings?",  # what they are used for defines nothing
        "What is the slipway?",  # nor does a state
        "What is a number?",  # occurs, and is not defined
        "What is an anchor?",  # does not occur
        "What is it?",  # no term
        "What is a tender used for?",  # asks for more than the term
        "When does the HSB meet?",
        "What does the berth holder pay?",
        "Was ist der Hafenmeister?",  # a state, in German
    ],
)
def test_other_questions_are_left_to_the_decoder(question: str) -> None:
    assert asked(question, RULES, GERMAN) == ""


def test_a_definition_says_what_the_term_means_before_what_it_is() -> None:
    assert asked("What is a lien?", "A lien is a burden. Later: a lien means a right to keep goods.") == (
        "a right to keep goods"
    )


def test_a_definition_goes_on_behind_the_end_of_a_line() -> None:
    assert asked("What is a weir?", "A weir is a low\ndam across a river.\nIt is old.") == "a low dam across a river"


def test_an_abbreviation_has_its_own_letters() -> None:
    text = "The board of the harbour (HSB) met. Harbour Safety Board (HSB) rules apply."
    assert asked("What does HSB stand for?", text) == "Harbour Safety Board"
    assert asked("What does HSX stand for?", text) == ""


@pytest.mark.parametrize("text", ["aaaa " * 4000 + "(AAAAAAAAAA)", "AAAAAAAAAA " + "aaaa " * 4000, '"' * 20_000 + "("])
def test_letters_that_can_be_read_in_many_ways_take_no_longer(text: str) -> None:
    assert asked("What does AAAAAAAAAB stand for?", text.replace("AAAAAAAAAA", "AAAAAAAAAB")) == ""


def test_the_place_is_the_evidence() -> None:
    pages = [document("Nothing here."), document("First page.", "A tender is a small boat. It has oars.")]
    answer = definition("What is a tender?", pages)
    assert answer is not None
    (place,) = answer.evidence
    assert (place.document_index, place.page, place.words) == (1, 2, "a small boat")
    assert place.quote == "A tender is a small boat."
    assert answer.finished
    assert answer.found
    assert 0.5 < answer.confidence < 1.0


@given(st.text(max_size=60), st.text(max_size=300))
def test_what_is_said_is_a_piece_of_the_page(term: str, text: str) -> None:
    answer = definition(f"What is {term}?", [document("A page.", text)])
    assert answer is None or answer.evidence[0].words in text


def test_the_engine_reads_no_definition_off_an_excerpt() -> None:
    engine = Engine(tiny_checkpoint())
    encoded = engine.encode(document("A tender is a small boat. It has oars."))
    *_, answer = engine.answer(encoded, "What is a tender?")
    assert answer.text == "a small boat"
    *_, excerpt = engine.answer(replace(encoded, is_excerpt=True), "What is a tender?")
    assert excerpt.text != answer.text
