"""Turns that a program gives: pairs of a question and its answer, and an error that names what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.turns import MOST_TURNS, checked_turns, read_turns
from model.errors import QuestionError
from model.types import Turn


def test_pairs_are_turns_in_their_order(tmp_path: Path) -> None:
    file = tmp_path / "turns.json"
    file.write_text(json.dumps([["Wer?", " Änne "], ["When?", ""]]), encoding="utf-8")
    assert read_turns(file) == (Turn(question="Wer?", answer="Änne"), Turn(question="When?", answer=""))
    assert checked_turns([]) == ()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"a": 1}, "{'a': 1}"),
        ([["Who?"]], "Turn 1 is ['Who?']"),
        ([["Who?", "Ada"], ["Who?", 3]], "Turn 2 is ['Who?', 3]"),
        ([["  ", "Ada"]], "empty question"),
        ([["Who?", "Ada"]] * (MOST_TURNS + 1), "101 turns"),
    ],
)
def test_what_is_no_list_of_pairs_is_refused_with_the_value_and_the_form(value: Any, said: str) -> None:
    with pytest.raises(QuestionError) as error:
        checked_turns(value)
    assert said in str(error.value)


def test_a_file_that_is_missing_or_no_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(QuestionError, match=r"none\.json cannot be read"):
        read_turns(tmp_path / "none.json")
    broken = tmp_path / "broken.json"
    broken.write_bytes(b"[[\xff")
    with pytest.raises(QuestionError, match=r"broken\.json is no JSON"):
        read_turns(broken)
    broken.write_text("[" * 100_000)
    with pytest.raises(QuestionError, match="is no JSON"):
        read_turns(broken)
