"""Who holds what: sessions and their documents, bounded in bytes and freed when nobody is left to use them.

A `gr.State` holds a session's id; everything else is here. A session outlives its tabs by some minutes, because a
refresh closes the tab for a moment and the same browser then returns for its documents; and its work goes on for some
seconds, so that the refresh interrupts nothing.
"""

import secrets
import threading
import time
from collections.abc import Callable

from app.sessions.session import Loaded, Session
from model.errors import Cancelled, DocumentError, ReadonceError

MEGABYTE = 1_000_000
WORK_LINGERS_SECONDS = 15.0


class Library:
    """All sessions of one running app. Safe to use from several threads."""

    def __init__(
        self,
        *,
        capacity_bytes: int,
        linger_seconds: float,
        work_lingers_seconds: float = WORK_LINGERS_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.capacity_bytes = capacity_bytes
        self._linger_seconds = linger_seconds
        self._work_lingers_seconds = min(work_lingers_seconds, linger_seconds)
        self._clock = clock
        self._lock = threading.RLock()
        self._sessions: dict[str, Session] = {}
        self._tabs: dict[str, str] = {}  # the tab's id -> its session's id
        self._emptied: dict[str, float] = {}  # session id -> when its last tab closed
        self._used: dict[tuple[str, str], None] = {}  # (session id, document), least recently used first

    @property
    def used_bytes(self) -> int:
        with self._lock:
            return sum(loaded.size_bytes for session in self._sessions.values() for loaded in session.documents)

    def enter(self, tab: str, session_id: str = "") -> Session:
        """A tab has opened: give it the session that its browser remembers, or a new one."""
        with self._lock:
            self.sweep()
            session = self._sessions.get(session_id) or self._new_session()
            self._tabs[tab] = session.id
            self._emptied.pop(session.id, None)
            return session

    def leave(self, tab: str) -> None:
        """A tab has closed. With the last one the session's time begins to run out."""
        with self._lock:
            session_id = self._tabs.pop(tab, None)
            if session_id is None or session_id in self._tabs.values():
                return
            self._emptied[session_id] = self._clock()
        for seconds in (self._work_lingers_seconds, self._linger_seconds):
            waiting = threading.Timer(seconds + 0.1, self.sweep)
            waiting.daemon = True
            waiting.start()

    def sweep(self) -> None:
        """Stop the work, and some minutes later free the sessions, whose browser did not return in time."""
        with self._lock:
            now = self._clock()
            for session_id, since in list(self._emptied.items()):
                if since <= now - self._work_lingers_seconds:
                    self._sessions[session_id].stop()
                if since <= now - self._linger_seconds:
                    self._free(session_id)

    def session(self, session_id: str) -> Session:
        if not session_id:
            raise ReadonceError("The page is still opening. Try again in a moment.")
        with self._lock:
            session = self._sessions.get(session_id)
        if session is None:
            raise ReadonceError("This page has been closed for too long and its documents are freed: reload the page.")
        return session

    def check_room(self, name: str, size_bytes: int) -> None:
        """Raises DocumentError where a document of this size can never fit: better before it is encoded."""
        if size_bytes > self.capacity_bytes:
            raise DocumentError(
                f"{name} needs {size_bytes / MEGABYTE:,.0f} MB, but documents may use"
                f" {self.capacity_bytes / MEGABYTE:,.0f} MB. Take fewer pages, or raise READONCE_MEMORY_MB."
            )

    def keep(self, session: Session, loaded: Loaded) -> None:
        """Put a document into a session, and put away the least recently used ones until all fit."""
        self.check_room(loaded.name, loaded.size_bytes)
        with self._lock:
            if session.id not in self._sessions:
                raise Cancelled(f"{loaded.name} was not kept: its page is closed.")
            session.add(loaded)
            self.touch(session, loaded.key)
            while self.used_bytes > self.capacity_bytes:
                self._put_away(*next(iter(self._used)))

    def touch(self, session: Session, *keys: str) -> None:
        """Note that these documents were just used."""
        with self._lock:
            for key in keys:
                self._used.pop((session.id, key), None)
                self._used[session.id, key] = None

    def forget(self, session: Session, key: str) -> None:
        """Let a document go: its encoding, its pictures and the copy of its file."""
        with self._lock:
            session.forget(key)
            self._used.pop((session.id, key), None)

    def _new_session(self) -> Session:
        session = Session(secrets.token_urlsafe(24))
        self._sessions[session.id] = session
        return session

    def _put_away(self, session_id: str, key: str) -> None:
        session = self._sessions[session_id]
        name = session.document(key).name
        self.forget(session, key)
        session.tell(f"{name} was put away to make room in memory. Drop it again to go on with it.")

    def _free(self, session_id: str) -> None:
        session = self._sessions.pop(session_id)
        del self._emptied[session_id]
        for loaded in session.documents:
            self.forget(session, loaded.key)
