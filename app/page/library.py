"""The library on the page: its part of the left column, and what happens there."""

import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import gradio as gr

from app.library.catalogue import UNDO_SECONDS
from app.library.conversations import Conversations
from app.library.library import Library
from app.library.listing import ORDERS
from app.library.search import documents_with
from app.library.values import Order, Scope, StoredDocument
from app.page import panels
from app.page.events import number_of, text_of
from app.page.panels.library import Listed
from app.page.reading import Reading
from app.page.stored import Storage
from app.page.waiting import later
from app.sessions.library_view import LibraryView
from app.sessions.session import Session
from app.sessions.session_store import SessionStore
from model.errors import LibraryError

MOST_LISTED, MOST_FOLDERS, MOST_CONVERSATIONS = 30, 12, 20
MOST_REMEMBERED = 16  # drawn panels
LONGEST_SEARCH = 200  # characters; each word is looked up


class LibraryPanel:
    """The component. Made inside the left column; hidden where there is no library."""

    def __init__(self, panel: Callable[[str], gr.HTML], say: Callable[[str], Any], *, visible: bool) -> None:
        with gr.Accordion(say("Library"), open=True, visible=visible, elem_id="stored"):
            self.panel = panel("library")

    def connect(self, on: Callable[..., Any], handlers: "LibraryHandlers") -> None:
        for name in (
            "choose_scope", "search_library", "sort_library", "open_stored", "remove_stored", "undo_removal",
            "open_conversation", "remove_conversation", "forget_library", "forget_library_now", "keep_library",
            "share_stored", "withdraw_shared", "take_shared",
        ):  # fmt: skip
            on(getattr(self.panel, name), getattr(handlers, name))


class LibraryScreen:
    """Draws the library as a session sees it; it is drawn anew when one of the two has changed."""

    def __init__(self, storage: Storage | None) -> None:
        self._storage = storage
        self._drawn = lru_cache(MOST_REMEMBERED)(self._draw)

    def panel(self, session: Session) -> str:
        storage = self._storage.of(session) if self._storage else None
        if storage is None or (library := storage.library) is None:
            return ""
        drawn = self._drawn(library, library.database.revision, session.library_view, may_share=bool(storage.shared))
        return drawn if storage.shared is None else drawn + panels.shared(_listed(storage.shared), session.person)

    def has(self, session: Session, key: str) -> bool:
        """Whether the person's library has the document of this key, which is its file's hash."""
        library = self._storage.of(session).library if self._storage else None
        return library is not None and library.with_file(key) is not None

    @staticmethod
    def _draw(library: Library, _revision: tuple[int, int], view: LibraryView, *, may_share: bool) -> str:
        count = library.count
        found = documents_with(library.database, view.words) if view.words else None
        scope = Scope(documents=tuple(found or ()))
        shown = [] if found == set() else library.documents(scope, most=MOST_LISTED, order=view.order)
        gone = library.documents(Scope(documents=view.removed), removed=True) if view.removed else []
        listed = Listed(
            documents=shown,
            more=(count if found is None else len(found)) - len(shown),
            removed=[one for one in gone if one.removed],
            folders=library.folders(MOST_FOLDERS),
            conversations=Conversations(library.database).listed(MOST_CONVERSATIONS),
            count=count,
            used_bytes=library.used_bytes,
            capacity_bytes=library.capacity_bytes,
        )
        return panels.library(listed, view, may_share=may_share)


def _listed(shared: Library) -> Sequence[StoredDocument]:
    """What everybody may take, the latest first."""
    shared.end_removals()
    return shared.documents(most=MOST_LISTED)


