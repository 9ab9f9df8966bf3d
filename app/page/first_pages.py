"""The first pages of a file whose later pages are still being recognised: they can be looked at and asked already.

They are encoded as a page range of them would be, and again only when there are twice as many, so that all of that
together is less than encoding the document twice. OCR takes many times as long. The whole document takes their place.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from app.documents import PartlyRead, ReadDocument
from app.faults import log_fault
from app.provenance import pages_read
from app.serving.provider import EngineProvider
from app.sessions.jobs import Job
from app.sessions.pace import Pace
from app.sessions.pictures import Pictures
from app.sessions.session import Session
from app.sessions.session_store import SessionStore
from app.sessions.viewed import Viewed
from model.encoder.vision.page_inputs import ViewMode
from model.errors import ReadonceError
from model.types import Document, EncodedDocument

if TYPE_CHECKING:  # they import torch, which the page does not wait for
    from model.encoder.plan import EncodingPlan
    from model.engine import Engine

FEWEST = 4  # pages that are encoded by themselves


class FirstPages:
    """Those of one file. It is read in one thread, and encoded in another as far as it is read."""

    def __init__(self, session: Session, *, provider: EngineProvider, sessions: SessionStore, pace: Pace) -> None:
        self._session = session
        self._provider = provider
        self._sessions = sessions
        self._pace = pace
        self._lock = threading.Lock()
        self._ended = False  # nothing more of it is encoded
        self._room = contextlib.ExitStack()  # for the encoding that can be asked
        self._read: PartlyRead | None = None
        self._document: Document | None = None  # of the pages that were encoded last, or are being encoded
        self.viewed: Viewed | None = None  # what can be looked at
        self.pieces: tuple[EncodedDocument, ...] = ()  # the chunks of the encoding that can be asked

    @property
    def last_page(self) -> int:
        """How many pages, from the first one, can be asked."""
        return pages_read(self.pieces[-1]) if self.pieces else 0

    def add(self, read: PartlyRead) -> None:
        """One more page was read. It is shown, and perhaps encoded, once recognition makes reading slow."""
        self._read = read
        is_first = self.viewed is None
        if is_first and read.pages[-1].source != "ocr":
            return
        is_due = self._is_due(read)
        self._document = read.document if is_due else self._document
        self.viewed = viewed = self._view(read)
        if is_due:
            self._session.jobs.start("first pages", lambda job: self._encode(viewed, job))
        self._session.inbox.advance(viewed=self.viewed, pages=read.total)
        if is_first:
            self._session.show_first(viewed)

    def complete(self, read: ReadDocument) -> Viewed:
        """All pages were read: the document as it can be looked at from now on."""
        self._end()
        pictures = Pictures(read.images) if self.viewed is None else self.viewed.pictures
        self._read, self.viewed = None, Viewed(document=read.document, pictures=pictures, picture=read.picture)
        return self.viewed

    def make_room(self, size_bytes: int) -> None:
        """Where the whole document would not fit beside them, its first pages are asked no more."""
        if self.pieces and self._sessions.used_bytes + size_bytes > self._sessions.capacity_bytes:
            self.pieces = ()
            self._room.close()

    def keep(self) -> None:
        """Reading was cancelled: all pages that were read are encoded, unless that is cancelled, too."""
        self._end()
        if self._read is None or self.viewed is None or self._session.inbox.arrival is None:
            return  # all were recognised, none was, or everything is to be forgotten
        if len(self._read.pages) == self._asked:  # they are the document now
            self._provider.metrics.was_read(self.pieces)
            return
        self._ended, self._document = False, self._read.document
        self.viewed = self._view(self._read)
        with self._session.jobs.running("reading") as job:
            self._encode(self.viewed, job, provisional=False)

    def forget(self) -> None:
        """Nothing of this file is kept: its pictures go."""
        if self.viewed is not None:
            self.viewed.pictures.close()
        elif self._read is not None:
            self._read.images.close()

    def close(self) -> None:
        """Nothing but what was made of it is asked any more."""
        self._end()
        self._room.close()

    @property
    def _asked(self) -> int:
        """How many pages are encoded, those at the end on which nothing is written, too."""
        return len(self.pieces[0].document.pages) if self.pieces else 0

    def _is_due(self, read: PartlyRead) -> bool:
        """Not while the encoder is busy: that is what somebody waits for, or what was read of this file before."""
        least = 2 * len(self._document.pages) if self._document else FEWEST
        is_known = self._session.has(read.sha256)  # then that is asked meanwhile
        return len(read.pages) >= least and not is_known and not self._provider.scheduler.readings

    def _end(self) -> None:
        with self._lock:
            self._ended = True
        self._session.jobs.stop("first pages")
        self._session.changes.wait_until(lambda: not self._session.jobs.count("first pages"))

    def _view(self, read: PartlyRead) -> Viewed:
        """The pages as they are encoded, and those after them as they were read."""
        known = self._document.pages if self._document else ()
        document = Document(name=read.name, sha256=read.sha256, pages=(*known, *read.pages[len(known) :]))
        pictures = Pictures(read.images) if self.viewed is None else self.viewed.pictures
        picture = ReadDocument(document=document, images=read.images).picture
        return Viewed(document=document, pictures=pictures, picture=picture)

    def _encode(self, viewed: Viewed, job: Job, *, provisional: bool = True) -> bool:
        """Have these pages asked from now on. It says that there is nothing more to do."""
        room = contextlib.ExitStack()
        try:
            pieces = self._encoded(viewed, job, room, provisional=provisional)
            with self._lock:
                if pieces and not self._ended and len(viewed.document.pages) > self._asked:
                    self.pieces, self._room, room = pieces, room, self._room
                    self._session.inbox.advance(pieces=pieces)
        except ReadonceError:  # stopped, or nothing is written on these pages: the whole document will say what it is
            pass
        except Exception as error:
            log_fault(error)
        finally:
            room.close()
        return False

    def _encoded(
        self, viewed: Viewed, job: Job, room: contextlib.ExitStack, *, provisional: bool
    ) -> tuple[EncodedDocument, ...]:
        """The chunks of these pages. None where another engine yields no chunks, or others would have to make room."""
        engine = self._provider.engine(job)
        plan = planned(engine, self._session, viewed)
        size, sessions = plan.cache_bytes + viewed.viewed_bytes, self._sessions
        if self._ended or not engine.yields_chunks or sessions.used_bytes + size > sessions.capacity_bytes:
            return ()
        room.enter_context(sessions.reserved(self._session.client, viewed.name, size))
        with self._provider.scheduler.reading(job, plan.token_count) as pause:
            chunks = engine.encode_chunks(
                plan, picture=viewed.picture, cancelled=job.cancelled, pause=pause, provisional=provisional
            )
            pieces = tuple(chunks)
        seconds = sum(piece.encode_seconds for piece in pieces)
        self._pace.was_encoded(plan.token_count, len(viewed.document.pages), seconds)
        return pieces


def planned(engine: Engine, session: Session, viewed: Viewed) -> EncodingPlan:
    """A document as it is going to be encoded in this session."""
    views = views_of(session, engine.checkpoint.supports_vision) if viewed.picture else None
    return engine.plan(viewed.document, views=views)


def views_of(session: Session, supports_vision: bool) -> ViewMode:
    """What the person chose, which may have been for another checkpoint."""
    return session.views if supports_vision else "auto"
