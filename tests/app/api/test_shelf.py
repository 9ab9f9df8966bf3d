"""Documents of programs: whose they are, and how long they stay."""

from __future__ import annotations

import pytest

from app.api.handle_store import HandleStore
from app.sessions.library import Library
from model.errors import DocumentError
from tests.helpers.stand_ins import Clock, loaded


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def library() -> Library:
    return Library(capacity_bytes=1_000_000, linger_seconds=0)


@pytest.fixture
def handle_store(library: Library, clock: Clock) -> HandleStore:
    return HandleStore(library, idle_seconds=600, clock=clock)


def test_a_document_is_there_for_its_caller_only(handle_store: HandleStore) -> None:
    handle = handle_store.put("ann", loaded("a.pdf"))
    assert [one.name for one in handle_store.take("ann", [handle])] == ["a.pdf"]
    with pytest.raises(DocumentError, match="in this session"):
        handle_store.take("bob", [handle])


def test_the_same_file_of_two_callers_is_two_documents(handle_store: HandleStore) -> None:
    first, second = handle_store.put("ann", loaded("a.pdf")), handle_store.put("bob", loaded("a.pdf"))
    handle_store.forget("ann", first)
    assert handle_store.take("bob", [second])


def test_forgetting_frees_the_memory_and_twice_is_no_error(handle_store: HandleStore, library: Library) -> None:
    handle = handle_store.put("ann", loaded("a.pdf"))
    handle_store.forget("bob", handle)
    assert library.used_bytes > 0
    handle_store.forget("ann", handle)
    handle_store.forget("ann", handle)
    assert library.used_bytes == 0


def test_what_nobody_asks_about_is_freed(handle_store: HandleStore, library: Library, clock: Clock) -> None:
    used, idle = handle_store.put("ann", loaded("a.pdf")), handle_store.put("ann", loaded("b.pdf"))
    clock.now = 500
    handle_store.take("ann", [used])
    clock.now = 700
    handle_store.sweep()
    assert handle_store.take("ann", [used])
    with pytest.raises(DocumentError, match="it was freed"):
        handle_store.take("ann", [idle])
    clock.now = 1_400
    handle_store.sweep()
    assert library.used_bytes == 0


def test_a_caller_who_leaves_stops_its_work_and_takes_its_documents_along(
    handle_store: HandleStore, library: Library
) -> None:
    handle_store.put("ann", loaded("a.pdf"))
    with handle_store.working("ann") as gone, handle_store.working("bob") as other_gone:
        handle_store.leave("ann")
        assert (gone(), other_gone()) == (True, False)
    assert library.used_bytes == 0


def test_a_document_that_was_put_away_for_others_says_so(handle_store: HandleStore, library: Library) -> None:
    size = loaded("a.pdf").size_bytes
    library.capacity_bytes = size
    first = handle_store.put("ann", loaded("a.pdf"))
    handle_store.put("bob", loaded("b.pdf"))
    with pytest.raises(DocumentError, match="Encode it again"):
        handle_store.take("ann", [first])


def test_a_document_that_can_never_fit_leaves_nothing_behind(handle_store: HandleStore, library: Library) -> None:
    library.capacity_bytes = 10
    with pytest.raises(DocumentError, match="documents may use"):
        handle_store.put("ann", loaded("a.pdf"))
    assert library.used_bytes == 0
