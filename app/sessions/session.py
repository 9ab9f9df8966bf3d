"""One person's documents and conversation, and the work that is going on for them."""

import contextvars
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from app.languages import Language
from app.sessions.changes import Changes
from app.sessions.conversation import Conversation
from app.sessions.inbox import Inbox
from app.sessions.overview import OverviewState
from app.sessions.table import Table
from app.sessions.viewed import Viewed
from model.errors import DocumentError
from model.types import CancelledCallback, EncodedDocument, Evidence, GenerationOptions
from model.vision.page_inputs import ViewMode

Work = Literal["reading", "answering", "table", "glance"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded(Viewed):
    """A document that has been read: beside its text and pictures there is its encoding."""

    encoded: EncodedDocument
    file_bytes: int
    range: str | None = None  # the pages that the person chose; None: all

    @property
    def size_bytes(self) -> int:
        return self.encoded.cache_bytes + self.file_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The page in the middle, and the exchange, or else the places, drawn on it."""

    key: str
    page: int
    exchange: int | None = None
    places: tuple[Evidence, ...] = ()


class Session:
    """The mutable heart of a tab. Each method holds the lock for a moment; the values it hands out are frozen.

    Work for a session goes on in threads of its own: a tab only watches, so that a refresh interrupts nothing.
    """

    def __init__(self, session_id: str) -> None:
        self.id = session_id
        self.changes = Changes()
        self.conversation = Conversation(self.changes)
        self.inbox = Inbox(self.changes)
        self.table = Table(self.changes)
        self.overview = OverviewState(self.changes)
        self.options = GenerationOptions()
        self.views: ViewMode = "auto"  # how pages of the next documents enter, where the checkpoint has eyes
        self.language = Language()
        self._lock = threading.RLock()
        self._shown: Shown | None = None
        self._documents: dict[str, Loaded] = {}
        self._ticked: set[str] = set()
        self._outgoing: list[Path] = []
        self._messages: list[str] = []
        self._problem = ""
        self._stops: list[tuple[Work, threading.Event]] = []
        self._wanted: dict[Work, bool] = {}  # work that has a thread -> whether it shall look once more

    # Documents

    @property
    def documents(self) -> tuple[Loaded, ...]:
        with self._lock:
            return tuple(self._documents.values())

    @property
    def ticked(self) -> tuple[Loaded, ...]:
        """The documents in the conversation, in the order in which they came."""
        with self._lock:
            return tuple(loaded for key, loaded in self._documents.items() if key in self._ticked)

    def document(self, key: str) -> Loaded:
        with self._lock:
            if key not in self._documents:
                raise DocumentError("This document is no longer here. Drop it again to see it.")
            return self._documents[key]

    def viewed(self, key: str) -> Viewed | None:
        """A document to look at: one that has been read, or is being read."""
        with self._lock:
            arrival = self.inbox.arrival
            return self._documents.get(key) or (arrival.viewed if arrival and arrival.key == key else None)

    def has(self, key: str) -> bool:
        with self._lock:
            return key in self._documents

    def add(self, loaded: Loaded) -> None:
        """Take a document in, ticked; it takes the place of what was read of the same file before."""
        with self._lock:
            if (before := self._documents.get(loaded.key)) and before.pictures is not loaded.pictures:
                before.pictures.close()
            self._documents[loaded.key] = loaded
            self._ticked.add(loaded.key)
            if self._shown is None or self._shown.key != loaded.key:
                self._shown = Shown(key=loaded.key, page=loaded.document.pages[0].number)
        self.changes.note()

    def tick(self, key: str, on: bool) -> None:
        with self._lock:
            if on and key in self._documents:
                self._ticked.add(key)
            else:
                self._ticked.discard(key)
        self.changes.note()

    def forget(self, key: str) -> None:
        with self._lock:
            if key in self._documents:
                self._documents.pop(key).pictures.close()
            self._ticked.discard(key)
            self.overview.forget(key)
            if self._shown and self._shown.key == key:
                self._shown = None
        self.changes.note()

    def hand_out(self, path: Path) -> None:
        """Note a file that was made for the person to take."""
        with self._lock:
            self._outgoing.append(path)

    def outgoing(self) -> list[Path]:
        """The files that were made for the person to take, each once."""
        with self._lock:
            paths, self._outgoing = self._outgoing, []
            return paths

    # What is shown

    @property
    def shown(self) -> Shown | None:
        return self._shown

    def show(self, shown: Shown | None) -> None:
        self._shown = shown
        self.changes.note()

    def begin_anew(self) -> None:
        """An empty conversation about the same documents."""
        self.stop("answering")
        self.conversation.clear()
        with self._lock:
            self.show(self._shown and replace(self._shown, exchange=None))

    def tell(self, message: str) -> None:
        with self._lock:
            self._messages.append(message)
        self.changes.note()

    @property
    def messages(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(self._messages)

    def dismiss_messages(self) -> None:
        with self._lock:
            self._messages.clear()
        self.changes.note()

    @property
    def problem(self) -> str:
        """Why the last question could not be asked; empty where it could."""
        return self._problem

    def refuse(self, problem: str) -> None:
        self._problem = problem
        self.changes.note()

    # Work

    @property
    def busy(self) -> bool:
        return self.inbox.busy or self.conversation.answering or self.table.answering or self.overview.trying

    def work_off(self, work: Work, piece: Callable[[CancelledCallback], bool]) -> None:
        """Do this work piece by piece in a thread, until a piece says that there was nothing to do.

        One thread at a time does one kind of work: where it runs already, it looks once more. It works in the context
        of the request that began it: ZeroGPU reads there whose quota a GPU's time counts against.
        """
        with self._lock:
            runs = work in self._wanted
            self._wanted[work] = True
        if not runs:
            context = contextvars.copy_context()
            threading.Thread(target=context.run, args=(self._work_off, work, piece), name=work, daemon=True).start()

    def _work_off(self, work: Work, piece: Callable[[CancelledCallback], bool]) -> None:
        while self._still_wanted(work):
            goes_on = True
            while goes_on:
                with self.working(work) as cancelled:
                    goes_on = piece(cancelled)

    def _still_wanted(self, work: Work) -> bool:
        with self._lock:
            if self._wanted[work]:
                self._wanted[work] = False
                return True
            del self._wanted[work]
            return False

    @contextmanager
    def working(self, work: Work) -> Iterator[CancelledCallback]:
        """Do some work that `stop` can end: it asks the callback whether to go on."""
        entry = (work, threading.Event())
        with self._lock:
            self._stops.append(entry)
        try:
            yield entry[1].is_set
        finally:
            entry[1].set()  # a thread that still works for a page that is gone ends, too
            with self._lock:
                self._stops.remove(entry)

    def stopping(self, work: Work) -> bool:
        """Whether work of this kind was asked to end and has not ended yet."""
        with self._lock:
            return any(kind == work and stopped.is_set() for kind, stopped in self._stops)

    def stop(self, work: Work | None = None) -> None:
        """Ask one kind of work, or all of it, to end; what has not begun does not begin."""
        with self._lock:
            if work in (None, "reading"):
                self.inbox.clear()
            if work in (None, "answering") and (exchange := self.conversation.waiting):
                self.conversation.update(replace(exchange, status="failed", problem="Stopped before the answer began."))
            for kind, stopped in self._stops:
                if work in (None, kind):
                    stopped.set()
        self.changes.note()
