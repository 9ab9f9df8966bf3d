"""Lists of questions, as people bring them: typed, pasted, exported by a spreadsheet."""

from __future__ import annotations

import pytest

from app.questions import checked_questions, columns
from model.errors import QuestionError


def test_a_list_loses_only_its_empty_lines() -> None:
    assert checked_questions(["", " Who? ", "  ", "When?"]) == ("Who?", "When?")


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ([], "The list has 0 questions"),
        (["", "  "], "The list has 0 questions"),
        (["Who?"] * 10_000, "has 10,000 questions; the limit is 500"),
        (["Who?", "", "x" * 2_001], "Line 3 of the list cannot be asked. The question has 2,001 characters"),
    ],
)
def test_a_list_that_cannot_be_asked_says_why(texts: list[str], words: str) -> None:
    with pytest.raises(QuestionError, match=words):
        checked_questions(texts)


@pytest.mark.parametrize(
    ("data", "name", "cells"),
    [
        (b"question\nWho?\nWhen?\n", "question", ("Who?", "When?")),
        (b"Who, then?\nWhen?\n", "Column 1", ("Who, then?", "When?")),
        (b"id,Question,note\n1,Who?,a\n2,When?,\n", "Question", ("Who?", "When?")),
        ("\ufeffnr;Frage\r\n1;Wer?\r\n2;Wann, wo?\r\n".encode(), "Frage", ("Wer?", "Wann, wo?")),
        (b"id\ttext\n1\tWho is it?\n2\tWhen?\n", "text", ("Who is it?", "When?")),
        (b'question\n"Who wrote\nthe letter?"\n', "question", ("Who wrote the letter?",)),
        ("question\nOù est-ce?\n".encode("cp1252"), "question", ("Où est-ce?",)),
        ("question\nWer?\n".encode("utf-16"), "question", ("Wer?",)),
        ("编号,问题\n1,谁？\n".encode(), "问题", ("谁？",)),
    ],
)
def test_the_column_with_the_questions_comes_first(data: bytes, name: str, cells: tuple[str, ...]) -> None:
    first = columns("list.csv", data)[0]
    assert (first.name, first.cells) == (name, cells)


def test_every_column_can_be_chosen() -> None:
    found = columns("list.csv", b"a,b\nWho?,Peter\nWhen?,Friday\n")
    assert {column.name: column.cells for column in found} == {"a": ("Who?", "When?"), "b": ("Peter", "Friday")}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", r"list\.csv has no column: its 0 bytes hold 0 rows"),
        (b"\n\n , \n", "has no column"),
        (b"id,question\n", "0 rows below them"),
        (b"PK\x03\x04\0\0\0", "is no text"),
        (b"x" * 2_000_001, "has 2,000,001 bytes"),
    ],
)
def test_a_file_without_questions_says_why(data: bytes, words: str) -> None:
    with pytest.raises(QuestionError, match=words):
        columns("list.csv", data)
