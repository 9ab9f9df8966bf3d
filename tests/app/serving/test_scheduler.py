"""Laws of the engine's turns, by clients in threads of their own (`tests/helpers/engine_stage.py`)."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

import pytest

from app.serving.scheduler import EngineScheduler, QueuePlace
from model.errors import Cancelled
from tests.helpers.engine_stage import ANSWER, CHUNK, PATIENCE, Client, Stage, joined, played
from tests.helpers.jobs import a_job


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.close()


def test_questions_are_answered_one_after_the_other_in_their_order(stage: Stage) -> None:
    clients = [stage.asks(name) for name in ("ann", "bob", "cem")]
    assert played(stage, 3) == ["ann", "bob", "cem"]
    joined(*clients)


def test_questions_go_before_reading_at_the_next_chunk(stage: Stage) -> None:
    reader = stage.reads("reader", 3)
    assert stage.next() is reader
    askers = [stage.asks("ann"), stage.asks("bob")]
    assert stage.next() is askers[0]  # not even this chunk is waited for
    stage.end(reader)
    stage.end(askers[0])
    assert played(stage, 1) == ["bob"]
    assert played(stage, 2) == ["reader", "reader"]
    joined(reader, *askers)


def test_who_asks_on_at_once_does_not_wait_for_reading() -> None:
    stage = Stage(rest_seconds=60.0)
    with contextlib.closing(stage):
        reader = stage.reads("reader", 2)
        assert stage.next() is reader
        first = stage.asks("ann")
        assert stage.next() is first
        stage.end(reader)
        stage.end(first, seconds=1.0)
        second = stage.asks("ann again")
        assert stage.next() is second
        stage.end(second, seconds=1.0)
        joined(first, second)
        stage.clock.now += 60.0
        reader.job.changes.notify()
        assert stage.next() is reader
        stage.end(reader)
        joined(reader)


def test_what_nobody_asked_goes_behind_what_people_ask_and_before_reading(stage: Stage) -> None:
    reader = stage.reads("reader", 2)
    assert stage.next() is reader
    first, trial, second = stage.asks("ann"), stage.tries("page"), stage.asks("bob")
    assert stage.next() is first
    stage.end(reader)
    stage.end(first, seconds=1.0)
    assert stage.next() is second
    stage.end(second, seconds=1.0)
    assert stage.next() is trial
    stage.end(trial, seconds=1.0)
    assert played(stage, 1) == ["reader"]
    joined(first, second, trial, reader)


def test_what_nobody_asked_waits_for_who_may_ask_on() -> None:
    stage = Stage(rest_seconds=60.0)
    with contextlib.closing(stage):
        first, trial = stage.asks("ann"), stage.tries("page")
        assert stage.next() is first
        stage.end(first)
        second = stage.asks("ann again")
        assert stage.next() is second
        stage.end(second)
        joined(first, second)
        stage.clock.now += 60.0
        trial.job.changes.notify()
        assert played(stage, 1) == ["page"]
        joined(trial)


def test_what_nobody_asked_is_given_up_on_a_stop(stage: Stage) -> None:
    asked, trial = stage.asks("ann"), stage.tries("page")
    assert stage.next() is asked
    trial.job.stop()
    joined(trial)
    stage.end(asked)
    joined(asked)
    assert not stage.scheduler.is_working()


def test_reading_goes_on_by_itself_when_nobody_asks_on() -> None:
    scheduler, order = EngineScheduler(rest_seconds=0.2), []
    with scheduler.reading(a_job("reader"), 2) as pause:
        pause(0)
        time.sleep(0.05)
        asker = threading.Thread(target=lambda: _asks(scheduler, order))
        asker.start()
        asker.join(PATIENCE)
        pause(1)
        order.append("chunk")
    assert order == ["answer", "chunk"]


def _asks(scheduler: EngineScheduler, order: list[str]) -> None:
    with scheduler.answering(a_job("ann")):
        order.append("answer")


def test_a_reading_that_has_other_things_to_do_holds_nobody_up(stage: Stage) -> None:
    """Such as naming what a picture shows; or it is read on a GPU elsewhere, and never asks for its turn here."""
    with stage.scheduler.reading(a_job("elsewhere"), 1):
        asker, reader = stage.asks("ann"), stage.reads("reader", 2)
        assert played(stage, 3) == ["ann", "reader", "reader"]
        joined(asker, reader)


def test_of_two_readings_the_shorter_goes_first_from_the_next_chunk_on(stage: Stage) -> None:
    long = stage.reads("long", 4)
    assert stage.next() is long
    short = stage.reads("short", 1)
    stage.end(long)
    assert played(stage, 4) == ["short", "long", "long", "long"]
    joined(long, short)


def test_places_say_how_many_go_first_and_for_how_long(stage: Stage) -> None:
    first = stage.asks("first")
    assert stage.next() is first
    clients = [stage.asks(name) for name in ("ann", "bob", "cem")]
    assert stage.scheduler.place_of_question("first") is None
    assert stage.scheduler.place_of_question("cem") == QueuePlace(before=3, seconds=None)
    stage.end(first)
    assert stage.next() is clients[0]
    assert stage.scheduler.place_of_question("cem") == QueuePlace(before=2, seconds=2 * ANSWER)
    stage.end(clients[0])
    played(stage, 2)
    joined(first, *clients)


def test_places_of_readings_follow_what_is_read(stage: Stage) -> None:
    long = stage.reads("long", 4)
    assert stage.next() is long
    longer = stage.reads("longer", 9)
    assert stage.scheduler.place_of_reading("longer") == QueuePlace(before=1, seconds=None)
    stage.end(long)
    assert stage.next() is long
    assert stage.scheduler.place_of_reading("longer") == QueuePlace(before=1, seconds=3 * CHUNK)
    stage.end(long)
    played(stage, 2 + 9)
    joined(long, longer)


def test_who_waits_can_be_stopped_and_is_gone(stage: Stage) -> None:
    answered = stage.asks("ann")
    assert stage.next() is answered
    job, outcome = a_job("bob"), []

    def ask() -> None:
        try:
            with stage.scheduler.answering(job):
                outcome.append("answered")
        except Cancelled:
            outcome.append("stopped")

    thread = threading.Thread(target=ask)
    thread.start()
    job.changes.wait_until(lambda: stage.scheduler.place_of_question("bob") is not None, PATIENCE)
    job.stop()
    thread.join(PATIENCE)
    assert outcome == ["stopped"]
    assert stage.scheduler.place_of_question("bob") is None
    stage.end(answered)
    joined(answered)


def closed_loop(stage: Stage, askers: int, chunks: int) -> Iterator[tuple[Client, dict[Client, int]]]:
    """So many clients ask again as soon as they are answered, while a document is read: each piece of work as it
    begins, and by question how many chunks have begun since it was asked."""
    reader, count = stage.reads("reader", chunks), 0
    overtaken: dict[Client, int] = {}
    while True:
        client = stage.next()
        if client is reader:
            overtaken = {question: chunks + 1 for question, chunks in overtaken.items()}
        yield client, overtaken
        overtaken.pop(client, None)
        while len(overtaken) + (client is not reader) <= askers:  # who is being answered will ask again
            count += 1
            overtaken[stage.asks(f"question {count}")] = 0
        stage.end(client)


@pytest.mark.parametrize("askers", [1, 2, 7, 50])
def test_reading_goes_on_slowly_while_questions_never_end_and_none_waits_for_two_chunks(
    stage: Stage, askers: int
) -> None:
    chunks = {1: 40, 2: 40, 7: 20, 50: 5}[askers]
    read, answered, most = 0, 0, 0
    for client, overtaken in closed_loop(stage, askers, chunks):
        read += client.name == "reader"
        answered += client.name != "reader"
        most = max([most, *overtaken.values()])
        if read == chunks:
            break
    assert most == 1
    assert read * CHUNK <= 0.25 * answered * ANSWER + 2 * CHUNK  # a fifth of the time, but for where it began
    assert answered <= chunks * max(askers + 1, 4)  # the next chunk comes when all who waited have been answered
