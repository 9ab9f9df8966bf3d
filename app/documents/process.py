"""One worker process, as its parent sees it: started, given jobs one after the other, ended when it takes too long.

A plain child process instead of `multiprocessing`, whose spawned children import the program's main module again:
here that would be the whole page with torch and Gradio.
"""

import contextlib
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Generator
from io import BufferedIOBase
from pathlib import Path
from typing import cast

import psutil

from app.documents.copies import PrivateCopy, documents_folder
from app.documents.handover import Sender, start_listening
from app.documents.limits import Limits
from app.documents.messages import Cells, Confinement, Failed, Finished, Job, Reply, Start, Started
from app.documents.patience import PageError, Patience
from app.documents.wire import Frame, job_frame, reply_of, start_frame
from app.documents.wire_fields import MalformedMessage
from app.environment import worker_environment
from model.errors import Cancelled, DocumentError, PasswordNeeded
from model.types import CancelledCallback, Page

ROOT = Path(__file__).parents[2]
TICK = 0.1  # seconds between two looks at whether the person has cancelled
START_SECONDS = 30.0  # of processor time, for starting Python; not held against the document
LEAST_COST = 1_024  # bytes that any message counts: as a value here it takes more than on its way


class WorkerProcess:
    """A worker and the thread that listens to it. One job at a time; after an error it is ended."""

    def __init__(self, limits: Limits, process: subprocess.Popen[bytes], sender: Sender) -> None:
        self._limits = limits
        self._process = process
        self._sender = sender
        self._clock = psutil.Process(process.pid)
        self._seconds = 0.0
        self._received = 0  # bytes, of this job
        self._was_ended = False
        self._replies: queue.SimpleQueue[tuple[Reply | None, float]] = queue.SimpleQueue()
        self.confinement: Confinement | None = None
        self.document = ""  # which file it has open

    @classmethod
    def start(cls, limits: Limits) -> "WorkerProcess":
        """Start a process. On Linux it ends with the *thread* that calls this. Raises OSError."""
        process, sender = start_listening(
            [sys.executable, "-m", "app.documents"],
            cwd=ROOT,
            env=worker_environment(os.environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        _stand_back(process.pid, limits.niceness)
        worker = cls(limits, process, sender)
        threading.Thread(target=worker._listen, daemon=True).start()
        worker._send(start_frame(Start(limits=limits, documents=str(documents_folder()), parent=os.getpid())), None)
        return worker

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    @property
    def cpu_seconds(self) -> float:
        """Processor time that the process has used, on all cores together."""
        try:
            times = self._clock.cpu_times()
        except psutil.Error:  # it has ended
            return self._seconds
        self._seconds = times.user + times.system
        return self._seconds

    def run(
        self, job: Job, copy: PrivateCopy | None, cancelled: CancelledCallback | None
    ) -> Generator[Reply, None, None]:
        """Do a job and yield what the worker says of it, up to but without the last word.

        Raises DocumentError (PageError, PasswordNeeded) and Cancelled. Whoever stops listening ends the process.
        """
        finished = False
        try:
            self._received = 0
            self.document = job.document
            self._send(job_frame(job), copy.descriptor if copy is not None else None)
            for reply in self._hear(job, cancelled):
                finished = isinstance(reply, Failed | Finished)
                if isinstance(reply, Failed):
                    raise (PasswordNeeded if reply.needs_password else DocumentError)(reply.message)
                if not finished:
                    yield reply
        finally:
            if not finished:
                self.end()

    def wait_until_started(self) -> Confinement:
        """What bounds the worker. Raises DocumentError."""
        patience = self._patience()
        while self.confinement is None:
            try:
                reply, _ = self._replies.get(timeout=TICK)
            except queue.Empty:
                patience.check("a document", self.cpu_seconds)
                continue
            if not isinstance(reply, Started):
                raise DocumentError(
                    "The process that reads documents ended at its start (exit status {status}): try again.",
                    status=self._status(),
                )
            self.confinement = reply.confinement
        return self.confinement

    def end(self) -> None:
        """End the process; a job that it is doing fails."""
        self._was_ended = True
        self._process.kill()
        self._process.wait()
        self._sender.close()

    def _hear(self, job: Job, cancelled: CancelledCallback | None) -> Generator[Reply, None, None]:
        """Replies up to the last one, which is Failed or Finished."""
        patience = self._patience()
        while True:
            if cancelled is not None and cancelled():
                raise Cancelled("Stopped reading {name!r}.", name=job.name)
            try:
                reply, seconds = self._replies.get(timeout=TICK)
            except queue.Empty:
                patience.check(job.name, self.cpu_seconds)
                continue
            if reply is None and self._was_ended:
                raise DocumentError("{name!r} was not read: the reader was closed.", name=job.name)
            if reply is None:
                raise self._crash(job)
            patience.hear(seconds)
            if isinstance(reply, Started):
                self.confinement = reply.confinement
                patience = Patience(self._limits, cpu_seconds=seconds)
                continue
            yield reply
            if isinstance(reply, Failed | Finished):
                return

    def _patience(self) -> Patience:
        seconds = self.cpu_seconds if self.confinement is not None else START_SECONDS
        return Patience(self._limits, cpu_seconds=seconds)

    def _crash(self, job: Job) -> PageError:
        return PageError(
            "{name!r} ended the process that reads it (exit status {status}): it is damaged, or needs more than"
            " {size:,} MiB of memory. Export it again, or read fewer pages.",
            name=job.name,
            status=self._status(),
            size=self._limits.worker_bytes >> 20,
        )

    def _status(self) -> int:
        self._process.kill()  # it may have said nonsense and live on
        return self._process.wait()

    def _send(self, frame: Frame, descriptor: int | None) -> None:
        """Hand over a message; a process that is gone shows in the replies."""
        try:
            self._sender.send(frame, descriptor)
        except OSError:
            self._replies.put((None, 0.0))

    def _listen(self) -> None:
        """Read what the process says, and note how much processor time it had used by then."""
        with cast(BufferedIOBase, self._process.stdout) as stream:
            try:
                while True:
                    left = self._limits.document_bytes - self._received
                    frame = Frame.receive(stream.read, largest=left)
                    self._received += LEAST_COST + len(frame.body)
                    reply = reply_of(frame)
                    if isinstance(reply, Page | Cells) and len(frame.body) > self._limits.page_bytes:
                        raise MalformedMessage(f"a page of {len(frame.body):,} bytes")
                    self._replies.put((reply, self.cpu_seconds))
            except Exception:  # the end of the stream, or nonsense from a worker that something took over
                self._replies.put((None, self.cpu_seconds))


def _stand_back(process: int, niceness: int) -> None:
    """Let a process have less of a core that others want, too; Windows knows no such degrees."""
    if hasattr(os, "setpriority"):
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process, os.getpriority(os.PRIO_PROCESS, 0) + niceness)
