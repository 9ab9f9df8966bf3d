"""A conversation comes back as it was kept, and what went wrong in it can still be said in another language."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.languages import Languages
from app.library.conversations import Conversations
from app.library.library import Library
from app.sessions.conversation import Exchange
from model.errors import Message
from model.types import Answer
from tests.helpers.libraries import a_library

PROBLEM = Message("{name} has {n:,} pages.", name="a {n} b.pdf", n=1200)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with contextlib.closing(a_library(tmp_path)) as opened:
        yield opened


def exchange(problem: Message) -> Exchange:
    answer = Answer(question="Who?", finished=True)
    return Exchange(number=1, question="Who?", answer=answer, status="failed", problem=problem)


def test_a_problem_keeps_its_template_and_its_values(library: Library) -> None:
    number = Conversations(library.database).save(None, [exchange(PROBLEM)])
    assert number is not None
    (back,) = Conversations(library.database).exchanges(number)
    assert back == exchange(PROBLEM)
    assert (back.problem.template, dict(back.problem.values)) == (PROBLEM.template, dict(PROBLEM.values))


def test_a_problem_of_an_earlier_version_is_a_text(library: Library) -> None:
    number = Conversations(library.database).save(None, [exchange(PROBLEM)])
    assert number is not None
    (row,) = library.database.rows("SELECT exchange FROM exchanges")
    earlier = json.loads(row["exchange"]) | {"problem": "I could not find {this} in the document."}
    library.database.rows("UPDATE exchanges SET exchange = ?", (json.dumps(earlier),))
    (back,) = Conversations(library.database).exchanges(number)
    assert back.problem == "I could not find {this} in the document."
    assert Languages().accepted("de").message(back.problem) == back.problem
