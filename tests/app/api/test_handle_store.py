"""Documents of programs: whose they are, and how long they stay."""

from __future__ import annotations

import contextlib

import pytest

from app.api.handle_store import MOST_AT_ONCE, MOST_OF_ALL, HandleStore
from app.sessions.session_store import SessionStore
from model.errors import DocumentError, ReadonceError
from tests.helpers.stand_ins import Clock, loaded


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions() -> SessionStore:
    return SessionStore(capacity_bytes=1_000_000, linger_seconds=0)


@pytest.fixture
def store(sessions: SessionStore, clock: Clock) -> HandleStore:
    return HandleStore(sessions, idle_seconds=600, clock=clock)


def is_there(store: HandleStore, caller: str, handle: str) -> bool:
    with store.using(caller, [handle]) as encoded:
        return len(encoded) == 1


def test_a_document_is_there_for_its_caller_only(store: HandleStore) -> None:
    handle = store.put("ann", loaded("a.pdf"))
    with store.using("ann", [handle]) as (one,):
        assert one.document.name == "a.pdf"
    with pytest.raises(DocumentError, match="in this session"), store.using("bob", [handle]):
        pass


def test_the_same_file_of_two_callers_is_two_documents(store: HandleStore) -> None:
    first, second = store.put("ann", loaded("a.pdf")), store.put("bob", loaded("a.pdf"))
    store.forget("ann", first)
    assert is_there(store, "bob", second)


def test_forgetting_frees_the_memory_and_twice_is_no_error(store: HandleStore, sessions: SessionStore) -> None:
    handle = store.put("ann", loaded("a.pdf"))
    store.forget("bob", handle)
    assert sessions.used_bytes > 0
    store.forget("ann", handle)
    store.forget("ann", handle)
    assert sessions.used_bytes == 0


def test_what_nobody_asks_about_is_freed(store: HandleStore, sessions: SessionStore, clock: Clock) -> None:
    used, idle = store.put("ann", loaded("a.pdf")), store.put("ann", loaded("b.pdf"))
    clock.now = 500
    assert is_there(store, "ann", used)
    clock.now = 700
    store.sweep()
    assert is_there(store, "ann", used)
    with pytest.raises(DocumentError, match="it was freed"), store.using("ann", [idle]):
        pass
    clock.now = 1_400
    store.sweep()
    assert sessions.used_bytes == 0


def test_a_caller_who_leaves_stops_its_work_and_takes_its_documents_along(
    store: HandleStore, sessions: SessionStore
) -> None:
    store.put("ann", loaded("a.pdf"))
    with store.working("ann") as job, store.working("bob") as other:
        store.leave("ann")
        assert (job.cancelled(), other.cancelled()) == (True, False)
    assert sessions.used_bytes == 0


def test_a_document_that_was_put_away_for_others_says_so(store: HandleStore, sessions: SessionStore) -> None:
    size = loaded("a.pdf").size_bytes
    sessions.capacity_bytes = size
    first = store.put("ann", loaded("a.pdf"))
    store.put("bob", loaded("b.pdf"))
    with pytest.raises(DocumentError, match="Encode it again"), store.using("ann", [first]):
        pass


def test_the_idle_time_does_not_run_while_a_question_waits(
    store: HandleStore, sessions: SessionStore, clock: Clock
) -> None:
    handle = store.put("ann", loaded("a.pdf"))
    with store.using("ann", [handle]):
        clock.now = 100_000
        store.sweep()
        with (
            pytest.raises(DocumentError, match="Try again"),
            sessions.reserved("bob", "b.pdf", sessions.capacity_bytes),
        ):
            pass
    clock.now += 599  # counted from the end of the answer
    store.sweep()
    assert is_there(store, "ann", handle)


def test_a_caller_may_have_so_many_calls_wait_and_no_more(store: HandleStore) -> None:
    with contextlib.ExitStack() as calls:
        for _ in range(MOST_AT_ONCE):
            calls.enter_context(store.working("ann"))
        with pytest.raises(ReadonceError, match="32 calls of this connection wait already"), store.working("ann"):
            pass
        calls.enter_context(store.working("bob"))
    with store.working("ann"):
        pass


def test_all_callers_together_may_have_so_many_calls_wait(store: HandleStore) -> None:
    with contextlib.ExitStack() as calls:
        for number in range(MOST_OF_ALL):
            calls.enter_context(store.working(f"caller {number // MOST_AT_ONCE}"))
        with pytest.raises(ReadonceError, match="1,024 calls wait here already"), store.working("one more"):
            pass
    with store.working("one more"):
        pass


def test_a_document_that_can_never_fit_leaves_nothing_behind(store: HandleStore, sessions: SessionStore) -> None:
    sessions.capacity_bytes = 10
    with pytest.raises(DocumentError, match="documents may use"):
        store.put("ann", loaded("a.pdf"))
    assert sessions.used_bytes == 0
