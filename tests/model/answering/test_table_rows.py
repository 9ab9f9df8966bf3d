"""Rows of tables in the text, and their cells."""

from __future__ import annotations

import pytest

from model.answering.table_rows import LabelledCell, cells_of, row_spans
from tests.helpers.table_texts import REPLIES


def test_rows_end_behind_their_line_break_and_prose_is_none() -> None:
    assert [REPLIES[start:end].partition(" - ")[0] for start, end in row_spans(REPLIES)][:3] == [
        "Latvia",
        "Poland",
        "Sweden",
    ]
    assert all(REPLIES[end - 1] == "\n" for _, end in row_spans(REPLIES)[:3])
    assert row_spans("Plain words.\nHe said: go home.") == []


def test_a_row_is_its_label_and_a_value_under_each_heading() -> None:
    assert cells_of(REPLIES)[3:6] == [
        LabelledCell(row="Poland", column="Valid replies", value="121"),
        LabelledCell(row="Poland", column="Number of researchers (1)", value="126.241"),
        LabelledCell(row="Poland", column="Accuracy Level", value="High"),
    ]


def test_a_row_without_a_label_has_headings_all_the_same() -> None:
    assert cells_of("Item: Tea; Price: 3.50") == [
        LabelledCell(row="", column="Item", value="Tea"),
        LabelledCell(row="", column="Price", value="3.50"),
    ]


@pytest.mark.parametrize(
    "line",
    ["", "Plain words.", "He said: go home.", "2019 - 2021", "Country; Replies; Level", "A - b; c", ": ", " - : ;"],
)
def test_other_lines_have_no_cells(line: str) -> None:
    assert cells_of(line) == []


def test_a_value_without_a_heading_belongs_to_its_row() -> None:
    assert cells_of("Poland - Replies: 121; see note 3") == [
        LabelledCell(row="Poland", column="Replies", value="121"),
        LabelledCell(row="Poland", column="", value="see note 3"),
    ]
