"""Documents that programs have sent: each under a handle that only its caller can use, for some minutes."""

import contextlib
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from app.sessions.changes import Changes
from app.sessions.jobs import Job, Jobs
from app.sessions.session import Session
from app.sessions.session_store import SessionStore
from app.sessions.viewed import Loaded
from model.errors import DocumentError, ReadonceError
from model.types import EncodedDocument

MOST_AT_ONCE = 32  # calls of one caller that wait or are being worked on
MOST_OF_ALL = 1_024  # of all callers together: each has a thread that waits


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
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

    def __init__(
        self, sessions: SessionStore, *, idle_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._sessions = sessions
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._lock = threading.RLock()
        self._held: dict[str, _Held] = {}
        self._jobs: dict[str, Jobs] = {}  # of callers whose calls are being worked on
        self._timer: threading.Timer | None = None

    @contextlib.contextmanager
    def working(self, caller: str) -> Iterator[Job]:
        """Work for a caller, which ends when the caller goes. Raises ReadonceError for too many calls at once."""
        with contextlib.ExitStack() as work:
            with self._lock:
                if (count := sum(one.count("program") for one in self._jobs.values())) >= MOST_OF_ALL:
                    raise ReadonceError(
                        "{count:,} calls wait here already, which is the limit. Try again later.", count=count
                    )
                jobs = self._jobs.setdefault(caller, Jobs(caller, Changes()))
                if (count := jobs.count("program")) >= MOST_AT_ONCE:
                    raise ReadonceError(
                        "{count} calls of this connection wait already, which is the limit. Wait for one to end.",
                        count=count,
                    )
                work.callback(self._end, caller, jobs)
                job = work.enter_context(jobs.running("program"))
            yield job

    def put(self, caller: str, loaded: Loaded) -> str:
        """Keep a document; the handle is what `using` knows it by."""
        handle = secrets.token_urlsafe(24)
        self._sessions.connect(handle)
        session = self._sessions.enter(handle, client=caller)
        try:
            self._sessions.keep(session, loaded)
        except DocumentError:
            self._sessions.leave(handle)
            raise
        with self._lock:
            self._held[handle] = _Held(caller=caller, session=session, key=loaded.key, used=self._clock())
            self._sweep_later()
        return handle

    @contextlib.contextmanager
    def using(self, caller: str, handles: Sequence[str]) -> Iterator[tuple[EncodedDocument, ...]]:
        """The documents of these handles, which stay meanwhile, however long it takes.

        Raises DocumentError where one is unknown, another caller's, or freed.
        """
        with contextlib.ExitStack() as use:
            with self._lock:
                found = [self._find(caller, handle) for handle in handles]
                for one in found:
                    use.enter_context(self._sessions.using(one.session, one.key))
                encoded = tuple(one.session.document(one.key).encoded for one in found)
            yield encoded
        with self._lock:
            for handle in handles:
                if handle in self._held:
                    self._held[handle] = replace(self._held[handle], used=self._clock())

    def forget(self, caller: str, handle: str) -> None:
        """Free a document now. One that is not there is no error: the caller wanted it gone."""
        with self._lock:
            if (held := self._held.get(handle)) is not None and held.caller == caller:
                self._free(handle)

    def leave(self, caller: str) -> None:
        """A program has closed its connection: stop its work and free what it sent."""
        with self._lock:
            if caller in self._jobs:
                self._jobs[caller].stop()
            for handle in [handle for handle, held in self._held.items() if held.caller == caller]:
                self._free(handle)

    def sweep(self) -> None:
        """Free what nobody has asked about for a while. A question that waits, or is being answered, has asked."""
        with self._lock:
            latest = self._clock() - self._idle_seconds
            for handle, held in list(self._held.items()):
                if held.used <= latest and not self._sessions.is_in_use(held.session, held.key):
                    self._free(handle)

    def _end(self, caller: str, jobs: Jobs) -> None:
        """A call has ended; with the last one nothing is known of the caller but documents."""
        with self._lock:
            if not jobs.count("program") and self._jobs.get(caller) is jobs:
                del self._jobs[caller]

    def _find(self, caller: str, handle: str) -> _Held:
        held = self._held.get(handle)
        if held is None or held.caller != caller or not held.session.has(held.key):
            raise DocumentError(
                "There is no document {handle!r} in this session: it was freed, or never here. Encode it again.",
                handle=handle[:40],
            )
        return held

    def _free(self, handle: str) -> None:
        held = self._held.pop(handle)
        self._sessions.forget(held.session, held.key)
        self._sessions.leave(handle)

    def _sweep_later(self) -> None:
        """Look again when the first document can have become idle; one timer is enough for all."""
        if self._timer is None and self._held:
            self._timer = threading.Timer(self._idle_seconds / 4 + 0.1, self._sweep_now)
            self._timer.daemon = True
            self._timer.start()

    def _sweep_now(self) -> None:
        with self._lock:
            self._timer = None
            self.sweep()
            self._sweep_later()
