"""Pictures of a document's pages, drawn by a worker when they are asked for."""

import contextlib
import threading
import weakref
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.documents.copies import PrivateCopy
from app.documents.messages import DrawJob, Drawn, Mark, Marked, MarkJob
from app.documents.patience import PageError
from app.documents.pool import WorkerPool
from model.errors import DocumentError, Message
from model.types import Document

WIDEST = 4_000  # pixels of a drawn page
SEEN_SIDE = 1_792
_JPEG = b"\xff\xd8\xff"  # what every one begins with

Pixels = NDArray[np.uint8]


class PageImages:
    """Pictures of a document's pages, drawn when asked for, from a private copy of the file.

    The copy goes with `close`, or with the last reference to this object.
    """

    def __init__(
        self, copy: PrivateCopy, *, name: str, password: str | None, drawing: WorkerPool, caller: Hashable
    ) -> None:
        self._copy = copy
        self._name = name
        self._password = password
        self._drawing = drawing
        self._caller = caller
        self._undrawable: dict[int, Message] = {}  # pages that ended a worker, and how
        self._lock = threading.Lock()
        self._forget = weakref.finalize(self, copy.close)

    def image(self, number: int, *, width: int) -> bytes:
        """The page as a JPEG, `width` pixels wide (a page of extreme length comes out smaller).

        Raises DocumentError for a page that does not exist or cannot be drawn, and after `close`.
        """
        return self._draw(number, width, raw=False).image

    def pixels(self, number: int, *, width: int) -> Pixels:
        """The same as pixels, (height, width, 3), red first: nothing that the worker sends is decoded here."""
        drawn = self._draw(number, width, raw=True)
        return np.frombuffer(drawn.image, np.uint8).reshape(drawn.height, drawn.width, 3)

    def marked(self, marks: Sequence[Mark]) -> bytes:
        """The file, which is a PDF, with marks in it. Raises DocumentError."""
        job = MarkJob(
            document=self._copy.key,
            name=self._name,
            path=self._copy.path_text,
            password=self._password,
            marks=tuple(marks),
        )
        with contextlib.closing(self._lent()) as copy:
            marked = self._drawing.reply(job, copy, Marked, caller=self._caller)
        if marked is None:
            raise DocumentError("{name!r} was not marked: open the document again.", name=self._name)
        return marked.data

    def close(self) -> None:
        """Let go of the copy of the file. A page that is being drawn is drawn to its end."""
        with self._lock:
            self._forget()

    def _lent(self) -> PrivateCopy:
        """The copy for one drawing. Raises DocumentError."""
        with self._lock:
            if not self._forget.alive:
                raise DocumentError("{name!r} was closed: open it again to see its pages.", name=self._name)
            try:
                return self._copy.lent()
            except OSError as error:
                raise DocumentError(
                    "{name!r} cannot be drawn ({why}): forget some documents, and try again.",
                    name=self._name,
                    why=error.strerror,
                ) from error

    def _draw(self, number: int, width: int, *, raw: bool) -> Drawn:
        if not 1 <= width <= WIDEST:
            raise DocumentError(
                "A page cannot be drawn {width} pixels wide: ask for 1 to {limit:,}.", width=width, limit=WIDEST
            )
        if number in self._undrawable:
            raise DocumentError(self._undrawable[number])
        job = DrawJob(
            document=self._copy.key,
            name=self._name,
            path=self._copy.path_text,
            password=self._password,
            number=number,
            width=width,
            raw=raw,
        )
        try:
            with contextlib.closing(self._lent()) as copy:
                drawn = self._drawing.reply(job, copy, Drawn, caller=self._caller)
        except PageError as error:
            self._undrawable[number] = error.message
            raise
        if drawn is None or not _is_whole(drawn, raw=raw):
            raise DocumentError(
                "Page {n} of {name!r} was not drawn: open the document again.", n=number, name=self._name
            )
        return drawn


def _is_whole(drawn: Drawn, *, raw: bool) -> bool:
    return len(drawn.image) == 3 * drawn.width * drawn.height if raw else drawn.image.startswith(_JPEG)


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
