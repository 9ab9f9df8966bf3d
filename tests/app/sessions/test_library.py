"""Laws of the library: whose documents they are, how many bytes they take, and when they are gone."""

import threading
from pathlib import Path

import pytest

from app.sessions.inbox import Incoming
from app.sessions.library import Library
from app.sessions.session import Session
from model.errors import Cancelled, DocumentError, ReadonceError
from tests.helpers.stand_ins import Clock, CountedImages, a_page, loaded

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
    with library.using(session, "key-of-a.pdf"):
        pass
    library.keep(session, loaded("c.pdf"))
    assert [one.name for one in session.documents] == ["a.pdf", "c.pdf"]
    assert library.used_bytes <= 2 * SIZE
    assert "b.pdf was put away" in session.messages[0]


def names(session: Session) -> list[str]:
    return [one.name for one in session.documents]


def test_who_holds_the_most_makes_room(library: Library) -> None:
    """Nobody loses a document to a client who has more than they do."""
    first, second = library.enter("tab 1"), library.enter("tab 2")
    library.keep(first, loaded("a.pdf"))
    library.keep(second, loaded("b.pdf"))
    library.keep(second, loaded("c.pdf"))
    assert (names(first), names(second)) == (["a.pdf"], ["c.pdf"])


def test_a_client_who_holds_less_gets_room_from_one_who_holds_more(library: Library) -> None:
    first, second = library.enter("tab 1"), library.enter("tab 2")
    for name in ("a.pdf", "b.pdf"):
        library.keep(first, loaded(name))
    library.keep(second, loaded("c.pdf"))
    assert (names(first), names(second)) == (["b.pdf"], ["c.pdf"])


def test_several_sessions_of_one_client_hold_together(library: Library) -> None:
    first, second = library.enter("tab 1", client="ann"), library.enter("tab 2", client="ann")
    other = library.enter("tab 3")
    library.keep(other, loaded("other.pdf"))
    library.keep(first, loaded("a.pdf"))
    library.keep(second, loaded("b.pdf"))
    assert (names(other), names(first), names(second)) == (["other.pdf"], [], ["b.pdf"])


def test_a_document_that_is_in_use_stays_and_who_needs_its_room_is_told(library: Library) -> None:
    session = library.enter("tab")
    for name in ("a.pdf", "b.pdf"):
        library.keep(session, loaded(name))
    with library.using(session, "key-of-a.pdf", "key-of-b.pdf"):
        with pytest.raises(DocumentError, match=r"c\.pdf needs .* are read or questioned now .* Try again"):
            library.keep(session, loaded("c.pdf"))
        assert names(session) == ["a.pdf", "b.pdf"]
    library.keep(session, loaded("c.pdf"))
    assert names(session) == ["b.pdf", "c.pdf"]


def test_what_waits_to_be_read_is_counted(library: Library) -> None:
    session = library.enter("tab")
    session.inbox.receive(Incoming(name="a.pdf", data=bytes(2 * SIZE)))
    assert library.used_bytes == 2 * SIZE
    with pytest.raises(DocumentError, match=r"b\.pdf needs"):
        library.make_room(session.client, "b.pdf", 1)
    session.inbox.lock_away(session.inbox.next() or Incoming(name="", data=b""), "It needs a password.")
    assert library.used_bytes == 2 * SIZE
    session.inbox.unlock(None)
    assert library.used_bytes == 0


def test_room_that_is_reserved_is_counted_until_it_is_given_back(library: Library) -> None:
    session = library.enter("tab")
    library.keep(session, loaded("a.pdf"))
    with library.reserved("ann", "b.pdf", SIZE):
        assert library.used_bytes == 2 * SIZE
    with library.reserved(session.client, "c.pdf", 2 * SIZE):
        assert (names(session), library.used_bytes) == ([], 2 * SIZE)
    assert library.used_bytes == 0


def test_text_pictures_questions_and_answers_are_counted(library: Library) -> None:
    session = library.enter("tab")
    small, large = loaded("a.pdf", a_page(1, "lamp")), loaded("a.pdf", a_page(1, "lamp " * 1_000))
    assert large.size_bytes > small.size_bytes + 1_000 * 100
    before = large.size_bytes
    large.pictures.url(1, width=800)
    assert large.size_bytes > before
    session.conversation.pose("Who lit the lamp?")
    assert library.used_bytes > 0
    session.conversation.clear()
    assert library.used_bytes == 0


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
    library.connect("tab 2")
    clock.now = 5_000
    library.sweep()
    assert library.session(session.id) is session


def test_a_connection_that_broke_and_came_back_keeps_the_session(library: Library, clock: Clock) -> None:
    session = library.enter("tab")
    library.connect("tab")
    library.leave("tab")
    library.connect("tab")
    clock.now = 5_000
    library.sweep()
    assert library.session(session.id) is session


def test_entering_again_is_the_same_session(library: Library) -> None:
    session = library.enter("tab")
    library.keep(session, loaded("a.pdf"))
    assert library.enter("tab") is library.enter("tab", "guessed") is library.enter("tab", session.id) is session


def test_a_tab_that_enters_another_session_leaves_its_own(library: Library, clock: Clock) -> None:
    own, other = library.enter("tab 1"), library.enter("tab 2")
    library.keep(own, loaded("a.pdf"))
    assert library.enter("tab 1", other.id) is other
    clock.now = 600
    library.sweep()
    assert library.used_bytes == 0
    with pytest.raises(ReadonceError, match="reload the page"):
        library.session(own.id)


def test_a_session_that_nobody_connects_to_is_freed_when_nothing_is_done_in_it(library: Library, clock: Clock) -> None:
    connected, used, unused = library.enter("tab 1"), library.enter("tab 2"), library.enter("tab 3")
    library.connect("tab 1")
    clock.now = 400
    library.session(used.id)
    clock.now = 601
    library.sweep()
    assert library.session(connected.id) and library.session(used.id)
    with pytest.raises(ReadonceError, match="reload the page"):
        library.session(unused.id)


def test_what_was_made_to_be_taken_goes_with_the_session(library: Library, clock: Clock, tmp_path: Path) -> None:
    session, made = library.enter("tab"), tmp_path / "made" / "conversation.md"
    made.parent.mkdir()
    made.write_text("Who?")
    session.hand_out(made)
    session.inbox.receive(Incoming(name="a.pdf", data=b"%PDF"))
    library.leave("tab")
    clock.now = 600
    library.sweep()
    assert not made.exists()
    assert session.size_bytes == 0


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
    with session.jobs.running("answering") as job:
        library.leave("tab 1")
        clock.now = 100
        library.sweep()
        assert not job.cancelled()
        library.leave("tab 2")
        clock.now = 110  # a refresh would have come back by now
        library.sweep()
        assert not job.cancelled()
        clock.now = 116
        library.sweep()
        assert job.cancelled()
    assert library.session(session.id) is session


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
