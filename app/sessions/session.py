"""One person's documents and conversation, and the work that is going on for them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from app.sessions.pictures import Pictures
from model.errors import DocumentError
from model.types import Answer, CancelledCallback, EncodedDocument

Work = Literal["reading", "answering"]
Status = Literal["waiting", "answering", "done", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A file that has arrived and waits to be read."""

    name: str
    data: bytes
    password: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A document that has been read: its encoding and the pictures of its pages."""

    encoded: EncodedDocument
    pictures: Pictures
    file_bytes: int

    @property
    def key(self) -> str:
        return self.encoded.document.sha256

    @property
    def name(self) -> str:
        return self.encoded.document.name

    @property
    def size_bytes(self) -> int:
        return self.encoded.cache_bytes + self.file_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A question and its answer, as far as it has come. `sources` are the keys of the documents that were asked."""

    number: int
    question: str
    answer: Answer
    status: Status = "waiting"
    sources: tuple[str, ...] = ()
    receipt: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The page in the middle, and the exchange whose evidence is drawn on it."""

    key: str
    page: int
    exchange: int | None = None


class Session:
    """The mutable heart of a tab. Each method holds the lock for a moment; the values it hands out are frozen."""

    def __init__(self, session_id: str) -> None:
        self.id = session_id
        self.shown: Shown | None = None
        self._lock = threading.RLock()
        self._documents: dict[str, Loaded] = {}
        self._ticked: set[str] = set()
        self._inbox: list[Incoming] = []
        self._locked: list[tuple[Incoming, str]] = []
        self._exchanges: list[Exchange] = []
        self._posed = 0
        self._messages: list[str] = []
        self._stops: list[tuple[Work, threading.Event]] = []

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

    def has(self, key: str) -> bool:
        with self._lock:
            return key in self._documents

    def add(self, loaded: Loaded) -> None:
        with self._lock:
            self._documents[loaded.key] = loaded
            self._ticked.add(loaded.key)
            self.shown = Shown(key=loaded.key, page=loaded.encoded.document.pages[0].number)

    def tick(self, key: str, on: bool) -> None:
        with self._lock:
            if on and key in self._documents:
                self._ticked.add(key)
            else:
                self._ticked.discard(key)

    def forget(self, key: str) -> None:
        with self._lock:
            if key in self._documents:
                self._documents.pop(key).pictures.close()
            self._ticked.discard(key)
            if self.shown and self.shown.key == key:
                self.shown = None

    # Files on their way in

    def receive(self, *files: Incoming) -> None:
        with self._lock:
            self._inbox.extend(files)

    def next_incoming(self) -> Incoming | None:
        with self._lock:
            return self._inbox.pop(0) if self._inbox else None

    @property
    def arriving(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(incoming.name for incoming in self._inbox)

    @property
    def reading(self) -> bool:
        """Whether a document is on its way in."""
        with self._lock:
            return bool(self._inbox) or any(work == "reading" for work, _ in self._stops)

    def lock_away(self, incoming: Incoming, reason: str) -> None:
        """Keep an encrypted file until its password comes."""
        with self._lock:
            self._locked.append((incoming, reason))

    @property
    def locked(self) -> tuple[str, ...]:
        """Why each encrypted file waits, in words."""
        with self._lock:
            return tuple(reason for _, reason in self._locked)

    def unlock(self, password: str | None) -> None:
        """Send the first encrypted file to be read with this password; without one, let it go."""
        with self._lock:
            if self._locked:
                incoming, _ = self._locked.pop(0)
                if password is not None:
                    self.receive(replace(incoming, password=password))

    # The conversation

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        with self._lock:
            return tuple(self._exchanges)

    @property
    def answering(self) -> bool:
        with self._lock:
            return any(exchange.status in ("waiting", "answering") for exchange in self._exchanges)

    @property
    def waiting(self) -> Exchange | None:
        with self._lock:
            return next((exchange for exchange in self._exchanges if exchange.status == "waiting"), None)

    def pose(self, question: str) -> None:
        with self._lock:
            self._posed += 1
            self._exchanges.append(Exchange(number=self._posed, question=question, answer=Answer(question=question)))

    def update(self, changed: Exchange) -> None:
        """An exchange has come further; where it was cleared away meanwhile, it stays away."""
        with self._lock:
            self._exchanges = [changed if old.number == changed.number else old for old in self._exchanges]

    def take_back(self) -> str:
        """Remove the last exchange, and say what its question was."""
        with self._lock:
            return self._exchanges.pop().question if self._exchanges else ""

    def clear_conversation(self) -> None:
        with self._lock:
            self._exchanges.clear()
            if self.shown:
                self.shown = replace(self.shown, exchange=None)

    # Messages for the person, and stopping

    def tell(self, message: str) -> None:
        with self._lock:
            self._messages.append(message)

    @property
    def messages(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(self._messages)

    def dismiss_messages(self) -> None:
        with self._lock:
            self._messages.clear()

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

    def stop(self, work: Work | None = None) -> None:
        """Ask one kind of work, or all of it, to end; what has not begun does not begin."""
        with self._lock:
            if work != "answering":
                self._inbox.clear()
            if work != "reading" and (exchange := self.waiting):
                self.update(replace(exchange, status="failed", problem="Stopped before the answer began."))
            for kind, stopped in self._stops:
                if work in (None, kind):
                    stopped.set()
