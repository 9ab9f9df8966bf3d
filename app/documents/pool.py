"""Workers for everybody: started when first needed, lent to one caller at a time, ended when nothing is left to do."""

import itertools
import threading
import time
from collections.abc import Callable, Generator, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from app.documents.copies import PrivateCopy
from app.documents.limits import Limits
from app.documents.messages import Confinement, Job, Reply
from app.documents.process import TICK, WorkerProcess
from model.errors import Cancelled, DocumentError
from model.types import CancelledCallback

Expected = TypeVar("Expected", bound=Reply)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A place in the queue; `caller` is whoever waits, for whom others may wait, too."""

    number: int
    caller: Hashable


@dataclass(slots=True, kw_only=True)
class _Idle:
    """A worker without a job, since when by the clock, and whose documents it has opened."""

    worker: WorkerProcess
    caller: Hashable
    since: float


class WorkerPool:
    """Runs jobs in up to `size` processes at once; `spare` more may wait for work. Safe to use from several threads.

    A worker that has opened one caller's documents is not handed another's: what took it over could read those.
    One caller never holds all of the workers, and of those who wait the one goes first who holds the fewest.
    """

    def __init__(self, limits: Limits, *, size: int, spare: int = 0) -> None:
        self._limits = limits
        self._size = size
        self._most = size + spare
        self._changed = threading.Condition()
        self._numbers = itertools.count()
        self._waiting: list[_Place] = []
        self._busy: dict[WorkerProcess | _Place, Hashable] = {}
        self._idle: list[_Idle] = []
        self._timer: threading.Timer | None = None
        self._closed = False
        # A worker ends with the thread that started it. This one is made with the first worker and stays until `close`.
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="worker-starter")

    def run(
        self,
        job: Job,
        copy: PrivateCopy | None,
        *,
        caller: Hashable = "",
        cancelled: CancelledCallback | None = None,
        waits: Callable[[int], None] | None = None,
    ) -> Generator[Reply, None, None]:
        """Do a job and yield what the worker says of it, but for the last word.

        `waits` is told how many go before this job, as long as it waits for a worker and when that changes.
        Raises DocumentError (a file that cannot be read, takes too long or ends the worker), PasswordNeeded, Cancelled.
        Whoever stops listening ends the worker.
        """
        worker = self._acquire(caller, job.document, cancelled, waits)
        try:
            yield from worker.run(job, copy, cancelled)
        finally:
            self._release(worker)

    def reply(self, job: Job, copy: PrivateCopy, expected: type[Expected], *, caller: Hashable = "") -> Expected | None:
        """Do a job to its end; what the worker said of the expected type, None where it said nothing such.

        Raises as `run` does.
        """
        replies = list(self.run(job, copy, caller=caller))
        return next((one for one in replies if isinstance(one, expected)), None)

    def confinement(self) -> Confinement:
        """What bounds a worker on this machine. Raises DocumentError."""
        worker = self._acquire("", "", None, None)
        try:
            return worker.wait_until_started()
        finally:
            self._release(worker)

    def close(self) -> None:
        """End all processes; jobs that they are doing fail."""
        with self._changed:
            self._closed = True
            workers = [holder for holder in self._busy if isinstance(holder, WorkerProcess)]
            workers += [idle.worker for idle in self._idle]
            self._idle.clear()
            if self._timer is not None:
                self._timer.cancel()
            self._changed.notify_all()
        for worker in workers:
            worker.end()
        self._starter.shutdown()

    def _acquire(
        self,
        caller: Hashable,
        document: str,
        cancelled: CancelledCallback | None,
        waits: Callable[[int], None] | None,
    ) -> WorkerProcess:
        place, told = _Place(number=next(self._numbers), caller=caller), -1
        with self._changed:
            self._waiting.append(place)
            try:
                while not self._is_next(place):
                    if cancelled is not None and cancelled():
                        raise Cancelled("Stopped before the document was opened.")
                    if waits is not None and (before := self._before(place)) != told:
                        told = before
                        waits(before)
                    self._changed.wait(TICK)
                self._check_open()
                self._busy[place] = caller
            finally:
                self._waiting.remove(place)
                self._changed.notify_all()
        try:
            return self._worker(place, document)
        except BaseException:
            with self._changed:
                self._busy.pop(place, None)
                self._changed.notify_all()
            raise

    def _is_next(self, place: _Place) -> bool:
        """Whether it is this one's turn. A caller who holds all workers but one waits until he holds fewer."""
        if self._closed:
            return True
        if len(self._busy) >= self._size:
            return False
        holds_enough, *_ = self._order(place)
        return not holds_enough and not self._before(place)

    def _before(self, place: _Place) -> int:
        """How many of those who wait go before this one."""
        return sum(self._order(other) < self._order(place) for other in self._waiting)

    def _order(self, place: _Place) -> tuple[bool, int, int]:
        """Those who hold all workers but one come last; of the others the one first who holds the fewest."""
        held = sum(caller == place.caller for caller in self._busy.values())
        return held >= max(self._size - 1, 1), held, place.number

    def _worker(self, place: _Place, document: str) -> WorkerProcess:
        """An idle worker of this caller, with the document open if there is one; else a new one."""
        with self._changed:
            self._end_dead()
            own = [idle for idle in self._idle if idle.caller == place.caller]
            best = max(own, key=lambda idle: (idle.worker.document == document, idle.since), default=None)
            surplus = None
            if best is not None:
                self._idle.remove(best)
            elif len(self._busy) + len(self._idle) > self._most:
                surplus = self._idle.pop(0)  # the one that has had nothing to do for longest
        if surplus is not None:
            surplus.worker.end()
        worker = best.worker if best is not None else self._start()
        with self._changed:
            del self._busy[place]
            if self._closed:
                worker.end()
            self._check_open()
            self._busy[worker] = place.caller
        return worker

    def _start(self) -> WorkerProcess:
        try:
            return self._starter.submit(WorkerProcess.start, self._limits).result()
        except (OSError, RuntimeError) as error:
            raise DocumentError(
                "The process that reads documents cannot be started ({why}): close other programs, and try again.",
                why=error,
            ) from error

    def _release(self, worker: WorkerProcess) -> None:
        limits = self._limits
        is_worn = worker.cpu_seconds + limits.seconds > limits.worker_seconds
        with self._changed:
            caller = self._busy.pop(worker, None)
            is_kept = worker.is_alive and not is_worn and not self._closed
            if is_kept:
                self._idle.append(_Idle(worker=worker, caller=caller, since=time.monotonic()))
                self._watch_idle()
            self._changed.notify_all()
        if not is_kept:
            worker.end()

    def _watch_idle(self) -> None:
        """See to it that workers with nothing to do are ended some time from now."""
        if self._timer is None and not self._closed:
            self._timer = threading.Timer(self._limits.idle_seconds, self._end_idle)
            self._timer.daemon = True
            self._timer.start()

    def _end_idle(self) -> None:
        longest = time.monotonic() - self._limits.idle_seconds
        with self._changed:
            over = [idle for idle in self._idle if idle.since <= longest]
            self._idle = [idle for idle in self._idle if idle.since > longest]
            self._timer = None
            if self._idle:
                self._watch_idle()
        for idle in over:
            idle.worker.end()

    def _end_dead(self) -> None:
        self._idle = [idle for idle in self._idle if idle.worker.is_alive]

    def _check_open(self) -> None:
        if self._closed:
            raise DocumentError("The document reader is closed: open a new one.")
