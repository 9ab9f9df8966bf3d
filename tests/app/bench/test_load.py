"""The load benchmark: its arithmetic, and a small run against the real page with a tiny checkpoint."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.bench.__main__ import build_parser
from app.bench.load_figures import Notes, answers_a_minute, behind_reading, figures
from app.bench.visitors import Timed
from app.cli.command_line import run


def answer(asked: float, answered: float, engine_seconds: float) -> Timed:
    return Timed(asked=asked, answered=answered, engine_seconds=engine_seconds)


def test_waiting_for_others_answers_is_not_waiting_behind_reading() -> None:
    first, second = answer(0, 4, 4), answer(0, 9, 4)  # the second waits 4 s for the first, and 1 s for nobody
    assert behind_reading([first, second]) == [0, 1]


def test_answers_a_minute_count_while_documents_are_read() -> None:
    notes = Notes(answers=[answer(0, 5, 5), answer(5, 10, 5), answer(10, 20, 10)], readings=[(0, 8), (6, 10)])
    assert answers_a_minute(notes) == 12  # the third came when nothing was read
    assert answers_a_minute(Notes()) is None


def test_lost_and_freed_are_counted() -> None:
    notes = Notes(answers=[answer(0, 1, 1)], refusals=["it was freed, or never here", "Status 503"], finished=1)
    found = figures(notes, sessions=2, questions=2)
    assert (found["questions"], found["questions_lost"], found["answered_freed"]) == (4, 3, 1)
    assert found["answer_seconds_median"] == 1
    assert found["newcomer_page_seconds_most"] is None


@pytest.mark.slow
def test_many_sessions_all_get_their_answers(tiny_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two people and two programs. The seed is one of short documents: how much is asked is no law."""
    arguments = ["load", "--sessions", "4", "--seed", "25", "--model", str(tiny_folder), "--json"]
    assert run(build_parser(), arguments) == 0
    result = json.loads(capsys.readouterr().out)
    assert result.pop("measured")["command"].startswith("python -m app.bench")
    assert result["reasons"] == []
    assert (result["sessions_finished"], result["questions"], result["questions_lost"]) == (4, 20, 0)
    assert result["answered_freed"] == result["refused"] == 0
    assert result["newcomer_page_seconds_most"] > 0
    assert result["answers_a_minute_alone"] > 0
