"""Laws of the library: whose documents they are, how many bytes they take, and when they are gone."""

import contextvars
import threading

import pytest

from app.sessions.library import Library
from model.errors import Cancelled, DocumentError, ReadonceError
from tests.helpers.stand_ins import Clock, CountedImages, loaded

SIZE = loaded(tokens=10).size_bytes


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def library(clock: Clock) -> Library:
    return Library(capacity_bytes=2 * SIZE, linger_seconds=600, clock=clock)


def test_a_document_belongs_to_the_session_that_brought_it(library: Library) -> None:
    mine, theirs = library.enter("tab 1"), library.enter("tab 2")
    library.keep(mine, loaded("a.pdf"))
    assert mine.id != theirs.id
    assert [one.name for one in mine.documents] == ["a.pdf"]
    assert theirs.documents == ()
    with pytest.raises(DocumentError, match="no longer here"):
        theirs.document("key-of-a.pdf")


def test_an_unknown_session_is_refused_in_words(library: Library) -> None:
    for session_id, words in (("", "still opening"), ("guessed", "reload the page")):
        with pytest.raises(ReadonceError, match=words):
            library.session(session_id)


def test_the_least_recently_used_document_makes_room(library: Library) -> None:
    session = library.enter("tab")
    for name in ("a.pdf", "b.pdf"):
        library.keep(session, loaded(name))
    library.touch(session, "key-of-a.pdf")
    library.keep(session, loaded("c.pdf"))
    assert [one.name for one in session.documents] == ["a.pdf", "c.pdf"]
    assert library.used_bytes <= 2 * SIZE
    assert "b.pdf was put away" in session.messages[0]


def test_room_is_made_across_sessions(library: Library) -> None:
    first, second = library.enter("tab 1"), library.enter("tab 2")
    library.keep(first, loaded("a.pdf"))
    library.keep(second, loaded("b.pdf"))
    library.keep(second, loaded("c.pdf"))
    assert first.documents == ()
    assert len(second.documents) == 2


def test_a_document_that_can_never_fit_is_refused_with_its_size(library: Library) -> None:
    session = library.enter("tab")
    library.keep(session, loaded("a.pdf"))
    with pytest.raises(DocumentError, match=r"big\.pdf needs .* MB"):
        library.keep(session, loaded("big.pdf", tokens=100))
    assert [one.name for one in session.documents] == ["a.pdf"]


def test_forgetting_frees_the_bytes_and_the_pictures(library: Library) -> None:
    session, images = library.enter("tab"), CountedImages()
    library.keep(session, loaded("a.pdf", images=images))
    library.forget(session, "key-of-a.pdf")
    assert library.used_bytes == 0
    assert images.closed
    assert session.documents == session.ticked == ()


def test_a_refresh_finds_its_session_again(library: Library, clock: Clock) -> None:
    session = library.enter("tab 1")
    library.keep(session, loaded("a.pdf"))
    library.leave("tab 1")
    clock.now = 599
    assert library.enter("tab 2", session.id) is session
    clock.now = 5_000
    library.sweep()
    assert library.session(session.id) is session


def test_a_browser_that_does_not_return_is_forgotten(library: Library, clock: Clock) -> None:
    session = library.enter("tab")
    library.keep(session, loaded("a.pdf"))
    library.leave("tab")
    clock.now = 600
    library.sweep()
    assert library.used_bytes == 0
    assert library.enter("tab 2", session.id).documents == ()


def test_work_stops_some_seconds_after_the_last_tab(library: Library, clock: Clock) -> None:
    session = library.enter("tab 1")
    library.enter("tab 2", session.id)
    with session.working("answering") as cancelled:
        library.leave("tab 1")
        clock.now = 100
        library.sweep()
        assert not cancelled()
        library.leave("tab 2")
        clock.now = 110  # a refresh would have come back by now
        library.sweep()
        assert not cancelled()
        clock.now = 116
        library.sweep()
        assert cancelled()
    assert library.session(session.id) is session


def test_work_goes_on_in_the_context_of_the_request_that_began_it(library: Library) -> None:
    request = contextvars.ContextVar[str]("request", default="nobody's")
    session, seen, done = library.enter("tab"), [], threading.Event()

    def piece(_: object) -> bool:
        seen.append(request.get())
        done.set()
        return False

    request.set("mine")
    session.work_off("table", piece)
    assert done.wait(60)
    assert seen == ["mine"]


def test_what_arrives_for_a_page_that_is_gone_is_not_kept(library: Library, clock: Clock) -> None:
    session = library.enter("tab")
    library.leave("tab")
    clock.now = 600
    library.sweep()
    with pytest.raises(Cancelled):
        library.keep(session, loaded("late.pdf"))


def test_many_threads_leave_it_within_its_bytes(library: Library) -> None:
    session = library.enter("tab")

    def bring(names: range) -> None:
        for name in names:
            library.keep(session, loaded(f"{name}.pdf"))

    threads = [threading.Thread(target=bring, args=(range(start, start + 20),)) for start in (0, 20, 40, 60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert library.used_bytes == 2 * SIZE
