"""Work that goes on for a client in threads of its own: a tab only watches, so that a refresh interrupts nothing."""

import contextvars
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from app.sessions.changes import Changes
from model.errors import Cancelled

Work = Literal["reading", "first pages", "answering", "table", "overview", "captions", "saving", "indexing", "program"]


class Job:
    """One piece of work for a client, which can be stopped.

    It waits on the client's changes, so whatever it waits for notifies them; a stop does so, too.
    """

    def __init__(self, work: Work, client: str, changes: Changes) -> None:
        self.work = work
        self.client = client
        self.changes = changes
        self._stopped = threading.Event()

    def cancelled(self) -> bool:
        """Whether it was asked to end: what the engine and the reader call."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Ask it to end."""
        self._stopped.set()
        self.changes.notify()

    def wait_until(self, met: Callable[[], bool], *, otherwise: str, seconds: float | None = None) -> bool:
        """Wait until the condition is met; False where the seconds end first. Raises Cancelled(otherwise) on a stop."""
        found = self.changes.wait_until(lambda: self._stopped.is_set() or met(), seconds)
        if self._stopped.is_set():
            raise Cancelled(otherwise)
        return found


class Jobs:
    """The work of one client. One thread at a time does one kind of it, piece by piece."""

    def __init__(self, client: str, changes: Changes) -> None:
        self._client = client
        self._changes = changes
        self._lock = threading.Lock()
        self._running: list[Job] = []
        self._wanted: dict[Work, Callable[[Job], bool] | None] = {}  # work that has a thread -> what it shall do next

    def start(self, work: Work, piece: Callable[[Job], bool]) -> None:
        """Do this work in a thread, piece by piece, until a piece says that there was nothing to do.

        Where such work goes on already, its thread then goes on with this. It works in the context of the request that
        began it: ZeroGPU reads there whose quota a GPU's time counts against.
        """
        with self._lock:
            runs = work in self._wanted
            self._wanted[work] = piece
        if not runs:
            context = contextvars.copy_context()
            threading.Thread(target=context.run, args=(self._work, work), name=work, daemon=True).start()

    @contextmanager
    def running(self, work: Work) -> Iterator[Job]:
        """A job that `stop` ends; one that is left behind has ended, too."""
        job = Job(work, self._client, self._changes)
        with self._lock:
            self._running.append(job)
        try:
            yield job
        finally:
            with self._lock:
                self._running.remove(job)
            job.stop()

    def stop(self, work: Work | None = None) -> None:
        """Ask one kind of work, or all of it, to end."""
        with self._lock:
            asked = [job for job in self._running if work in (None, job.work)]
        for job in asked:
            job.stop()

    def is_stopping(self, work: Work) -> bool:
        """Whether work of this kind was asked to end and has not ended yet."""
        with self._lock:
            return any(job.work == work and job.cancelled() for job in self._running)

    def count(self, work: Work) -> int:
        """How many jobs of this kind run or wait."""
        with self._lock:
            return sum(job.work == work for job in self._running)

    def _work(self, work: Work) -> None:
        while (piece := self._next(work)) is not None:
            goes_on = True
            while goes_on:
                with self.running(work) as job:
                    goes_on = piece(job)

    def _next(self, work: Work) -> Callable[[Job], bool] | None:
        with self._lock:
            piece = self._wanted[work]
            if piece is None:
                del self._wanted[work]
            else:
                self._wanted[work] = None
            return piece
