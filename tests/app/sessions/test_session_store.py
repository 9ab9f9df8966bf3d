"""Laws of the sessions: whose documents they are, how many bytes they take, and when they are gone."""

import threading
from pathlib import Path

import pytest

from app.sessions.inbox import Incoming
from app.sessions.session import Session
from app.sessions.session_store import SessionStore
from model.errors import Cancelled, DocumentError, ReadonceError
from tests.helpers.stand_ins import Clock, CountedImages, a_page, loaded

SIZE = loaded(tokens=10).size_bytes


def test_a_document_belongs_to_the_session_that_brought_it(sessions: SessionStore) -> None:
    mine, theirs = sessions.enter("tab 1"), sessions.enter("tab 2")
    sessions.keep(mine, loaded("a.pdf"))
    assert mine.id != theirs.id
    assert [one.name for one in mine.documents] == ["a.pdf"]
    assert theirs.documents == ()
    with pytest.raises(DocumentError, match="no longer here"):
        theirs.document("key-of-a.pdf")


def test_an_unknown_session_is_refused_in_words(sessions: SessionStore) -> None:
    for session_id, words in (("", "still opening"), ("guessed", "reload the page")):
        with pytest.raises(ReadonceError, match=words):
            sessions.session(session_id)


def test_the_least_recently_used_document_makes_room(sessions: SessionStore) -> None:
    session = sessions.enter("tab")
    for name in ("a.pdf", "b.pdf"):
        sessions.keep(session, loaded(name))
    with sessions.using(session, "key-of-a.pdf"):
        pass
    sessions.keep(session, loaded("c.pdf"))
    assert [one.name for one in session.documents] == ["a.pdf", "c.pdf"]
    assert sessions.used_bytes <= 2 * SIZE
    assert "b.pdf was put away" in session.messages[0]


def names(session: Session) -> list[str]:
    return [one.name for one in session.documents]


def test_who_holds_the_most_makes_room(sessions: SessionStore) -> None:
    """Nobody loses a document to a client who has more than they do."""
    first, second = sessions.enter("tab 1"), sessions.enter("tab 2")
    sessions.keep(first, loaded("a.pdf"))
    sessions.keep(second, loaded("b.pdf"))
    sessions.keep(second, loaded("c.pdf"))
    assert (names(first), names(second)) == (["a.pdf"], ["c.pdf"])


def test_a_client_who_holds_less_gets_room_from_one_who_holds_more(sessions: SessionStore) -> None:
    first, second = sessions.enter("tab 1"), sessions.enter("tab 2")
    for name in ("a.pdf", "b.pdf"):
        sessions.keep(first, loaded(name))
    sessions.keep(second, loaded("c.pdf"))
    assert (names(first), names(second)) == (["b.pdf"], ["c.pdf"])


def test_several_sessions_of_one_client_hold_together(sessions: SessionStore) -> None:
    first, second = sessions.enter("tab 1", client="ann"), sessions.enter("tab 2", client="ann")
    other = sessions.enter("tab 3")
    sessions.keep(other, loaded("other.pdf"))
    sessions.keep(first, loaded("a.pdf"))
    sessions.keep(second, loaded("b.pdf"))
    assert (names(other), names(first), names(second)) == (["other.pdf"], [], ["b.pdf"])


def test_a_document_that_is_in_use_stays_and_who_needs_its_room_is_told(sessions: SessionStore) -> None:
    session = sessions.enter("tab")
    for name in ("a.pdf", "b.pdf"):
        sessions.keep(session, loaded(name))
    with sessions.using(session, "key-of-a.pdf", "key-of-b.pdf"):
        with pytest.raises(DocumentError, match=r"c\.pdf needs .* are read or questioned now .* Try again"):
            sessions.keep(session, loaded("c.pdf"))
        assert names(session) == ["a.pdf", "b.pdf"]
    sessions.keep(session, loaded("c.pdf"))
    assert names(session) == ["b.pdf", "c.pdf"]


def test_what_waits_to_be_read_is_counted(sessions: SessionStore) -> None:
    session = sessions.enter("tab")
    session.inbox.receive(Incoming(name="a.pdf", data=bytes(2 * SIZE)))
    assert sessions.used_bytes == 2 * SIZE
    with pytest.raises(DocumentError, match=r"b\.pdf needs"):
        sessions.make_room(session.client, "b.pdf", 1)
    session.inbox.lock_away(session.inbox.next() or Incoming(name="", data=b""), "It needs a password.")
    assert sessions.used_bytes == 2 * SIZE
    session.inbox.unlock(None)
    assert sessions.used_bytes == 0


def test_room_that_is_reserved_is_counted_until_it_is_given_back(sessions: SessionStore) -> None:
    session = sessions.enter("tab")
    sessions.keep(session, loaded("a.pdf"))
    with sessions.reserved("ann", "b.pdf", SIZE):
        assert sessions.used_bytes == 2 * SIZE
    with sessions.reserved(session.client, "c.pdf", 2 * SIZE):
        assert (names(session), sessions.used_bytes) == ([], 2 * SIZE)
    assert sessions.used_bytes == 0


def test_text_pictures_questions_and_answers_are_counted(sessions: SessionStore) -> None:
    session = sessions.enter("tab")
    small, large = loaded("a.pdf", a_page(1, "lamp")), loaded("a.pdf", a_page(1, "lamp " * 1_000))
    assert large.size_bytes > small.size_bytes + 1_000 * 100
    before = large.size_bytes
    large.pictures.url(1, width=800)
    assert large.size_bytes > before
    session.conversation.pose("Who lit the lamp?")
    assert sessions.used_bytes > 0
    session.conversation.clear()
    assert sessions.used_bytes == 0