class LibraryHandlers:
    """What happens in the panel. A session's id comes first."""

    def __init__(self, *, sessions: SessionStore, reading: Reading, storage: Storage) -> None:
        self._sessions = sessions
        self._reading = reading
        self._storage = storage

    def choose_scope(self, session_id: str, event: gr.EventData) -> None:
        """Choose what the next questions are put to: the ticked documents, a folder, or the whole library."""
        session, kind = self._session(session_id), text_of(event, "scope")
        scope = None if kind == "ticked" else Scope(folder=text_of(event, "folder") if kind == "folder" else "")
        session.view_library(replace(session.library_view, scope=scope))

    def search_library(self, session_id: str, event: gr.EventData) -> None:
        session = self._session(session_id)
        session.view_library(replace(session.library_view, words=text_of(event, "value").strip()[:LONGEST_SEARCH]))

    def sort_library(self, session_id: str, event: gr.EventData) -> None:
        session, chosen = self._session(session_id), text_of(event, "value")
        order: Order = next((one for one in ORDERS if one == chosen), "used")
        session.view_library(replace(session.library_view, order=order))

    def open_stored(self, session_id: str, event: gr.EventData) -> None:
        session = self._session(session_id)
        if (number := number_of(event, "stored")) is not None:
            self._reading.open_stored(session, self._library(session).document(number), show=True)

    def remove_stored(self, session_id: str, event: gr.EventData) -> None:
        """Remove a document; for ten seconds it can be had back."""
        session = self._session(session_id)
        if (number := number_of(event, "stored")) is None:
            return
        self._library(session).remove([number])
        session.view_library(replace(session.library_view, removed=(*session.library_view.removed, number)))
        later(partial(self._end_removal, session, number), UNDO_SECONDS + 0.2)

    def undo_removal(self, session_id: str, event: gr.EventData) -> None:
        session = self._session(session_id)
        if (number := number_of(event, "stored")) is not None:
            if not self._library(session).restore([number]):
                session.tell("It is too late: this document was deleted for good.")
            self._no_longer_removed(session, number)

    def share_stored(self, session_id: str, event: gr.EventData) -> None:
        """Let everybody who signs in have a document."""
        session = self._session(session_id)
        if (number := number_of(event, "stored")) is not None:
            self._storage.of(session).share(session, number, self._reading.fingerprint)
            session.changes.notify()

    def withdraw_shared(self, session_id: str, event: gr.EventData) -> None:
        session = self._session(session_id)
        if (number := number_of(event, "shared")) is not None:
            self._storage.of(session).withdraw(session, number)
            session.changes.notify()

    def take_shared(self, session_id: str, event: gr.EventData) -> None:
        """Take a document that somebody shares into one's own library, and open it."""
        session = self._session(session_id)
        if (number := number_of(event, "shared")) is not None:
            stored = self._storage.of(session).take(number, self._reading.fingerprint)
            if stored is not None:
                self._reading.open_stored(session, stored)

    def open_conversation(self, session_id: str, event: gr.EventData) -> None:
        """Go on with a conversation where it ended; its documents come with it."""
        session = self._session(session_id)
        if (number := number_of(event, "conversation")) is not None:
            for at, stored in enumerate(self._storage.of(session).resume_conversation(session, number)):
                self._reading.open_stored(session, stored, show=at == 0)

    def remove_conversation(self, session_id: str, event: gr.EventData) -> None:
        session = self._session(session_id)
        if (number := number_of(event, "conversation")) is not None:
            self._storage.of(session).remove_conversation(number)
            session.changes.notify()

    def forget_library(self, session_id: str) -> None:
        """Ask the person once whether everything is to be forgotten."""
        session = self._session(session_id)
        session.view_library(replace(session.library_view, confirming=True))

    def keep_library(self, session_id: str) -> None:
        session = self._session(session_id)
        session.view_library(replace(session.library_view, confirming=False))

    def forget_library_now(self, session_id: str) -> None:
        session = self._session(session_id)
        self._library(session).forget_everything()
        session.conversation.stored = None
        session.view_library(LibraryView())

    def _library(self, session: Session) -> Library:
        if (library := self._storage.of(session).library) is None:
            raise LibraryError("There is no library: documents stay in memory until the page is closed.")
        return library

    def _session(self, session_id: str) -> Session:
        return self._sessions.session(session_id)

    def _end_removal(self, session: Session, number: int) -> None:
        if number not in session.library_view.removed:
            return
        library = self._library(session)
        with contextlib.suppress(sqlite3.Error):  # where the app ends meanwhile, its next start does this
            library.end_removals()
            if library.documents(Scope(documents=(number,)), removed=True):
                return  # it was had back, and removed once more
        self._no_longer_removed(session, number)

    @staticmethod
    def _no_longer_removed(session: Session, *numbers: int) -> None:
        removed: Sequence[int] = [one for one in session.library_view.removed if one not in numbers]
        session.view_library(replace(session.library_view, removed=tuple(removed)))
