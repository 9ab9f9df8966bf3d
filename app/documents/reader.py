"""The parent's side: bytes -> Document, and pictures of its pages. No file from outside is opened in this process."""

import contextlib
import hashlib
import os
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from app.documents.across_pages import finished
from app.documents.limits import MIB, Limits
from app.documents.messages import DrawJob, Drawn, ReadJob
from app.documents.process import WorkerProcess
from model.errors import DocumentError
from model.types import CancelledCallback, Document, Page, Progress, ProgressCallback

WIDEST = 4_000  # pixels of a drawn page
SEEN_SIDE = 1_792

Pixels = NDArray[np.uint8]


class PageImages:
    """Pictures of a document's pages, drawn when asked for, from a private copy of the file.

    The copy goes with `close`, or with the last reference to this object.
    """

    def __init__(self, path: Path, *, name: str, password: str | None, drawing: WorkerProcess) -> None:
        self._path = path
        self._name = name
        self._password = password
        self._drawing = drawing
        self._forget = weakref.finalize(self, _remove, path)

    def image(self, number: int, *, width: int) -> bytes:
        """The page as a JPEG, `width` pixels wide (a page of extreme length comes out smaller).

        Raises DocumentError for a page that does not exist or cannot be drawn, and after `close`.
        """
        return self._draw(number, width, raw=False).image

    def pixels(self, number: int, *, width: int) -> Pixels:
        """The same as pixels, (height, width, 3), red first: nothing that the worker sends is decoded here."""
        drawn = self._draw(number, width, raw=True)
        return np.frombuffer(drawn.image, np.uint8).reshape(drawn.height, drawn.width, 3)

    def close(self) -> None:
        """Remove the copy of the file."""
        self._forget()

    def _draw(self, number: int, width: int, *, raw: bool) -> Drawn:
        if not 1 <= width <= WIDEST:
            raise DocumentError(f"A page cannot be drawn {width} pixels wide: ask for 1 to {WIDEST:,}.")
        if not self._forget.alive:
            raise DocumentError(f"{self._name!r} was closed: open it again to see its pages.")
        path, password = str(self._path), self._password
        job = DrawJob(path=path, name=self._name, password=password, number=number, width=width, raw=raw)
        drawn = [reply for reply in self._drawing.run(job) if isinstance(reply, Drawn)]
        return drawn[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDocument:
    """A document and the pictures of its pages."""

    document: Document
    images: PageImages

    def picture(self, number: int) -> Pixels:
        """The page as a vision tower wants it: its longer side twice as long as SigLIP's, for crops of it."""
        page = next(page for page in self.document.pages if page.number == number)
        width = round(SEEN_SIDE * page.width / max(page.width, page.height))
        return self.images.pixels(number, width=max(width, 1))


class DocumentReader:
    """Reads documents in a worker process and draws their pages in another, so that a long OCR delays no picture.

    Safe to use from several threads: documents are then read one after the other.
    """

    def __init__(self, limits: Limits = Limits()) -> None:  # noqa: B008 - frozen
        self._limits = limits
        self._reading = WorkerProcess(limits)
        self._drawing = WorkerProcess(limits)

    def read(
        self,
        source: Path | bytes,
        *,
        name: str,
        password: str | None = None,
        pages: str | None = None,
        progress: ProgressCallback | None = None,
        cancelled: CancelledCallback | None = None,
    ) -> ReadDocument:
        """Read a file; `pages` picks some of its pages (3-10,12).

        Raises DocumentError (PasswordNeeded for an encrypted file) and Cancelled.
        """
        self._check_size(source, name)
        path, sha256 = _private_copy(source, name)
        images = PageImages(path, name=name, password=password, drawing=self._drawing)
        try:
            job = ReadJob(path=str(path), name=name, password=password, pages=pages)
            found = finished(tuple(self._pages(job, progress, cancelled)))
        except BaseException:
            images.close()
            raise
        return ReadDocument(document=Document(name=name, sha256=sha256, pages=found), images=images)

    def close(self) -> None:
        """End the worker processes."""
        self._reading.close()
        self._drawing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _pages(
        self, job: ReadJob, progress: ProgressCallback | None, cancelled: CancelledCallback | None
    ) -> Iterator[Page]:
        with contextlib.closing(self._reading.run(job, cancelled)) as replies:
            for reply in replies:
                if isinstance(reply, Page):
                    yield reply
                elif isinstance(reply, Progress) and progress is not None:
                    progress(reply)

    def _check_size(self, source: Path | bytes, name: str) -> None:
        size = len(source) if isinstance(source, bytes) else _file_size(source)
        if size == 0:
            raise DocumentError(f"{name!r} is empty (0 bytes): choose a file with content, or download it again.")
        if size > self._limits.max_bytes:
            raise DocumentError(
                f"{name!r} is too large: {size / MIB:,.0f} MiB, and {self._limits.max_bytes / MIB:,.0f} MiB is the "
                "limit. Split it, or export it with smaller pictures."
            )


def _file_size(path: Path) -> int:
    try:
        status = path.stat()
    except OSError as error:
        raise DocumentError(f"{str(path)!r} cannot be read ({error.strerror}): check the path.") from error
    if not path.is_file():
        raise DocumentError(f"{str(path)!r} is not a file: name a document.")
    return status.st_size


def _private_copy(source: Path | bytes, name: str) -> tuple[Path, str]:
    """A copy that outlives the upload, and the SHA-256 of its bytes."""
    digest = hashlib.sha256()
    handle, path = tempfile.mkstemp(prefix="readonce-")
    try:
        with os.fdopen(handle, "wb") as copy:
            for block in _blocks(source):
                digest.update(block)
                copy.write(block)
    except OSError as error:
        _remove(Path(path))
        raise DocumentError(f"{name!r} cannot be copied ({error.strerror}): check the file and the disk.") from error
    return Path(path), digest.hexdigest()


def _blocks(source: Path | bytes) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
        return
    with source.open("rb") as file:
        yield from iter(lambda: file.read(MIB), b"")


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
