"""One person's documents and conversation, and the work that is going on for them."""

import contextlib
import threading
from dataclasses import dataclass, replace
from pathlib import Path

from app.languages import Language
from app.sessions.changes import Changes
from app.sessions.conversation import Aside, Conversation, Rest
from app.sessions.inbox import Inbox
from app.sessions.jobs import Jobs, Work
from app.sessions.library_view import LibraryView
from app.sessions.overview import OverviewState
from app.sessions.table import Table
from app.sessions.viewed import Loaded, Viewed
from model.encoder.vision.page_inputs import ViewMode
from model.errors import NO_MESSAGE, Cancelled, DocumentError, Message
from model.types import Evidence, GenerationOptions

MOST_MESSAGES = 20  # the latest; a person who comes back later needs no more


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The page in the middle, and the exchange, or else the places, drawn on it."""

    key: str
    page: int
    exchange: int | None = None
    places: tuple[Evidence, ...] = ()


class Session:
    """The mutable heart of a tab. Each method holds the lock for a moment; the values it hands out are frozen."""

    def __init__(self, session_id: str, client: str = "", person: str = "") -> None:
        """`client`: who is served alike with others; empty: the person, or else the session is a client of its own.
        `person`: whose session it is, where there are users.
        """
        self.id = session_id
        self.person = person
        self.client = client or (f"person {person}" if person else session_id)
        self.changes = Changes()
        self.jobs = Jobs(self.client, self.changes)
        self.conversation = Conversation(self.changes)
        self.inbox = Inbox(self.changes)
        self.table = Table(self.changes)
        self.overview = OverviewState(self.changes)
        self.options = GenerationOptions()
        self.views: ViewMode = "auto"  # how pages of the next documents enter, where the checkpoint supports vision
        self.language = Language()
        self.library_view = LibraryView()
        self._lock = threading.RLock()
        self._shown: Shown | None = None
        self.visits = 0  # how many times a page was asked for: what is asked for anew is scrolled to
        self._documents: dict[str, Loaded] = {}
        self._aside: dict[str, Loaded] = {}  # out of sight: for some seconds they can be had back
        self.confirming = False  # whether everything is to be forgotten, which is asked once
        self._ticked: set[str] = set()
        self._outgoing: list[Path] = []
        self._messages: tuple[Message, ...] = ()
        self._problem = NO_MESSAGE
        self._closed = False

    @property
    def size_bytes(self) -> int:
        """All that the session holds, in memory and as copies of files."""
        held = self.inbox.size_bytes + self.conversation.size_bytes + self.table.size_bytes
        return held + sum(loaded.size_bytes for loaded in self.held)

    def close(self) -> None:
        """Let go of everything. Work that still goes on ends soon."""
        self.stop()
        for loaded in self.held:
            self.forget(loaded.key)
        self.inbox.empty()
        self.conversation.clear()
        self.table.clear()
        with self._lock:
            self._closed = True
        for path in self.outgoing():
            _delete_with_folder(path)

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

    def rest_of(self, key: str) -> Rest:
        """What has become of the pages that a document lacked when it was asked."""
        with self._lock:
            arrival, loaded = self.inbox.arrival, self._documents.get(key)
            if loaded and loaded.is_whole:
                return "read" if key in self._ticked else "away"
            return "coming" if arrival and arrival.key == key else "away"

    def has(self, key: str) -> bool:
        return key in self._documents

    def add(self, loaded: Loaded) -> None:
        """Take a document in, ticked; it takes the place of what was read of the same file before."""
        with self._lock:
            before = self._aside.pop(loaded.key, None) or self._documents.get(loaded.key)
            if before and before.pictures is not loaded.pictures:
                before.pictures.close()
            self._documents[loaded.key] = loaded
            self._ticked.add(loaded.key)
        self.show_first(loaded)

    def tick(self, key: str, on: bool) -> None:
        with self._lock:
            if on and key in self._documents:
                self._ticked.add(key)
            else:
                self._ticked.discard(key)
        self.changes.notify()

    @property
    def aside(self) -> tuple[Loaded, ...]:
        """Documents that a person has let go a moment ago."""
        with self._lock:
            return tuple(self._aside.values())

    @property
    def held(self) -> tuple[Loaded, ...]:
        """All documents that take memory: those that are here, and those that can still be had back."""
        with self._lock:
            return (*self._documents.values(), *self._aside.values())

    def put_aside(self, key: str) -> Loaded | None:
        """Take a document out of sight; it can be had back until it is forgotten.

        What it gives is this time's alone: a document that was had back may be put aside once more.
        """
        with self._lock:
            if key in self._documents:
                self._aside[key] = replace(self._documents.pop(key))
            self._turn_away(key)
            aside = self._aside.get(key)
        self.changes.notify()
        return aside

    def bring_back(self, key: str) -> None:
        with self._lock:
            if (loaded := self._aside.pop(key, None)) is not None:
                self.add(loaded)

    def forget(self, key: str) -> None:
        with self._lock:
            for held in (self._documents, self._aside):
                if key in held:
                    held.pop(key).pictures.close()
            self._turn_away(key)
            self.overview.forget(key)
        self.changes.notify()

    def _turn_away(self, key: str) -> None:
        """Another document is shown and asked in place of this one."""
        self._ticked.discard(key)
        if self._shown and self._shown.key == key:
            self._shown = None
            if left := next(iter(self._documents.values()), None):
                self.show_first(left)

    def hand_out(self, path: Path) -> None:
        """Note a file that was made for the person to take, alone in its folder; it goes with the session.

        Raises Cancelled where the session is gone already.
        """
        with self._lock:
            if not self._closed:
                self._outgoing.append(path)
                return
        _delete_with_folder(path)
        raise Cancelled("The file was not handed out: its page is closed.")

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
        """Show this page, and bring what is marked on it into view."""
        with self._lock:
            self._shown = shown
            self.visits += 1
        self.changes.notify()

    def show_first(self, viewed: Viewed) -> None:
        """Show a new document unless another one is being read by the person."""
        with self._lock:
            shown = self._shown
            if shown is None or (shown.key != viewed.key and self.viewed(shown.key) is None):
                self.show(Shown(key=viewed.key, page=viewed.document.pages[0].number))
        self.changes.notify()

    def scrolled(self, key: str, page: int) -> None:
        """The person has come to another page of the document that is shown."""
        with self._lock:
            if self._shown and self._shown.key == key:
                self._shown = replace(self._shown, page=page)
        self.changes.notify()

    def unmark(self) -> None:
        """The page that is shown stays, without the marks of an answer."""
        with self._lock:
            self._shown = self._shown and replace(self._shown, exchange=None, places=())
        self.changes.notify()

    def begin_anew(self) -> Aside | None:
        """An empty conversation about the same documents; the one before, which it gives, can be had back."""
        self.stop("answering")
        aside = self.conversation.put_aside()
        self.unmark()
        return aside

    def tell(self, template: str, /, **values: object) -> None:
        with self._lock:
            self._messages = (*self._messages, Message(template, **values))[-MOST_MESSAGES:]
        self.changes.notify()

    @property
    def messages(self) -> tuple[Message, ...]:
        return self._messages

    def dismiss_messages(self) -> None:
        with self._lock:
            self._messages = ()
        self.changes.notify()

    @property
    def problem(self) -> Message:
        """Why the last question could not be asked; empty where it could."""
        return self._problem

    def view_library(self, view: LibraryView) -> None:
        """Show this of the library from now on."""
        self.library_view = view
        self.changes.notify()

    def refuse(self, problem: Message) -> None:
        self._problem = problem
        self.changes.notify()

    # Work

    @property
    def working(self) -> bool:
        """Whether something is read, answered or looked for."""
        return self.inbox.busy or self.conversation.answering or self.table.answering or self.overview.trying

    @property
    def busy(self) -> bool:
        """Whether what is shown will change by itself: there is work, or something that soon is past undoing."""
        return self.working or bool(self._aside or self.conversation.aside or self.library_view.removed)

    def stop(self, work: Work | None = None) -> None:
        """Ask one kind of work, or all of it, to end; what has not begun does not begin."""
        with self._lock:
            if work in (None, "reading"):
                self.inbox.clear()
            if work in (None, "answering") and (exchange := self.conversation.waiting):
                stopped = Message("Stopped before the answer began.")
                self.conversation.update(replace(exchange, status="failed", problem=stopped))
        self.jobs.stop(work)
        self.changes.notify()


def _delete_with_folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        path.parent.rmdir()
