"""Cells of tables, named by a question's words."""

from __future__ import annotations

import pytest

from model.answering.table_cells import best_named, named_cells
from model.answering.table_rows import cells_of
from tests.helpers.table_texts import REPLIES

RESULTS = """Assets / Total assets (in thousands) - 2023 / Group: 4,120; 2022 / Group: 3,977
Assets / Total current assets (in thousands) - 2023 / Group: 1,055; 2022 / Group: 998"""


def named(question: str, text: str, most: int = 1) -> list[str]:
    return [one.cell.value for one in best_named(named_cells(cells_of(text), question), most)]


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("How many researchers does Poland have?", "126.241"),
        ("How many valid replies came from Poland?", "121"),
        ("accuracy level of Latvia", "Low"),
        ("What is the accuracy of Sweden?", "High"),
    ],
)
def test_a_question_names_the_row_and_the_column(question: str, value: str) -> None:
    assert named(question, REPLIES) == [value]


@pytest.mark.parametrize(
    ("question", "value"),
    [("What were total assets in 2022?", "3,977"), ("What were the total current assets of 2023?", "1,055")],
)
def test_of_two_labels_that_fit_the_one_without_other_words_is_meant(question: str, value: str) -> None:
    assert named(question, RESULTS) == [value]


def test_the_few_cells_of_a_row_that_is_named_whole_are_left_to_the_decoder() -> None:
    assert sorted(named("And Poland?", REPLIES, most=3)) == ["121", "126.241", "High"]
    assert named("And Poland?", REPLIES.replace("High", "High; Year: 2006")) == []


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("Sales in February?", "1,200"),
        ("When did February begin?", "1.2."),
        ("What percentage of males voted in January?", "48.1"),
        ("How many voters in January?", "900"),
    ],
)
def test_words_may_be_shortened_and_headings_announce_what_is_asked_for(question: str, value: str) -> None:
    months = """Jan - Date: 1.1.; Sales: 1,100; No. of voters: 900; Male (%): 48.1
Feb - Date: 1.2.; Sales: 1,200; No. of voters: 800; Male (%): 47.5"""
    assert named(question, months) == [value]


def test_the_turn_before_names_what_the_question_leaves_out() -> None:
    cells = cells_of("Austria - 2004 / N: 976; 2005 / N: 1,043\nItaly - 2004 / N: 202; 2005 / N: 107")
    found = best_named(named_cells(cells, "And in 2005?", "How many samples did Austria take in 2004? 976"), 1)
    assert [one.cell.value for one in found] == ["1,043"]


def test_scripts_without_spaces_are_compared_by_pairs_of_characters() -> None:
    assert named("北京的总收入是多少", "北京 - 总收入: 120; 利润: 15\n上海 - 总收入: 300; 利润: 40") == ["120"]


@pytest.mark.parametrize("question", ["Who led the survey?", "How many replies were valid?"])
def test_a_column_alone_names_no_cell(question: str) -> None:
    assert named(question, REPLIES) == []


def test_each_value_is_named_once() -> None:
    assert named("accuracy level of Poland and Sweden", REPLIES, most=3) == ["High"]
