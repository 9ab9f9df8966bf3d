"""From a file that arrived to a document that can be asked: read, encoded, and put into the library."""

import hashlib
from dataclasses import replace

from app.documents import DocumentReader
from app.page import export as keeping
from app.page.checkpoint_choice import CheckpointChoice
from app.page.faults import in_words
from app.sessions.inbox import Arrival, Incoming
from app.sessions.library import Library
from app.sessions.pace import Pace
from app.sessions.pictures import Pictures
from app.sessions.session import Loaded, Session, Shown
from app.sessions.viewed import Viewed
from model.errors import Cancelled, PasswordNeeded
from model.types import CancelledCallback, EncodedDocument, Progress, ProgressCallback
from model.vision.page_inputs import ViewMode, views_for


class Reading:
    """Reads the files of a session's inbox, one after the other, in a thread of the session's own."""

    def __init__(self, *, reader: DocumentReader, choice: CheckpointChoice, library: Library) -> None:
        self._reader = reader
        self._choice = choice
        self._library = library
        self._speeds: dict[
            str, float
        ] = {}  # stage -> units a second, as last measured: a first guess for the next file

    def receive(self, session: Session, *files: Incoming) -> None:
        """Take files in. A file that the session already has is not read again, unless other pages are wanted."""
        for incoming in files:
            key = hashlib.sha256(incoming.data).hexdigest()
            if session.has(key) and session.document(key).range == incoming.pages:
                session.tick(key, True)
                session.tell(f"{incoming.name} is already here: it was read before and is not read again.")
            else:
                session.inbox.receive(incoming)

    def start(self, session: Session) -> None:
        """Have everything read that has arrived."""
        session.work_off("reading", lambda cancelled: self._next(session, cancelled))

    def again(self, session: Session, key: str) -> None:
        """Have a document read once more, by another checkpoint than before."""
        session.inbox.receive(Incoming(name=session.document(key).name, data=b"", again=key))
        self.start(session)

    def _next(self, session: Session, cancelled: CancelledCallback) -> bool:
        """Read one file, if one waits."""
        incoming = session.inbox.next()
        if incoming is None:
            return False
        try:
            self._library.keep(session, self._load(session, incoming, cancelled))
        except PasswordNeeded as error:
            session.inbox.lock_away(incoming, str(error))
        except Cancelled:
            session.tell(f"{incoming.name} was not read: you cancelled it.")
        except Exception as error:
            session.tell(in_words(error))
        finally:
            session.inbox.progress(None)
        return True

    def _load(self, session: Session, incoming: Incoming, cancelled: CancelledCallback) -> Loaded:
        report = self._reporter(session)
        if incoming.again:
            before = session.document(incoming.again)
            return replace(before, encoded=self._encode(session, incoming, before, report, cancelled))
        if incoming.name.lower().endswith(keeping.SUFFIX):
            viewed, encoded = keeping.restore(incoming.data, incoming.name)
            return Loaded(document=viewed.document, pictures=viewed.pictures, encoded=encoded, file_bytes=0)
        viewed = self._open(incoming, report, cancelled)
        try:
            encoded = self._encode(session, incoming, viewed, report, cancelled)
        except BaseException:
            viewed.pictures.close()
            raise
        return Loaded(
            document=encoded.document,
            pictures=viewed.pictures,
            picture=viewed.picture,
            encoded=encoded,
            file_bytes=len(incoming.data),
            range=incoming.pages,
        )

    def _open(self, incoming: Incoming, report: ProgressCallback, cancelled: CancelledCallback) -> Viewed:
        read = self._reader.read(
            incoming.data,
            name=incoming.name,
            password=incoming.password,
            pages=incoming.pages,
            progress=report,
            cancelled=cancelled,
        )
        return Viewed(document=read.document, pictures=Pictures(read.images), picture=read.picture)

    def _encode(
        self,
        session: Session,
        incoming: Incoming,
        viewed: Viewed,
        report: ProgressCallback,
        cancelled: CancelledCallback,
    ) -> EncodedDocument:
        """Encode a document that can be looked at meanwhile, and asked as far as it is read."""
        engine = self._choice.engine(cancelled)
        views = _views(session, engine.checkpoint.supports_vision) if viewed.picture else None
        entering = views_for(engine.checkpoint, viewed.document, views) if views else viewed.document
        tokens = engine.count_tokens(entering)
        size = engine.memory_bytes(tokens)
        self._library.check_room(incoming.name, size + len(incoming.data))
        session.inbox.progress(Arrival(name=incoming.name, viewed=viewed, tokens=tokens, bytes=size))
        report(Progress(stage="encoding", done=0, total=tokens, unit="tokens"))
        session.show(Shown(key=viewed.key, page=viewed.document.pages[0].number))

        def chunk_read(piece: EncodedDocument) -> None:
            if arrival := session.inbox.arrival:
                session.inbox.progress(replace(arrival, pieces=(*arrival.pieces, piece)))

        with self._choice.turns.reading(cancelled) as go_first:
            return engine.encode(
                viewed.document,
                views=views,
                picture=viewed.picture,
                progress=report,
                cancelled=go_first,
                chunk_read=chunk_read,
            )

    def _reporter(self, session: Session) -> ProgressCallback:
        """Notes in the session how far the file is that is being read."""
        pace = Pace(self._speeds)

        def report(progress: Progress) -> None:
            if arrival := session.inbox.arrival:
                session.inbox.progress(replace(arrival, estimate=pace.estimate(progress)))

        return report


def _views(session: Session, supports_vision: bool) -> ViewMode:
    """What the person chose, which may have been for another checkpoint."""
    return session.views if supports_vision else "auto"
