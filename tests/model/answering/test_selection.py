"""The rows that have a value are listed or counted from the whole table; other questions are left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.answering.selection import selection
from model.answering.table_answers import from_tables
from model.answering.table_columns import tables_of
from model.engine import Engine
from tests.helpers.tiny import document, tiny_checkpoint

STAFF = """Our staff
Ada Lund - Department: Sales; City: Oslo; Age: 34
Bo Marsh - Department: IT; City: Bergen; Age: 51
Cy Dent - Department: Sales; City: Bergen; Age: 29
Di Frost - Department: Human resources; City: Oslo; Age: 51
Ed Moor - Department: Sales; City: Oslo; Age: 45"""


def asked(question: str, *pages: str) -> str:
    one = document(*pages)
    answer = selection(question, [one], tables_of(one))
    return answer.text if answer else ""


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Who works in Sales?", "Ada Lund; Cy Dent; Ed Moor"),
        ("Which people work in Bergen?", "Bo Marsh; Cy Dent"),
        ("Which staff have the age 51?", "Bo Marsh; Di Frost"),
        ("List all people in Oslo", "Ada Lund; Di Frost; Ed Moor"),
        ("How many people work in Sales?", "3 (Ada Lund; Cy Dent; Ed Moor)"),
        ("Wie viele Personen arbeiten in Bergen?", "2 (Bo Marsh; Cy Dent)"),
        ("Qui travaille à Oslo ?", ""),  # "travaille" stands nowhere: the decoder answers
    ],
)
def test_rows_with_a_value(question: str, said: str) -> None:
    assert asked(question, STAFF) == said


@pytest.mark.parametrize(
    "question",
    [
        "How old is Ada Lund?",  # knows the row
        "Who works in IT?",  # one row alone: the decoder reads it
        "Who does not work in Sales?",
        "Who works in marketing?",  # no such value
        "Which people are 51?",  # a bare number without its column
        "What department is called Sales?",  # asks of the column itself
        "How many cars do people in Sales drive?",  # a word that nothing accounts for
        "Where do we sell?",
    ],
)
def test_other_questions_are_left_to_the_decoder(question: str) -> None:
    assert asked(question, STAFF) == ""


def test_each_row_is_a_place_also_on_the_next_page() -> None:
    pages = ["Stock\nBolt - State: sold; Shelf: 3\nNut - State: kept; Shelf: 1", "Cog - State: sold; Shelf: 9"]
    one = document(*pages)
    answer = selection("Which parts are sold?", [one], tables_of(one)) or selection(
        "Which are sold?", [one], tables_of(one)
    )
    assert answer and answer.text == "Bolt; Cog"
    assert [(place.page, pages[place.page - 1][place.start : place.end]) for place in answer.evidence] == [
        (1, "sold"),
        (2, "sold"),
    ]


@given(st.lists(st.sampled_from(["red", "green", "blue"]), min_size=3, max_size=20))
def test_the_number_is_that_of_the_rows(colours: list[str]) -> None:
    rows = "\n".join(f"Item {index:02} - Colour: {colour}; Size: 4" for index, colour in enumerate(colours))
    count = colours.count("red")
    said = asked("How many items are red?", f"Items\n{rows}")
    assert (said.partition(" ")[0] == str(count)) if 1 < count < len(colours) else said == ""


def test_an_excerpt_decides_nothing_since_rows_may_be_missing() -> None:
    engine = Engine(tiny_checkpoint())
    encoded = engine.encode(document(STAFF))
    *_, whole = engine.answer(encoded, "Who works in Sales?")
    assert whole.text == "Ada Lund; Cy Dent; Ed Moor" and whole.found and not whole.doubtful
    assert from_tables("Who works in Sales?", [encoded], engine.answering.indexes) is not None
    *_, part = engine.answer(replace(encoded, is_excerpt=True), "Who works in Sales?")
    assert part.text != whole.text
