"""From a file that arrived to a document that can be asked: read, encoded, and put into the library."""

import hashlib
from collections.abc import Generator
from dataclasses import replace

from app.documents import DocumentReader
from app.page.background import Background, Estimate
from app.page.checkpoint_choice import CheckpointChoice
from app.page.faults import in_words
from app.sessions.library import Library
from app.sessions.pictures import Pictures
from app.sessions.session import Incoming, Loaded, Session
from model.errors import Cancelled, PasswordNeeded
from model.types import CancelledCallback, ProgressCallback


class Reading:
    """Reads the files of a session's inbox, one after the other."""

    def __init__(self, *, reader: DocumentReader, choice: CheckpointChoice, library: Library) -> None:
        self._reader = reader
        self._choice = choice
        self._library = library

    def receive(self, session: Session, *files: Incoming) -> None:
        """Take files in. A file that the session already has is not read again."""
        for incoming in files:
            key = hashlib.sha256(incoming.data).hexdigest()
            if session.has(key):
                session.tick(key, True)
                session.tell(f"{incoming.name} is already here: it was read before and is not read again.")
            else:
                session.receive(incoming)

    def run(
        self, session: Session, cancelled: CancelledCallback
    ) -> Generator[tuple[Incoming, Estimate | None], None, None]:
        """Read until the inbox is empty. Yields how far a file is, and None when it is dealt with."""
        while (incoming := session.next_incoming()) is not None:
            try:
                self._library.keep(session, (yield from self._progress(incoming, cancelled)))
            except PasswordNeeded as error:
                session.lock_away(replace(incoming, password=None), str(error))
            except Cancelled:
                session.tell(f"{incoming.name} was not read: you cancelled it.")
            except Exception as error:
                session.tell(in_words(error))
            yield incoming, None

    def _progress(
        self, incoming: Incoming, cancelled: CancelledCallback
    ) -> Generator[tuple[Incoming, Estimate], None, Loaded]:
        work = Background(lambda report: self._load(incoming, report, cancelled)).progress()
        while True:
            try:
                estimate = next(work)
            except StopIteration as end:
                loaded: Loaded = end.value
                return loaded
            yield incoming, estimate

    def _load(self, incoming: Incoming, report: ProgressCallback, cancelled: CancelledCallback) -> Loaded:
        read = self._reader.read(
            incoming.data, name=incoming.name, password=incoming.password, progress=report, cancelled=cancelled
        )
        engine = self._choice.engine(cancelled)
        encoded = engine.encode(read.document, views="auto", picture=read.picture, progress=report, cancelled=cancelled)
        return Loaded(encoded=encoded, pictures=Pictures(read.images), file_bytes=len(incoming.data))
