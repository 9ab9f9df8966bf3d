"""Who holds what: sessions and all that they hold, bounded in bytes and freed when nobody is left to use it.

A `gr.State` holds a session's id; everything else is here. A session outlives its tabs by some minutes, because a
refresh closes the tab for a moment and the same browser then returns for its documents; and its work goes on for some
seconds, so that the refresh interrupts nothing.
"""

import contextlib
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

from app.sessions.presence import Presence
from app.sessions.session import Session
from app.sessions.viewed import Loaded
from model.errors import Cancelled, DocumentError, ReadonceError

MEGABYTE = 1_000_000
WORK_LINGERS_SECONDS = 15.0  # after the last tab has closed, until its work is stopped
ARRIVAL_SECONDS = 60.0  # how long at least a session is kept that no tab has connected to yet
SWEEP_SECONDS = 1.0  # at least, between two looks at who has left


class SessionStore:
    """All sessions of one running app. Safe to use from several threads."""

    def __init__(
        self,
        *,
        capacity_bytes: int,
        linger_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.capacity_bytes = capacity_bytes
        self._linger_seconds = linger_seconds
        self._work_lingers_seconds = min(WORK_LINGERS_SECONDS, linger_seconds)
        self._clock = clock
        self._lock = threading.RLock()
        self._sessions: dict[str, Session] = {}
        self._presence = Presence(clock)
        self._timer: threading.Timer | None = None
        self._recency: dict[tuple[str, str], None] = {}  # (session id, document), least recently used first
        self._in_use: Counter[tuple[str, str]] = Counter()  # questions that wait for a document, or look into it
        self._reserved: Counter[str] = Counter()  # client -> bytes that what is being read for it will take

    # Sessions

    def enter(self, tab: str, session_id: str = "", client: str = "", *, person: str = "") -> Session:
        """A tab has opened: give it the session that its browser remembers, its own, or a new one.

        It gets no session of another person, whatever it remembers.
        """
        with self._lock:
            self.sweep()
            own = self._sessions.get(self._presence.session_of(tab))
            theirs = (one for one in (self._sessions.get(session_id), own) if one and one.person == person)
            session = next(theirs, None) or self._new_session(client, person)
            self._presence.enter(tab, session.id)
            self._sweep_later()
            return session

    def connect(self, tab: str) -> None:
        """A tab holds a connection from now on, until it leaves; it may enter before or after."""
        with self._lock:
            self._presence.connect(tab)

    def leave(self, tab: str) -> None:
        """A tab has closed. With the last one the session's time begins to run out."""
        with self._lock:
            self._presence.leave(tab)
            self._sweep_later()

    def has_tab(self, tab: str) -> bool:
        """Whether a tab has entered a session that is there, and has not left it."""
        with self._lock:
            return self._presence.has(tab)

    def sweep(self) -> None:
        """Stop the work, and some minutes later free the sessions, whose browser did not return in time."""
        with self._lock:
            for session_id in self._presence.left_since(self._work_lingers_seconds):
                self._sessions[session_id].stop()
            for session_id in self._presence.left_since(self._linger_seconds):
                self._free(session_id)
            for session_id in self._presence.unused_since(self._unused_seconds):
                if self._sessions[session_id].busy:
                    self._presence.use(session_id)
                else:
                    self._free(session_id)

    def session(self, session_id: str) -> Session:
        if not session_id:
            raise ReadonceError("The page is still opening. Try again in a moment.")
        with self._lock:
            session = self._sessions.get(session_id)
            self._presence.use(session_id)
        if session is None:
            raise ReadonceError("This page has been closed for too long and its documents are freed: reload the page.")
        return session

    # Bytes

    @property
    def count(self) -> int:
        """How many sessions there are."""
        return len(self._sessions)

    @property
    def used_bytes(self) -> int:
        """What all clients hold, what waits to be read for them, and what is reserved."""
        with self._lock:
            return sum(self._held().values())

    def check_room(self, name: str, size_bytes: int) -> None:
        """Raises DocumentError where a document of this size can never fit: better before it is encoded."""
        if size_bytes > self.capacity_bytes:
            raise DocumentError(
                "{name} needs {size:,.0f} MB, but documents may use"
                " {limit:,.0f} MB. Take fewer pages, or raise READONCE_MEMORY_MB.",
                name=name,
                size=size_bytes / MEGABYTE,
                limit=self.capacity_bytes / MEGABYTE,
            )

    def make_room(self, client: str, name: str, size_bytes: int) -> None:
        """Put documents away until so many bytes more fit, of those who hold the most; raises DocumentError.

        Nobody loses a document to a client who holds more than they do, nor one that a question waits for.
        """
        self.check_room(name, size_bytes)
        with self._lock:
            while sum((held := self._held()).values()) + size_bytes > self.capacity_bytes:
                held[client] += size_bytes
                session, key = self._spare(held, least=held[client]) or (None, "")
                if session is None:
                    raise DocumentError(
                        "{name} needs {size:,.0f} MB, but documents that are read or questioned now"
                        " use {used:,.0f} of"
                        " {limit:,.0f} MB. Try again when some of them are done.",
                        name=name,
                        size=size_bytes / MEGABYTE,
                        used=(sum(held.values()) - size_bytes) / MEGABYTE,
                        limit=self.capacity_bytes / MEGABYTE,
                    )
                self._put_away(session, key)

    @contextlib.contextmanager
    def reserved(self, client: str, name: str, size_bytes: int) -> Iterator[None]:
        """Make room for what is being read, and count it meanwhile. Raises DocumentError."""
        with self._lock:
            self.make_room(client, name, size_bytes)
            self._reserved[client] += size_bytes
        try:
            yield
        finally:
            with self._lock:
                self._reserved[client] -= size_bytes
                self._reserved += Counter()  # drops those that are zero

    def keep(self, session: Session, loaded: Loaded) -> None:
        """Put a document into a session. Raises DocumentError where there is no room, Cancelled without a session."""
        with self._lock:
            if session.id not in self._sessions:
                raise Cancelled("{name} was not kept: its page is closed.", name=loaded.name)
            self.make_room(session.client, loaded.name, loaded.size_bytes)
            session.add(loaded)
            self._touch(session, loaded.key)

    @contextlib.contextmanager
    def using(self, session: Session, *keys: str) -> Iterator[None]:
        """Meanwhile these documents are not put away: a question waits for them, or looks into them."""
        used = [(session.id, key) for key in keys]
        with self._lock:
            self._in_use.update(used)
            self._touch(session, *keys)
        try:
            yield
        finally:
            with self._lock:
                self._in_use.subtract(used)
                self._in_use += Counter()  # drops those that are zero
                self._touch(session, *keys)

    def is_in_use(self, session: Session, key: str) -> bool:
        return (session.id, key) in self._in_use

    def forget(self, session: Session, key: str) -> None:
        """Let a document go: its encoding, its pictures and the copy of its file."""
        with self._lock:
            session.forget(key)
            self._recency.pop((session.id, key), None)

    def _held(self) -> Counter[str]:
        """Client -> bytes."""
        held = Counter(self._reserved)
        for session in self._sessions.values():
            held[session.client] += session.size_bytes
        return held

    def _spare(self, held: Counter[str], *, least: int) -> tuple[Session, str] | None:
        """A document that may go: the least recently used of the client who holds the most, and at least so much."""
        spare = [used for used in self._recency if used not in self._in_use]
        found = [(self._sessions[session_id], key) for session_id, key in spare]
        found = [one for one in found if held[one[0].client] >= least]
        return max(found, key=lambda one: held[one[0].client], default=None)  # of equals the first

    def _put_away(self, session: Session, key: str) -> None:
        if session.has(key):  # else a person has let it go anyway
            name = session.document(key).name
            session.tell("{name} was put away to make room in memory. Drop it again to go on with it.", name=name)
        self.forget(session, key)

    def _touch(self, session: Session, *keys: str) -> None:
        """Note that these documents were just used."""
        for key in keys:
            self._recency.pop((session.id, key), None)
            if session.has(key):
                self._recency[session.id, key] = None

    def _new_session(self, client: str, person: str) -> Session:
        session = Session(secrets.token_urlsafe(24), client, person)
        self._sessions[session.id] = session
        return session

    @property
    def _unused_seconds(self) -> float:
        return max(self._linger_seconds, ARRIVAL_SECONDS)

    def _sweep_later(self) -> None:
        """Look again when the next session's time may be over; one timer is enough for all."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        left = (self._work_lingers_seconds, self._linger_seconds)
        due = self._presence.next_due(left=left, unused=self._unused_seconds)
        if due is not None:
            self._timer = threading.Timer(due + SWEEP_SECONDS, self._sweep_now)
            self._timer.daemon = True
            self._timer.start()

    def _sweep_now(self) -> None:
        with self._lock:
            self.sweep()
            self._sweep_later()

    def _free(self, session_id: str) -> None:
        session = self._sessions.pop(session_id)
        self._presence.remove(session_id)
        for loaded in session.held:
            self.forget(session, loaded.key)
        session.close()
