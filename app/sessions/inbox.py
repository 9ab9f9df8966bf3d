"""Files on their way in: those that wait to be read, the one that is being read, and those that need a password."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.sessions.changes import Changes
from app.sessions.pace import Estimate
from app.sessions.viewed import Viewed
from model.errors import Message
from model.types import EncodedDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A file that has arrived and waits to be read; `pages` picks some of its pages (3-10,12)."""

    name: str
    data: bytes
    sha256: str = ""  # of the data, where it is known already
    password: str | None = None
    pages: str | None = None
    again: str = ""  # the key of a document that is here already and shall be read by another checkpoint
    stored: int | None = None  # the number of a document of the library that shall be opened
    transient: bool = False  # it is for this session alone, and not kept in a library
    keep_protected: bool = False  # whether it may be kept in the library though it takes a password


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """The file that is being read: how far it is, what of it can be looked at, and what can be asked already."""

    name: str
    estimate: Estimate | None = None
    viewed: Viewed | None = None
    pages: int = 0  # of the whole document, of which the first ones may be in view
    tokens: int = 0  # of the whole document, known before it is encoded
    bytes: int = 0  # that its encoding will take
    pieces: tuple[EncodedDocument, ...] = field(default=())  # the chunks read so far, of it or of its first pages

    @property
    def key(self) -> str:
        return self.viewed.key if self.viewed else ""


class Inbox:
    """Each method holds the lock for a moment; the values it hands out are frozen."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._lock = threading.RLock()
        self._files: list[Incoming] = []
        self._locked: list[tuple[Incoming, Message]] = []
        self._trying = False  # whether the file that is being read came with a password
        self._spare_password: str | None = None  # typed while another one was being tried: the next to try
        self._arrival: Arrival | None = None

    @property
    def size_bytes(self) -> int:
        """Of the files that wait to be read, or for a password."""
        with self._lock:
            return sum(len(incoming.data) for incoming in (*self._files, *(locked for locked, _ in self._locked)))

    @property
    def count(self) -> int:
        """How many files wait to be read, or for a password."""
        with self._lock:
            return len(self._files) + len(self._locked)

    def receive(self, *files: Incoming) -> None:
        with self._lock:
            self._files.extend(files)
        self._changes.notify()

    def next(self) -> Incoming | None:
        """Take the next file; from now on it is the one that is being read."""
        with self._lock:
            incoming = self._files.pop(0) if self._files else None
            self._arrival = Arrival(name=incoming.name) if incoming else None
            self._trying = bool(incoming and incoming.password)
        self._changes.notify()
        return incoming

    @property
    def arrival(self) -> Arrival | None:
        return self._arrival

    def progress(self, arrival: Arrival | None) -> None:
        """The file that is being read has come further, or is dealt with."""
        with self._lock:
            self._arrival = arrival
            if arrival is None:
                self._trying, self._spare_password = False, None
        self._changes.notify()

    def advance(self, **changes: Any) -> None:
        """Some fields of the arrival change; there are none to change once the file is dealt with."""
        with self._lock:
            if self._arrival is not None:
                self._arrival = replace(self._arrival, **changes)
        self._changes.notify()

    @property
    def waiting(self) -> tuple[str, ...]:
        """The names of the files that wait."""
        with self._lock:
            return tuple(incoming.name for incoming in self._files)

    @property
    def busy(self) -> bool:
        """Whether a document is on its way in."""
        with self._lock:
            return bool(self._files) or self._arrival is not None

    def clear(self) -> None:
        """What has not begun does not begin."""
        with self._lock:
            self._files.clear()
        self._changes.notify()

    def empty(self) -> None:
        """Let go of all files, those that wait for a password, too."""
        with self._lock:
            self._locked.clear()
        self.clear()

    def lock_away(self, incoming: Incoming, reason: Message) -> None:
        """Keep an encrypted file until its password comes, or try the one that has come meanwhile."""
        with self._lock:
            if self._spare_password is None:
                self._locked.append((replace(incoming, password=None), reason))
            else:
                self._files.insert(0, replace(incoming, password=self._spare_password))
                self._spare_password = None
        self._changes.notify()

    @property
    def locked(self) -> Sequence[Message]:
        """Why each encrypted file waits, in words."""
        with self._lock:
            return tuple(reason for _, reason in self._locked)

    def unlock(self, password: str | None, *, keep: bool = False) -> None:
        """Send the first encrypted file to be read with this password, and perhaps kept; without one, let it go."""
        with self._lock:
            if self._locked:
                incoming, _ = self._locked.pop(0)
                if password is not None:
                    self._files.append(replace(incoming, password=password, keep_protected=keep))
            elif self._trying or any(incoming.password for incoming in self._files):
                self._spare_password = password
        self._changes.notify()
