"""The parent's side: bytes -> Document, and pictures of its pages. No file from outside is opened in this process."""

import contextlib
import os
from collections.abc import Callable, Hashable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from app.documents.copies import private_copy
from app.documents.images import PageImages, ReadDocument
from app.documents.limits import MIB, Limits
from app.documents.messages import Cells, CellsJob, Confinement, ReadJob, SheetRows
from app.documents.pageranges import cannot_be_understood
from app.documents.partly_read import PartlyRead, document_of
from app.documents.pool import WorkerPool
from app.documents.reading import Reading
from model.errors import DocumentError
from model.types import CancelledCallback, Page, ProgressCallback

READER_VERSION = 3  # raise it where the same file comes to give another text: the library then reads it anew
LONGEST_RANGE = 10_000  # characters
READING_NICENESS = 10  # answers and pages go first: they are waited for
SPARE_DRAWERS = 4  # workers that keep somebody's document open, so that the next page is there at once


class DocumentReader:
    """Reads documents in worker processes and draws their pages in others, so that a long OCR delays no picture.

    Safe to use from several threads: as many documents are read at once as there are cores, and one more.
    """

    def __init__(self, limits: Limits = Limits()) -> None:  # noqa: B008 - frozen
        self._limits = limits
        workers = (os.cpu_count() or 1) + 1  # one of them is always for another caller
        self._reading = WorkerPool(replace(limits, niceness=READING_NICENESS), size=workers)
        self._drawing = WorkerPool(limits, size=workers, spare=SPARE_DRAWERS)

    def read(
        self,
        source: Path | bytes,
        *,
        name: str,
        password: str | None = None,
        pages: str | None = None,
        caller: Hashable = "",
        progress: ProgressCallback | None = None,
        cancelled: CancelledCallback | None = None,
        so_far: Callable[[PartlyRead], None] | None = None,
    ) -> ReadDocument:
        """Read a file; `pages` picks some of its pages (3-10,12); `caller` says for whom, where there are several.

        Pages that cannot be read are there without text, and say so in `unread_parts`. `so_far` is told after each page
        but the last what is read; the pictures that come with it are the caller's to close, also where reading fails.
        Raises DocumentError (PasswordNeeded for an encrypted file) and Cancelled.
        """
        self.check(source, name)
        if pages is not None and len(pages) > LONGEST_RANGE:
            raise cannot_be_understood(pages[:50] + "...")
        copy = private_copy(source, name)
        images = PageImages(copy, name=name, password=password, drawing=self._drawing, caller=caller)
        job = ReadJob(
            document=copy.key,
            name=name,
            path=copy.path_text,
            password=password,
            pages=pages,
        )
        reading, found, told = Reading(self._reading, self._limits, job, copy, caller), list[Page](), False
        try:
            for page in reading.pages(progress, cancelled):
                found.append(page)
                if so_far is not None and len(found) < reading.total:
                    told, pages_read = True, tuple(found)
                    so_far(
                        PartlyRead(name=name, sha256=copy.sha256, pages=pages_read, total=reading.total, images=images)
                    )
        except BaseException:
            if not told:
                images.close()
            raise
        return ReadDocument(document=document_of(found, name=name, sha256=copy.sha256), images=images)

    def images(self, source: Path | bytes, *, name: str, password: str | None, caller: Hashable = "") -> PageImages:
        """Pictures of the pages of a file that was read before. Raises DocumentError."""
        self.check(source, name)
        copy = private_copy(source, name)
        return PageImages(copy, name=name, password=password, drawing=self._drawing, caller=caller)

    def first_sheet(self, data: bytes, *, name: str, caller: Hashable = "") -> SheetRows:
        """The cells of an Excel workbook's first sheet, as they are shown. Raises DocumentError."""
        self.check(data, name)
        with contextlib.closing(private_copy(data, name)) as copy:
            job = CellsJob(document=copy.key, name=name, path=copy.path_text)
            cells = self._drawing.reply(job, copy, Cells, caller=caller)
        if cells is None:
            raise DocumentError("{name!r} was not read as it should be: export or download it again.", name=name)
        return cells.rows

    def check(self, source: Path | bytes, name: str) -> None:
        """Raises DocumentError where it is no regular file, or has no bytes or too many; nothing of it is read."""
        size = len(source) if isinstance(source, bytes) else _file_size(source)
        if size == 0:
            raise DocumentError(
                "{name!r} is empty (0 bytes): choose a file with content, or download it again.", name=name
            )
        if size > self._limits.max_bytes:
            raise DocumentError(
                "{name!r} is too large: {size:,.0f} MiB, and {limit:,.0f} MiB is the "
                "limit. Split it, or export it with smaller pictures.",
                name=name,
                size=size / MIB,
                limit=self._limits.max_bytes / MIB,
            )

    def confinement(self) -> Confinement:
        """What bounds a worker on this machine; one is started to see. Raises DocumentError."""
        return self._reading.confinement()

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


def _file_size(path: Path) -> int:
    try:
        status = path.stat()
    except OSError as error:
        raise DocumentError(
            "{path!r} cannot be read ({why}): check the path.", path=path, why=error.strerror
        ) from error
    if not path.is_file():
        raise DocumentError("{path!r} is not a file: name a document.", path=path)
    return status.st_size
