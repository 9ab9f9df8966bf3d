"""Inside the worker process: take jobs from standard input, answer on standard output."""

import io
import os
import signal
from io import BufferedIOBase
from pathlib import Path

import pymupdf
from PIL import Image

from app.documents.handover import standard_input
from app.documents.limits import Limits
from app.documents.marking import marked_pdf
from app.documents.messages import (
    Cells,
    CellsJob,
    DrawJob,
    Drawn,
    Failed,
    Finished,
    Job,
    Marked,
    MarkJob,
    Opened,
    ReadJob,
    Reply,
    Started,
)
from app.documents.opening import first_sheet, open_source
from app.documents.pageranges import parse_pages
from app.documents.parts import lost_page
from app.documents.recognition import Recognizer
from app.documents.sandbox import confine
from app.documents.source import Source
from app.documents.wire import Frame, job_of, reply_frame, start_of
from model.errors import DocumentError, Message, PasswordNeeded
from model.types import Progress

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Serve until the parent closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    receive, replies = standard_input(), _take_standard_output()
    try:
        start = start_of(receive()[0])
        _quieten_libraries()
        confinement = confine(start.limits, root=ROOT, documents=Path(start.documents), parent=start.parent)
        worker = Worker(start.limits, replies)
        worker.say(Started(confinement=confinement))
        while True:
            frame, descriptor = receive()
            worker.serve(job_of(frame), descriptor)
    except (EOFError, ConnectionError, BrokenPipeError):  # the parent is gone
        return


def _take_standard_output() -> BufferedIOBase:
    """Keep the pipe to the parent to ourselves: what libraries print goes nowhere."""
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return pipe


def _quieten_libraries() -> None:
    Image.MAX_IMAGE_PIXELS = None  # pictures are measured against our own limit, with a message of our own
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)


def _path(job: Job, descriptor: int | None) -> Path:
    """Where the file of a job is: an open one that came along, or one that has a name."""
    return Path(f"/proc/self/fd/{descriptor}") if descriptor is not None else Path(job.path or "")


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

    def say(self, reply: Reply) -> None:
        """Send a reply to the parent."""
        self._send(reply_frame(reply))

    def _send(self, frame: Frame) -> None:
        self._replies.write(bytes(frame))
        self._replies.flush()

    def serve(self, job: Job, descriptor: int | None) -> None:
        """Do a job on the file with that descriptor, or that the job names; every error becomes a reply."""
        try:
            self._do(job, _path(job, descriptor))
            self.say(Finished())
        except DocumentError as error:
            self.say(Failed(message=error.message, needs_password=isinstance(error, PasswordNeeded)))
        except MemoryError:
            size = self._limits.worker_bytes >> 20
            self._refuse("{name!r} needs more than {size:,} MiB of memory; read fewer pages.", name=job.name, size=size)
        except Exception as error:
            self._refuse("{name!r} is damaged ({why}); export or download it again.", name=job.name, why=error)
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def _do(self, job: Job, path: Path) -> None:
        match job:
            case ReadJob():
                self._read(job, self._open(job, path))
            case DrawJob():
                self._draw(job, self._open(job, path))
            case CellsJob():
                self.say(Cells(rows=first_sheet(path.read_bytes(), job.name)))
            case MarkJob():
                self.say(Marked(data=marked_pdf(path.read_bytes(), job)))

    def _refuse(self, template: str, /, **values: object) -> None:
        self._close()
        self.say(Failed(message=Message(template, **values)))

    def _read(self, job: ReadJob, source: Source) -> None:
        numbers = parse_pages(job.pages, source.page_count)
        if len(numbers) > self._limits.max_pages:
            raise DocumentError(
                "{name!r} has {pages:,} pages to read, and {limit:,} is the limit: "
                "give a page range, such as 1-{last}.",
                name=job.name,
                pages=len(numbers),
                limit=self._limits.max_pages,
                last=self._limits.max_pages,
            )
        numbers = [number for number in numbers if number > job.after]
        done = 0
        total = len(numbers)
        recognizer = Recognizer(lambda: self.say(Progress(stage="recognising", done=done, total=total, unit="pages")))
        self.say(Opened(numbers=tuple(numbers)))
        self.say(Progress(stage="reading", done=0, total=total, unit="pages"))
        failures: list[Exception] = []
        for done, number in enumerate(numbers):
            self._send(self._page(source, number, recognizer, failures))
            self.say(Progress(stage="reading", done=done + 1, total=total, unit="pages"))
        if failures and len(failures) == total:
            raise failures[0]
        self._close()

    def _page(self, source: Source, number: int, recognizer: Recognizer, failures: list[Exception]) -> Frame:
        """A page; one that cannot be read adds to the failures and costs itself, not the others."""
        try:
            page = source.read(number, recognizer)
            frame = reply_frame(page)
        except MemoryError:
            raise
        except Exception as error:
            failures.append(error)
            return reply_frame(lost_page(number))
        if len(frame.body) > self._limits.page_bytes:
            return reply_frame(lost_page(number, page.width, page.height))
        return frame

    def _draw(self, job: DrawJob, source: Source) -> None:
        if not 1 <= job.number <= source.page_count:
            raise DocumentError(
                "{name!r} has no page {number}: it has pages 1 to {last}.",
                name=job.name,
                number=job.number,
                last=source.page_count,
            )
        image = source.draw(job.number, job.width)
        data = image.tobytes() if job.raw else _jpeg(image)
        self.say(Drawn(image=data, width=image.width, height=image.height))

    def _open(self, job: ReadJob | DrawJob, path: Path) -> Source:
        if self._opened is None or self._opened[0] != job.document:
            self._close()
            source = open_source(path, name=job.name, password=job.password, limits=self._limits)
            self._opened = job.document, source
        return self._opened[1]

    def _close(self) -> None:
        if self._opened is not None:
            self._opened[1].close()
            self._opened = None
