"""From a file that arrived to a document that can be asked: read, encoded, and put into its session."""

import contextlib
import hashlib
import threading
from dataclasses import replace
from functools import partial

from app.documents import DocumentReader, ReadDocument
from app.documents.formats import check_beginning
from app.faults import in_words, log_fault
from app.library.values import StoredDocument
from app.page import export
from app.page.first_pages import FirstPages, planned, views_of
from app.page.overview import Overviews
from app.page.stored import Storage
from app.provenance import pages_read
from app.serving.provider import EngineProvider
from app.sessions.inbox import Arrival, Incoming
from app.sessions.jobs import Job
from app.sessions.pace import Pace
from app.sessions.session import Session, Shown
from app.sessions.session_store import SessionStore
from app.sessions.viewed import Loaded, Viewed
from model.errors import Cancelled, DocumentError, PasswordNeeded, ReadonceError
from model.types import EncodedDocument, Progress, ProgressCallback

MOST_WAITING = 200  # files of a session


class Reading:
    """Reads the files of a session's inbox, one after the other, in a thread of the session's own."""

    def __init__(
        self,
        *,
        reader: DocumentReader,
        provider: EngineProvider,
        sessions: SessionStore,
        storage: Storage,
        overviews: Overviews,
    ) -> None:
        self._reader = reader
        self._provider = provider
        self._sessions = sessions
        self._storage = storage
        self._overviews = overviews
        self._restoring = threading.Lock()  # an encoding takes many times its size while it is checked: one at a time
        # Stage -> units a second, as last measured: a first guess for the next file.
        self._speeds: dict[str, float] = {}

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the checkpoint that reads now; empty while none does."""
        return self._provider.fingerprint

    def receive(self, session: Session, *files: Incoming) -> None:
        """Take files in. A file that the session already has is not read again, unless other pages are wanted.

        Raises DocumentError at once for a file that is no document by its first bytes.
        """
        for incoming in files:
            check_beginning(incoming.data, incoming.name)
            key = hashlib.sha256(incoming.data).hexdigest()
            session.bring_back(key)  # one that was let go a moment ago
            if session.has(key) and (known := session.document(key)).is_whole and known.range == incoming.pages:
                session.tick(key, True)
                self._provider.metrics.was_reused()
                session.tell("{name} is already here: it was read before and is not read again.", name=incoming.name)
            else:
                session.inbox.receive(replace(incoming, sha256=key))

    def check_room(self, session: Session, name: str, size_bytes: int) -> None:
        """Make room for a file before it is taken in. Raises DocumentError where too much waits to be read already."""
        if (count := session.inbox.count) >= MOST_WAITING:
            raise DocumentError(
                "{name} was not taken in: {n} files wait already, which is the limit. Drop it later.",
                name=name,
                n=count,
            )
        self._sessions.make_room(session.client, name, size_bytes)

    def start(self, session: Session) -> None:
        """Have everything read that has arrived."""
        session.jobs.start("reading", lambda job: self._next(session, job))

    def again(self, session: Session, key: str) -> None:
        """Have a document read once more, by another checkpoint than before."""
        session.inbox.receive(Incoming(name=session.document(key).name, data=b"", again=key))
        self.start(session)

    def open_stored(self, session: Session, stored: StoredDocument, *, show: bool = False) -> None:
        """Have a document of the library here, and perhaps in view; one that is here already is ticked."""
        if show:
            session.show(Shown(key=stored.sha256, page=1))
        if session.has(stored.sha256):
            session.tick(stored.sha256, True)
        else:
            session.inbox.receive(Incoming(name=stored.name, data=b"", stored=stored.id))
        self.start(session)

    def index(self, session: Session) -> None:
        """Make the vectors that documents of the library lack, behind everybody's questions."""
        if self._storage.has_library:
            session.jobs.start("indexing", lambda job: self._index(session, job))

    def _index(self, session: Session, job: Job) -> bool:
        """Make some vectors; whether there were any to make."""
        try:
            engine = self._provider.engine(job)
            with self._provider.scheduler.trying(job):
                return self._storage.of(session).index(engine)
        except Exception as error:
            if not isinstance(error, ReadonceError):  # a stop: a question makes them
                log_fault(error)
            return False

    def _next(self, session: Session, job: Job) -> bool:
        """Read one file, if one waits."""
        incoming = session.inbox.next()
        if incoming is None:
            return False
        known = {loaded.key for loaded in session.documents}
        try:
            loaded = self._read(session, incoming, job, is_watched=True)
            if loaded.key not in known:
                self._overviews.open(session, loaded)
        except PasswordNeeded as error:
            session.inbox.lock_away(incoming, error.message)
        except Cancelled:
            session.tell("{name} was not read: you cancelled it.", name=incoming.name)
        except Exception as error:
            session.tell(in_words(error))
        finally:  # not before a file is locked away: a password that has come meanwhile is tried next
            session.inbox.progress(None)
        return True

    def read(self, session: Session, incoming: Incoming, job: Job) -> Loaded:
        """Read a file, or take what the library has of it, into the session. Raises whatever goes wrong."""
        try:
            return self._read(session, incoming, job)
        finally:
            session.inbox.progress(None)

    def _read(self, session: Session, incoming: Incoming, job: Job, *, is_watched: bool = False) -> Loaded:
        """`is_watched`: whether a person looks on, to whom pages are shown as they come."""
        incoming = self._storage.of(session).complete(incoming)
        with self._sessions.using(session, incoming.again):  # what is read again stays meanwhile
            with self._sessions.reserved(session.client, incoming.name, len(incoming.data)):
                loaded = self._known(session, incoming, job)
                loaded = loaded or self._load(session, incoming, job, is_watched=is_watched)
            self._keep(session, loaded)
        self.index(session)
        return loaded

    def _keep(self, session: Session, loaded: Loaded) -> None:
        try:
            self._sessions.keep(session, loaded)
        except BaseException:
            if all(one.pictures is not loaded.pictures for one in session.documents):  # else it was read again
                loaded.pictures.close()
            raise

    def _known(self, session: Session, incoming: Incoming, job: Job) -> Loaded | None:
        """What the library has of this file; None where it must be read."""
        storage = self._storage.of(session)
        if incoming.again or not storage.has_file(incoming):
            return None
        engine = self._provider.engine(job)
        found = storage.find(session, incoming, views_of(session, engine.checkpoint.supports_vision), engine)
        if found is not None:
            self._provider.metrics.was_reused()
        return found

    def _load(self, session: Session, incoming: Incoming, job: Job, *, is_watched: bool) -> Loaded:
        pace = Pace(self._speeds)
        report = partial(_report, session, pace)
        if incoming.again:
            before = session.document(incoming.again)
            again = replace(before, encoded=self._encode(session, incoming, before, report, job), is_whole=True)
            self._storage.of(session).keep_again(session, again)
            return again
        if incoming.name.lower().endswith(export.SUFFIX):
            with self._restoring:
                return export.restore(incoming.data, incoming.name)
        first = FirstPages(session, provider=self._provider, sessions=self._sessions, pace=pace)
        with contextlib.closing(first):
            try:
                read = self._open(incoming, report, job, first if is_watched else None)
                viewed = first.complete(read)
                encoded = self._encode(session, incoming, viewed, report, job, first)
            except Cancelled:
                loaded = None if incoming.transient else _cut_short(session, incoming, first)
                if loaded is None:
                    first.forget()
                    raise
                return loaded
            except BaseException:
                first.forget()
                raise
        loaded = _loaded(incoming, viewed, encoded)
        supports_vision = self._provider.engine(job).checkpoint.supports_vision
        self._storage.of(session).keep(session, incoming, views_of(session, supports_vision), loaded)
        return loaded

    def _open(self, incoming: Incoming, report: ProgressCallback, job: Job, first: FirstPages | None) -> ReadDocument:
        return self._reader.read(
            incoming.data,
            name=incoming.name,
            caller=job.client,
            password=incoming.password,
            pages=incoming.pages,
            progress=report,
            cancelled=job.cancelled,
            so_far=first.add if first else None,
        )

    def _encode(
        self,
        session: Session,
        incoming: Incoming,
        viewed: Viewed,
        report: ProgressCallback,
        job: Job,
        first: FirstPages | None = None,
    ) -> EncodedDocument:
        """Encode a document that can be looked at meanwhile, and asked as far as it is read, or as `first` was."""
        from model.encoding.file_format import join_chunks  # imports torch, which the page does not wait for

        engine = self._provider.engine(job)
        plan = planned(engine, session, viewed)
        tokens, size = plan.token_count, plan.cache_bytes
        if first:
            first.make_room(size + viewed.viewed_bytes)
        known, last_page = (first.pieces, first.last_page) if first else ((), 0)
        session.inbox.progress(
            Arrival(
                name=incoming.name,
                viewed=viewed,
                pages=len(viewed.document.pages),
                tokens=tokens,
                bytes=size,
                pieces=known,
            )
        )
        report(Progress(stage="encoding", done=0, total=tokens, unit="tokens"))
        session.show_first(viewed)

        pieces: list[EncodedDocument] = []
        with (
            self._sessions.reserved(session.client, incoming.name, size + viewed.viewed_bytes),
            self._provider.scheduler.reading(job, tokens) as pause,
        ):
            for piece in engine.encode_chunks(
                plan, picture=viewed.picture, progress=report, cancelled=job.cancelled, pause=pause
            ):
                pieces.append(piece)
                if pages_read(piece) > last_page:
                    session.inbox.advance(pieces=tuple(pieces))
            return join_chunks(pieces)


