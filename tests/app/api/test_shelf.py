"""Documents of programs: whose they are, and how long they stay."""

from __future__ import annotations

import pytest

from app.api.handle_store import Shelf
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
def shelf(library: Library, clock: Clock) -> Shelf:
    return Shelf(library, idle_seconds=600, clock=clock)


def test_a_document_is_there_for_its_caller_only(shelf: Shelf) -> None:
    handle = shelf.put("ann", loaded("a.pdf"))
    assert [one.name for one in shelf.take("ann", [handle])] == ["a.pdf"]
    with pytest.raises(DocumentError, match="in this session"):
        shelf.take("bob", [handle])


def test_the_same_file_of_two_callers_is_two_documents(shelf: Shelf) -> None:
    first, second = shelf.put("ann", loaded("a.pdf")), shelf.put("bob", loaded("a.pdf"))
    shelf.forget("ann", first)
    assert shelf.take("bob", [second])


def test_forgetting_frees_the_memory_and_twice_is_no_error(shelf: Shelf, library: Library) -> None:
    handle = shelf.put("ann", loaded("a.pdf"))
    shelf.forget("bob", handle)
    assert library.used_bytes > 0
    shelf.forget("ann", handle)
    shelf.forget("ann", handle)
    assert library.used_bytes == 0


def test_what_nobody_asks_about_is_freed(shelf: Shelf, library: Library, clock: Clock) -> None:
    used, idle = shelf.put("ann", loaded("a.pdf")), shelf.put("ann", loaded("b.pdf"))
    clock.now = 500
    shelf.take("ann", [used])
    clock.now = 700
    shelf.sweep()
    assert shelf.take("ann", [used])
    with pytest.raises(DocumentError, match="it was freed"):
        shelf.take("ann", [idle])
    clock.now = 1_400
    shelf.sweep()
    assert library.used_bytes == 0


def test_a_caller_who_leaves_stops_its_work_and_takes_its_documents_along(shelf: Shelf, library: Library) -> None:
    shelf.put("ann", loaded("a.pdf"))
    with shelf.working("ann") as gone, shelf.working("bob") as other_gone:
        shelf.leave("ann")
        assert (gone(), other_gone()) == (True, False)
    assert library.used_bytes == 0


def test_a_document_that_was_put_away_for_others_says_so(shelf: Shelf, library: Library) -> None:
    size = loaded("a.pdf").size_bytes
    library.capacity_bytes = size
    first = shelf.put("ann", loaded("a.pdf"))
    shelf.put("bob", loaded("b.pdf"))
    with pytest.raises(DocumentError, match="Encode it again"):
        shelf.take("ann", [first])


def test_a_document_that_can_never_fit_leaves_nothing_behind(shelf: Shelf, library: Library) -> None:
    library.capacity_bytes = 10
    with pytest.raises(DocumentError, match="documents may use"):
        shelf.put("ann", loaded("a.pdf"))
    assert library.used_bytes == 0
