"""A comparison that a table decides is read off its column, and nothing else is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.answering.comparison import comparison
from model.answering.numbers import amounts
from model.answering.table_columns import tables_of
from tests.helpers.tiny import document

TRADE = """Sales by region
North - Revenue: 1,200; Costs: 900; Staff: 14
South - Revenue: 3,400; Costs: 2,950; Staff: 9
East - Revenue: 980; Costs: 1,010; Staff: 21
West - Revenue: 2,750; Costs: 1,430; Staff: 17
Total - Revenue: 8,330; Costs: 6,290; Staff: 61"""
YEARS = """Deficit - 2013: 680; 2014: 662; 2015: 701
Exports - 2013: 91; 2014: 95; 2015: 88"""
LAGER = """Schrauben - Bestand: 1.250; Preis: 0,12 €
Muttern - Bestand: 980; Preis: 0,08 €
Bolzen - Bestand: 2.010; Preis: 0,95 €"""


def asked(question: str, *pages: str) -> str:
    one = document(*pages)
    answer = comparison(question, [one], tables_of(one))
    return answer.text if answer else ""


@pytest.mark.parametrize(
    ("question", "page", "said"),
    [
        ("Which region had the highest revenue?", TRADE, "South (3,400)"),
        ("Where were costs lowest?", TRADE, "North (900)"),
        ("What region has the fewest staff?", TRADE, "South (9)"),
        ("Which had more staff, North or West?", TRADE, "West (17); North (14)"),
        ("Which region had lower costs: East or West?", TRADE, "East (1,010); West (1,430)"),
        (
            "Which had more orders, May or June?",
            "Orders and returns\nMay - Orders: 97; Returns: 4\nJune - Orders: 32; Returns: 9",
            "May (97); June (32)",
        ),
        ("In which year was the deficit lowest?", YEARS, "2014 (662)"),
        ("Which year had the most exports?", YEARS, "2014 (95)"),
        ("Welches Teil hat den größten Bestand?", LAGER.replace("Bestand", "Teil Bestand"), "Bolzen (2.010)"),
        ("Welche Ware hat den niedrigsten Preis?", "Ware und Preis\n" + LAGER, "Muttern (0,08 €)"),
        (
            "Quelle région a le plus de personnel ?",
            "Région A - Personnel: 4\nRégion B - Personnel: 12",
            "Région B (12)",
        ),
    ],
)
def test_a_column_or_a_row_decides(question: str, page: str, said: str) -> None:
    assert asked(question, page) == said


@pytest.mark.parametrize(
    "question",
    [
        "What was the revenue in the South?",  # nothing is compared
        "Which region had the second highest revenue?",
        "Which region had at least 1,000 in costs?",
        "Is the revenue of North higher than that of South?",  # wants a yes or a no
        "How much higher is the revenue of South than that of North?",
        "Which region had the highest rainfall?",  # no such column
        "Which region had the highest revenue in Belgium?",  # a word that stands nowhere
        "Highest revenue of the South?",  # asks for a value
        "In which year was the revenue highest?",  # the rows are no years
        "Which region had more staff, North, East or West?",  # three things
    ],
)
def test_what_the_columns_do_not_decide_is_left_to_the_decoder(question: str) -> None:
    assert asked(question, TRADE) == ""


@pytest.mark.parametrize(
    "rows",
    [
        "North - Revenue: 12\nSouth - Revenue: 12",  # equal
        "North - Revenue: 950M\nSouth - Revenue: 2B",  # other units
        "North - Revenue: 12",  # a single row
        "North - Revenue: good\nSouth - Revenue: 12\nEast - Revenue: fair",  # no numbers
    ],
)
def test_values_that_cannot_be_compared_give_no_answer(rows: str) -> None:
    assert asked("Which region had the highest revenue?", f"Revenue by region\n{rows}") == ""


def test_a_table_goes_on_over_a_page_break_and_the_place_is_marked() -> None:
    first, second = "Sales by region\nNorth - Revenue: 12; Staff: 3", "South - Revenue: 40; Staff: 9"
    documents = [document("Other"), document(first, second)]
    answer = comparison("Which region had the highest revenue?", documents, tables_of(documents[1]))
    assert answer and answer.text == "South (40)" and answer.found and answer.finished
    (place,) = answer.evidence
    assert (place.document_index, place.page, second[place.start : place.end]) == (1, 2, "40")


@given(st.lists(st.integers(0, 10**7), min_size=2, max_size=12, unique=True), st.booleans())
def test_the_row_that_is_named_has_the_largest_or_smallest_value(values: list[int], most: bool) -> None:
    names = [f"{chr(65 + index)}town" for index in range(len(values))]
    rows = "\n".join(f"{name} - Visitors: {value:,}" for name, value in zip(names, values, strict=True))
    best = values.index(max(values) if most else min(values))
    said = asked(f"Which town had the {'most' if most else 'fewest'} visitors?", f"Visitors of each town\n{rows}")
    assert said == f"{names[best]} ({values[best]:,})"


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (["1,234", "980", "12,000"], [1234, 980, 12000]),
        (["1.234,56", "980,5"], [1234.56, 980.5]),
        (["1,234.56", "980"], [1234.56, 980]),
        (["1.250", "980", "2.010"], [1250, 980, 2010]),  # three digits behind each full stop
        (["1.25", "8.002"], [1.25, 8.002]),  # not behind each
        (["0.123", "0.980"], [0.123, 0.98]),
        (["1 234 567", "98"], [1234567, 98]),
        (["19,6701", "3,1"], [19.6701, 3.1]),
        (["(466)", "−3*", "$ 9,512"], [-466, -3, 9512]),
    ],
)
def test_amounts_are_read_as_their_column_writes_them(column: list[str], values: list[float]) -> None:
    assert [one and one.value for one in amounts(column)] == values


def test_an_amount_has_its_unit() -> None:
    assert [one and one.unit for one in amounts(["12.5%", "EUR 5", "20.8B", "1000 ppm"])] == ["%", "", "b", "ppm"]


def test_what_is_no_single_number_is_none() -> None:
    column = ["", "abc", "12-14", "10:30", "1/2", "n/a", "-", "2023-04-01"]
    assert amounts(column) == [None] * len(column)
