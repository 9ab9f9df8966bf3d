"""Inside the worker process: take jobs from standard input, answer on standard output."""

import io
import os
import pickle
import signal
import sys
from io import BufferedIOBase
from pathlib import Path

import pymupdf
from PIL import Image

from app.documents.limits import Limits
from app.documents.messages import DrawJob, Drawn, Failed, Finished, Job, ReadJob, Started, send
from app.documents.opening import open_source
from app.documents.pageranges import parse_pages
from app.documents.recognition import Recognizer
from app.documents.source import Source
from model.errors import DocumentError, PasswordNeeded
from model.types import Progress


def main() -> None:
    """Serve until the parent closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    jobs, replies = sys.stdin.buffer, _take_standard_output()
    limits: Limits = pickle.load(jobs)
    _confine(limits)
    send(replies, Started())
    worker = Worker(limits, replies)
    while True:
        try:
            job: Job = pickle.load(jobs)
        except EOFError:
            return
        worker.serve(job)


def _take_standard_output() -> BufferedIOBase:
    """Keep the pipe to the parent to ourselves: what libraries print goes nowhere."""
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return pipe


def _confine(limits: Limits) -> None:
    """Bound this process: memory, no core dumps, no growing files."""
    Image.MAX_IMAGE_PIXELS = None  # pictures are measured against our own limit, with a message of our own
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    try:
        import resource
    except ImportError:  # Windows
        return
    bounds = {resource.RLIMIT_AS: limits.worker_bytes, resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: 0}
    for kind, bound in bounds.items():
        try:
            resource.setrlimit(kind, (bound, bound))
        except (OSError, ValueError):  # macOS refuses RLIMIT_AS
            continue


def _jpeg(image: Image.Image) -> bytes:
    target = io.BytesIO()
    image.save(target, "JPEG", quality=90)
    return target.getvalue()


class Worker:
    """Does one job at a time; keeps the last document open, because its pages are drawn one by one."""

    def __init__(self, limits: Limits, replies: BufferedIOBase) -> None:
        self._limits = limits
        self._replies = replies
        self._opened: tuple[str, Source] | None = None

    def serve(self, job: Job) -> None:
        """Do a job; every error becomes a reply."""
        try:
            if isinstance(job, ReadJob):
                self._read(job)
            else:
                self._draw(job)
            send(self._replies, Finished())
        except DocumentError as error:
            send(self._replies, Failed(message=str(error), needs_password=isinstance(error, PasswordNeeded)))
        except MemoryError:
            self._refuse(job, f"needs more than {self._limits.worker_bytes >> 20:,} MiB of memory; read fewer pages")
        except Exception as error:
            self._refuse(job, f"is damaged ({error}); export or download it again")

    def _refuse(self, job: Job, reason: str) -> None:
        self._close()
        send(self._replies, Failed(message=f"{job.name!r} {reason}."))

    def _read(self, job: ReadJob) -> None:
        source = self._open(job)
        numbers = parse_pages(job.pages, source.page_count)
        if len(numbers) > self._limits.max_pages:
            raise DocumentError(
                f"{job.name!r} has {len(numbers):,} pages to read, and {self._limits.max_pages:,} is the limit: "
                f"give a page range, such as 1-{self._limits.max_pages}."
            )
        done = 0
        total = len(numbers)
        recognizer = Recognizer(
            lambda: send(self._replies, Progress(stage="recognising", done=done, total=total, unit="pages"))
        )
        send(self._replies, Progress(stage="reading", done=0, total=total, unit="pages"))
        for done, number in enumerate(numbers):
            page = source.read(number, recognizer)
            send(self._replies, page)
            send(self._replies, Progress(stage="reading", done=done + 1, total=total, unit="pages"))
        self._close()

    def _draw(self, job: DrawJob) -> None:
        source = self._open(job)
        if not 1 <= job.number <= source.page_count:
            raise DocumentError(f"{job.name!r} has no page {job.number}: it has pages 1 to {source.page_count}.")
        image = source.draw(job.number, job.width)
        data = image.tobytes() if job.raw else _jpeg(image)
        send(self._replies, Drawn(image=data, width=image.width, height=image.height))

    def _open(self, job: Job) -> Source:
        if self._opened is None or self._opened[0] != job.path:
            self._close()
            source = open_source(Path(job.path), name=job.name, password=job.password, limits=self._limits)
            self._opened = job.path, source
        return self._opened[1]

    def _close(self) -> None:
        if self._opened is not None:
            self._opened[1].close()
            self._opened = None