def test_a_document_that_can_never_fit_is_refused_with_its_size(sessions: SessionStore) -> None:
    session = sessions.enter("tab")
    sessions.keep(session, loaded("a.pdf"))
    with pytest.raises(DocumentError, match=r"big\.pdf needs .* MB"):
        sessions.keep(session, loaded("big.pdf", tokens=100))
    assert [one.name for one in session.documents] == ["a.pdf"]


def test_forgetting_frees_the_bytes_and_the_pictures(sessions: SessionStore) -> None:
    session, images = sessions.enter("tab"), CountedImages()
    sessions.keep(session, loaded("a.pdf", images=images))
    sessions.forget(session, "key-of-a.pdf")
    assert sessions.used_bytes == 0
    assert images.closed
    assert session.documents == session.ticked == ()


def test_a_refresh_finds_its_session_again(sessions: SessionStore, clock: Clock) -> None:
    session = sessions.enter("tab 1")
    sessions.keep(session, loaded("a.pdf"))
    sessions.leave("tab 1")
    clock.now = 599
    assert sessions.enter("tab 2", session.id) is session
    sessions.connect("tab 2")
    clock.now = 5_000
    sessions.sweep()
    assert sessions.session(session.id) is session


def test_a_connection_that_broke_and_came_back_keeps_the_session(sessions: SessionStore, clock: Clock) -> None:
    session = sessions.enter("tab")
    sessions.connect("tab")
    sessions.leave("tab")
    sessions.connect("tab")
    clock.now = 5_000
    sessions.sweep()
    assert sessions.session(session.id) is session


def test_entering_again_is_the_same_session(sessions: SessionStore) -> None:
    session = sessions.enter("tab")
    sessions.keep(session, loaded("a.pdf"))
    assert sessions.enter("tab") is sessions.enter("tab", "guessed") is sessions.enter("tab", session.id) is session


def test_a_tab_that_enters_another_session_leaves_its_own(sessions: SessionStore, clock: Clock) -> None:
    own, other = sessions.enter("tab 1"), sessions.enter("tab 2")
    sessions.keep(own, loaded("a.pdf"))
    assert sessions.enter("tab 1", other.id) is other
    clock.now = 600
    sessions.sweep()
    assert sessions.used_bytes == 0
    with pytest.raises(ReadonceError, match="reload the page"):
        sessions.session(own.id)


def test_a_session_that_nobody_connects_to_is_freed_when_nothing_is_done_in_it(
    sessions: SessionStore, clock: Clock
) -> None:
    connected, used, unused = sessions.enter("tab 1"), sessions.enter("tab 2"), sessions.enter("tab 3")
    sessions.connect("tab 1")
    clock.now = 400
    sessions.session(used.id)
    clock.now = 601
    sessions.sweep()
    assert sessions.session(connected.id) and sessions.session(used.id)
    with pytest.raises(ReadonceError, match="reload the page"):
        sessions.session(unused.id)


def test_what_was_made_to_be_taken_goes_with_the_session(sessions: SessionStore, clock: Clock, tmp_path: Path) -> None:
    session, made = sessions.enter("tab"), tmp_path / "made" / "conversation.md"
    made.parent.mkdir()
    made.write_text("Who?")
    session.hand_out(made)
    session.inbox.receive(Incoming(name="a.pdf", data=b"%PDF"))
    sessions.leave("tab")
    clock.now = 600
    sessions.sweep()
    assert not made.exists()
    assert session.size_bytes == 0


def test_a_browser_that_does_not_return_is_forgotten(sessions: SessionStore, clock: Clock) -> None:
    session = sessions.enter("tab")
    sessions.keep(session, loaded("a.pdf"))
    sessions.leave("tab")
    clock.now = 600
    sessions.sweep()
    assert sessions.used_bytes == 0
    assert sessions.enter("tab 2", session.id).documents == ()


def test_work_stops_some_seconds_after_the_last_tab(sessions: SessionStore, clock: Clock) -> None:
    session = sessions.enter("tab 1")
    sessions.enter("tab 2", session.id)
    with session.jobs.running("answering") as job:
        sessions.leave("tab 1")
        clock.now = 100
        sessions.sweep()
        assert not job.cancelled()
        sessions.leave("tab 2")
        clock.now = 110  # a refresh would have come back by now
        sessions.sweep()
        assert not job.cancelled()
        clock.now = 116
        sessions.sweep()
        assert job.cancelled()
    assert sessions.session(session.id) is session


def test_what_arrives_for_a_page_that_is_gone_is_not_kept(sessions: SessionStore, clock: Clock) -> None:
    session = sessions.enter("tab")
    sessions.leave("tab")
    clock.now = 600
    sessions.sweep()
    with pytest.raises(Cancelled):
        sessions.keep(session, loaded("late.pdf"))


def test_many_threads_leave_it_within_its_bytes(sessions: SessionStore) -> None:
    session = sessions.enter("tab")

    def bring(names: range) -> None:
        for name in names:
            sessions.keep(session, loaded(f"{name}.pdf"))

    threads = [threading.Thread(target=bring, args=(range(start, start + 20),)) for start in (0, 20, 40, 60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sessions.used_bytes == 2 * SIZE
