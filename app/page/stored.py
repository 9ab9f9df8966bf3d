"""Between a session and the library: what is there is not read again, and what was read is kept."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from app.documents import DocumentReader, ReadDocument
from app.library.conversations import Conversations
from app.library.library import Library
from app.library.people import Libraries
from app.library.sharing import copy_document
from app.library.values import NewDocument, Place, ReadingOptions, StoredDocument
from app.sessions.conversation import Exchange
from app.sessions.inbox import Incoming
from app.sessions.pictures import Pictures
from app.sessions.session import Session
from app.sessions.viewed import Loaded
from model.encoder.vision.page_inputs import ViewMode
from model.errors import EncodingError, LibraryError
from model.types import Precision

if TYPE_CHECKING:  # it imports torch, which the page does not wait for
    from model.engine import Engine

INDEX_SECONDS = 0.2  # at a time: a question waits no longer


class Storage:
    """The library as the page uses it; without one, nothing is found and nothing is kept."""

    def __init__(
        self,
        library: Library | None,
        reader: DocumentReader,
        *,
        precision: Precision,
        libraries: Libraries | None = None,
        shared: Library | None = None,
    ) -> None:
        """`libraries`: those of people who sign in; `shared`: where they share documents with all."""
        self.library = library
        self.shared = shared
        self.precision = precision
        self._reader = reader
        self._libraries = libraries
        self._conversations = None if library is None else Conversations(library.database)

    @property
    def has_library(self) -> bool:
        """Whether there is one for whoever may use the page."""
        return self.library is not None or self._libraries is not None

    def of(self, session: Session) -> Storage:
        """The library as this session's person uses it. Raises LibraryError where it cannot be opened."""
        if self._libraries is None or not session.person:
            return self
        own, shared = self._libraries.of(session.person), self._libraries.shared
        return Storage(own, self._reader, precision=self.precision, shared=shared)

    # Documents

    def complete(self, incoming: Incoming) -> Incoming:
        """A document of the library that is to be opened, with its file. Raises LibraryError where it is gone."""
        if self.library is None or incoming.stored is None:
            return incoming
        stored = self.library.document(incoming.stored)
        try:
            data = self.library.original(stored).read_bytes()
        except OSError as error:
            raise LibraryError(
                "{name} is gone from the library ({reason}): drop it again.", name=stored.name, reason=error.strerror
            ) from error
        return replace(incoming, data=data, pages=stored.range or None)

    def has_file(self, incoming: Incoming) -> bool:
        """Whether the library has this file, by whomever and however it was read."""
        return self.library is not None and self.library.with_file(_sha256(incoming)) is not None

    def find(self, session: Session, incoming: Incoming, views: ViewMode, engine: Engine) -> Loaded | None:
        """What was read of this file, in this way and by this checkpoint; None where it must be read."""
        if self.library is None:
            return None
        stored = (
            self.library.find(_sha256(incoming), reading_of(incoming, views).key)
            if incoming.stored is None
            else self.library.document(incoming.stored)
        )
        if stored is None:
            return None
        try:
            encoded = self.library.encoding(stored, engine.checkpoint.fingerprint, self.precision)
        except EncodingError:  # damaged: it is read anew, and takes its place
            return None
        if encoded is None:
            return None
        if incoming.name != stored.name and incoming.stored is None:
            self.library.put(Place(name=incoming.name), stored)
        images = self._reader.images(incoming.data, name=stored.name, password=incoming.password, caller=session.client)
        return Loaded(
            document=encoded.document,
            pictures=Pictures(images),
            picture=ReadDocument(document=encoded.document, images=images).picture,
            encoded=encoded,
            file_bytes=len(incoming.data),
            range=incoming.pages,
        )

    def keep(self, session: Session, incoming: Incoming, views: ViewMode, loaded: Loaded) -> None:
        """Keep what was read. Why it cannot be kept is said in the session, which has it nevertheless."""
        if self.library is None or incoming.transient:
            return
        if incoming.password is not None and not incoming.keep_protected:
            session.tell("{name} is not kept in the library, because a password protects it.", name=incoming.name)
            return
        place = self._place(incoming)
        before = self.library.at(place)
        new = NewDocument(data=incoming.data, place=place, reading=reading_of(incoming, views), encoded=loaded.encoded)
        try:
            self.library.add(new)
        except LibraryError as error:
            session.tell(error.message)
        else:
            if before is not None and before.sha256 != loaded.key:
                session.tell("{name} replaces its earlier version in the library.", name=incoming.name)

    def keep_again(self, session: Session, loaded: Loaded) -> None:
        """Keep what another checkpoint has read of a document that the library has."""
        stored = self.with_file(loaded.key)
        if self.library is None or stored is None:
            return
        incoming = self.complete(Incoming(name=stored.name, data=b"", stored=stored.id))
        reading = self.library.reading_of(stored)
        try:
            self.library.add(
                NewDocument(data=incoming.data, place=self._place(incoming), reading=reading, encoded=loaded.encoded)
            )
        except LibraryError as error:
            session.tell(error.message)

    def _place(self, incoming: Incoming) -> Place:
        if self.library is None or incoming.stored is None:
            return Place(name=incoming.name)
        stored = self.library.document(incoming.stored)
        return Place(folder=stored.folder, name=stored.name)

    def with_file(self, key: str) -> StoredDocument | None:
        return None if self.library is None else self.library.with_file(key)

    def index(self, engine: Engine) -> bool:
        """Make vectors that the library's documents lack, for a moment; whether there were any to make."""
        from app.library.coarse import CoarseIndex  # imports torch, which the page does not wait for

        return (
            self.library is not None and CoarseIndex(self.library, engine, self.precision).complete(INDEX_SECONDS) > 0
        )

    # What is shared with all

    def share(self, session: Session, number: int, fingerprint: str) -> None:
        """Let everybody have a document of the library. Raises LibraryError."""
        if self.library is not None and self.shared is not None:
            copy_document(
                self.library,
                self.shared,
                number,
                folder=session.person,
                fingerprint=fingerprint,
                precision=self.precision,
            )

    def withdraw(self, session: Session, number: int) -> None:
        """No longer share what this person has shared. Who has taken it keeps it. Raises LibraryError."""
        if self.shared is not None and self.shared.document(number).folder == session.person:
            self.shared.remove([number])

    def take(self, number: int, fingerprint: str) -> StoredDocument | None:
        """Have a shared document in the person's own library. Raises LibraryError."""
        if self.library is None or self.shared is None:
            return None
        return copy_document(
            self.shared, self.library, number, folder="", fingerprint=fingerprint, precision=self.precision
        )

    # Conversations

    def save_conversation(self, session: Session, latest: Exchange | None = None) -> None:
        """Write the session's conversation as it stands, or as it will with the latest answer."""
        if self._conversations is None:
            return
        conversation, number = session.conversation, latest and latest.number
        exchanges = [latest if latest and one.number == number else one for one in conversation.exchanges]
        try:
            conversation.stored = self._conversations.save(conversation.stored, exchanges)
        except sqlite3.OperationalError as error:
            session.tell("This conversation cannot be kept ({reason}): the library's disk may be full.", reason=error)

    def resume_conversation(self, session: Session, number: int) -> Sequence[StoredDocument]:
        """Go on with a conversation where it ended; gives the documents that were asked in it."""
        if self._conversations is None or self.library is None:
            return ()
        exchanges = self._conversations.exchanges(number)
        session.begin_anew()
        session.conversation.resume(number, exchanges)
        keys = dict.fromkeys(key for exchange in exchanges for key in _used(exchange.sources, exchange.answer.evidence))
        found = [stored for key in keys if (stored := self.library.with_file(key))]
        if gone := len(keys) - len(found):
            session.tell("{n:,} of the documents of this conversation were removed, or changed since.", n=gone)
        return found

    def remove_conversation(self, number: int) -> None:
        if self._conversations is not None:
            self._conversations.remove(number)


def reading_of(incoming: Incoming, views: ViewMode) -> ReadingOptions:
    """How a dropped file is read."""
    return ReadingOptions(range=incoming.pages or "", views=views, protected=incoming.password is not None)


def _used(sources: Sequence[str], evidence: Sequence[object]) -> Sequence[str]:
    """Of the documents that were asked those that the answer rests on; a few may have been asked for themselves."""
    places = {getattr(place, "document_index", 0) for place in evidence}
    return [sources[index] for index in sorted(places) if index < len(sources)] or sources[:1]


def _sha256(incoming: Incoming) -> str:
    return incoming.sha256 or hashlib.sha256(incoming.data).hexdigest()