def _report(session: Session, pace: Pace, progress: Progress) -> None:
    """Note in the session how far the file is that is being read."""
    session.inbox.advance(estimate=pace.estimate(progress))


def _cut_short(session: Session, incoming: Incoming, first: FirstPages) -> Loaded | None:
    """A document whose reading was cancelled, as far as it can be asked; None where nothing of it can."""
    first.keep()
    part, arrival = _part(session), session.inbox.arrival
    if part is None or arrival is None or first.viewed is None:
        return None
    session.tell(
        "You cancelled: the first {n:,} of {total:,} pages of {name} were read and can be asked.",
        n=pages_read(part),
        total=arrival.pages,
        name=incoming.name,
    )
    return replace(_loaded(incoming, first.viewed, part), is_whole=False)


def _part(session: Session) -> EncodedDocument | None:
    """What has been read so far of the document that is being read."""
    from model.encoding.file_format import join_chunks  # imports torch, which the page does not wait for

    arrival = session.inbox.arrival
    return join_chunks(arrival.pieces) if arrival and arrival.pieces else None


def _loaded(incoming: Incoming, viewed: Viewed, encoded: EncodedDocument) -> Loaded:
    return Loaded(
        document=encoded.document,
        pictures=viewed.pictures,
        picture=viewed.picture,
        encoded=encoded,
        file_bytes=len(incoming.data),
        range=incoming.pages,
    )
