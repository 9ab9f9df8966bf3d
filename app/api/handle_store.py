"""Documents that programs have sent: each under a handle that only its caller can use, for some minutes."""

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from app.sessions.library import Library
from app.sessions.session import Loaded, Session
from model.errors import DocumentError
from model.types import CancelledCallback


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A document in a session of its own, so that nobody meets another one's reading of the same file."""

    caller: str
    session: Session
    key: str
    used: float  # on the clock


class HandleStore:
    """Hands out handles for documents. Safe to use from several threads.

    A handle is 192 random bits and bound to its caller. MCP callers share one connection and are one caller here: the
    handle alone keeps them apart.
    """

    def __init__(self, library: Library, *, idle_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._library = library
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._lock = threading.RLock()
        self._kept: dict[str, _Kept] = {}
        self._working: list[tuple[str, threading.Event]] = []
        self._waiting: threading.Timer | None = None

    @contextmanager
    def working(self, caller: str) -> Iterator[CancelledCallback]:
        """Work for a caller; what it gives says whether the caller has gone meanwhile."""
        gone = threading.Event()
        with self._lock:
            self._working.append((caller, gone))
        try:
            yield gone.is_set
        finally:
            with self._lock:
                self._working.remove((caller, gone))

    def put(self, caller: str, loaded: Loaded) -> str:
        """Keep a document; the handle is what `take` knows it by."""
        handle = secrets.token_urlsafe(24)
        session = self._library.enter(handle)
        try:
            self._library.keep(session, loaded)
        except DocumentError:
            self._library.leave(handle)
            raise
        with self._lock:
            self._kept[handle] = _Kept(caller=caller, session=session, key=loaded.key, used=self._clock())
            self._wait()
        return handle

    def take(self, caller: str, handles: Sequence[str]) -> tuple[Loaded, ...]:
        """The documents of these handles; raises DocumentError where one is unknown, another caller's, or freed."""
        with self._lock:
            return tuple(self._take(caller, handle) for handle in handles)

    def forget(self, caller: str, handle: str) -> None:
        """Free a document now. One that is not there is no error: the caller wanted it gone."""
        with self._lock:
            if (kept := self._kept.get(handle)) is not None and kept.caller == caller:
                self._free(handle)

    def leave(self, caller: str) -> None:
        """A program has closed its connection: stop its work and free what it sent."""
        with self._lock:
            for working, gone in self._working:
                if working == caller:
                    gone.set()
            for handle in [handle for handle, kept in self._kept.items() if kept.caller == caller]:
                self._free(handle)

    def sweep(self) -> None:
        """Free what nobody has asked about for a while."""
        with self._lock:
            self._waiting = None
            latest = self._clock() - self._idle_seconds
            for handle in [handle for handle, kept in self._kept.items() if kept.used <= latest]:
                self._free(handle)
            self._wait()

    def _take(self, caller: str, handle: str) -> Loaded:
        kept = self._kept.get(handle)
        if kept is None or kept.caller != caller or not kept.session.has(kept.key):
            raise DocumentError(
                f"There is no document {handle[:40]!r} in this session: it was freed, or never here. Encode it again."
            )
        self._kept[handle] = replace(kept, used=self._clock())
        self._library.touch(kept.session, kept.key)
        return kept.session.document(kept.key)

    def _free(self, handle: str) -> None:
        kept = self._kept.pop(handle)
        self._library.forget(kept.session, kept.key)
        self._library.leave(handle)

    def _wait(self) -> None:
        """Look again when the first document can have become idle; one timer is enough for all."""
        if self._waiting is None and self._kept:
            self._waiting = threading.Timer(self._idle_seconds / 4 + 0.1, self.sweep)
            self._waiting.daemon = True
            self._waiting.start()
