"""One worker process: started when first needed, ended when it hangs, started anew after a crash.

A plain child process instead of `multiprocessing`, whose spawned children import the program's main module again:
here that would be the whole page with torch and Gradio.
"""

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import cast

from app.documents.limits import Limits
from app.documents.messages import Failed, Finished, Job, Reply, ReplyUnpickler, Started, send
from model.errors import Cancelled, DocumentError, PasswordNeeded
from model.types import CancelledCallback

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0  # for starting Python on a busy machine; not held against the document
FRUGAL = {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}  # threads and heaps by the core would use up RLIMIT_AS
TICK = 0.1  # seconds between two looks at whether the person has cancelled


class WorkerProcess:
    """Runs jobs, one after the other, in a process of its own. Safe to use from several threads."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._turn = threading.Lock()
        self._child: _Child | None = None
        self._closed = False

    def run(self, job: Job, cancelled: CancelledCallback | None = None) -> Generator[Reply, None, None]:
        """Do a job and yield what the worker says of it.

        Raises DocumentError (a file that cannot be read, takes too long or ends the worker), PasswordNeeded, Cancelled.
        Whoever stops listening ends the worker.
        """
        self._await_turn(cancelled)
        finished = False
        try:
            for reply in self._replies(job, cancelled):
                finished = isinstance(reply, Failed | Finished)
                if isinstance(reply, Failed):
                    raise (PasswordNeeded if reply.needs_password else DocumentError)(reply.message)
                if not finished:
                    yield reply
        finally:
            if not finished:
                self._stop()
            self._turn.release()

    def close(self) -> None:
        """End the process; a job that it is doing fails."""
        self._closed = True
        self._stop()

    def _await_turn(self, cancelled: CancelledCallback | None) -> None:
        while not self._turn.acquire(timeout=TICK):
            if cancelled is not None and cancelled():
                raise Cancelled("Stopped before the document was opened.")

    def _replies(self, job: Job, cancelled: CancelledCallback | None) -> Iterator[Reply]:
        """Replies up to the last one, which is Failed or Finished."""
        child = self._running()
        child.send(job)
        started = time.monotonic()
        heard = started if child.has_started else started + START_SECONDS
        while True:
            try:
                reply = child.replies.get(timeout=TICK)
            except queue.Empty:
                self._check(job, started, heard, cancelled)
                continue
            if reply is None:
                raise DocumentError(self._crash(job, child))
            heard = time.monotonic()
            if isinstance(reply, Started):
                child.has_started = True
                continue
            yield reply
            if isinstance(reply, Failed | Finished):
                return
            self._check(job, started, heard, cancelled)

    def _check(self, job: Job, started: float, heard: float, cancelled: CancelledCallback | None) -> None:
        limits, now = self._limits, time.monotonic()
        if cancelled is not None and cancelled():
            raise Cancelled(f"Stopped reading {job.name!r}.")
        if now - heard > limits.seconds_per_page:
            raise DocumentError(
                f"{job.name!r} was given up: one page took longer than {limits.seconds_per_page:g} seconds. "
                "Leave that page out with a page range, or export the file again."
            )
        if now - started > limits.seconds:
            raise DocumentError(
                f"{job.name!r} was given up after {limits.seconds:g} seconds: read it in parts, with a page range."
            )

    def _crash(self, job: Job, child: "_Child") -> str:
        if self._closed:
            return f"{job.name!r} was not read: the reader was closed."
        return (
            f"{job.name!r} ended the process that reads it (exit status {child.exit_status()}): it is damaged, or "
            f"needs more than {self._limits.worker_bytes >> 20:,} MiB of memory. Export it again, or read fewer pages."
        )

    def _running(self) -> "_Child":
        if self._closed:
            raise DocumentError("The document reader is closed: open a new one.")
        if self._child is None or not self._child.is_alive():
            self._stop()
            self._child = _Child(self._limits)
        return self._child

    def _stop(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.end()


class _Child:
    """The process and the thread that listens to it."""

    def __init__(self, limits: Limits) -> None:
        self.replies: queue.Queue[Reply | None] = queue.Queue()
        self.has_started = False
        self._process = subprocess.Popen(
            [sys.executable, "-m", "app.documents"],
            cwd=ROOT,
            env={**os.environ, **FRUGAL},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        threading.Thread(target=self._listen, daemon=True).start()
        self.send(limits)

    def send(self, message: Limits | Job) -> None:
        """Hand over a message; a process that is gone shows in `replies`."""
        try:
            send(cast(BufferedIOBase, self._process.stdin), message)
        except OSError:
            self.replies.put(None)

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def exit_status(self) -> int:
        return self._process.wait()

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        cast(BufferedIOBase, self._process.stdin).close()

    def _listen(self) -> None:
        with cast(BufferedIOBase, self._process.stdout) as stream:
            try:
                while True:
                    self.replies.put(ReplyUnpickler(stream).load())
            except Exception:  # the end of the stream, or nonsense from a worker that something took over
                self.replies.put(None)
