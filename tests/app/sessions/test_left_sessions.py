"""What becomes of a session that nobody looks at any more, and of what is still being made for it."""

import threading
from pathlib import Path

import pytest

from app.sessions.session_store import SessionStore
from model.errors import Cancelled
from tests.helpers.awaited import wait_until
from tests.helpers.stand_ins import Clock, CountedImages, loaded


def test_the_last_session_is_freed_though_nobody_comes() -> None:
    """By the clock alone, also where it shall be freed at once."""
    sessions = SessionStore(capacity_bytes=loaded().size_bytes, linger_seconds=0)
    sessions.connect("tab")
    sessions.keep(sessions.enter("tab"), loaded("a.pdf"))
    sessions.leave("tab")
    wait_until(lambda: sessions.used_bytes == 0)


def test_what_is_made_for_a_page_that_is_gone_is_deleted(sessions: SessionStore, clock: Clock, tmp_path: Path) -> None:
    session = sessions.enter("tab")
    sessions.connect("tab")
    sessions.leave("tab")
    clock.now += 601
    sessions.sweep()
    made = tmp_path / "made" / "a.safetensors"
    made.parent.mkdir()
    made.write_text("text of a document")
    with pytest.raises(Cancelled, match="page is closed"):
        session.hand_out(made)
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_is_being_drawn_holds_nobody_up(sessions: SessionStore) -> None:
    """Its document can be forgotten meanwhile, which happens while all sessions wait."""
    begun, end = threading.Event(), threading.Event()

    class Slow(CountedImages):
        def image(self, number: int, *, width: int) -> bytes:
            begun.set()
            end.wait()
            return super().image(number, width=width)

    session = sessions.enter("tab")
    document = loaded("a.pdf", images=Slow())
    sessions.keep(session, document)
    drawing = threading.Thread(target=lambda: document.pictures.url(1, width=100))
    drawing.start()
    begun.wait()
    sessions.forget(session, document.key)
    assert sessions.used_bytes == 0
    end.set()
    drawing.join()
    assert document.pictures.size_bytes == 0
