"""What `/v1` does: it reads files into a session of the person's own, and answers from them or from the library."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.api.openai.requests import FILE_ID, ChatQuestion, InlineFile
from app.api.openai.shapes import ApiFile, Completion, documents_of
from app.library.values import Scope, StoredDocument
from app.page.export import SUFFIX
from app.page.reading import Reading
from app.page.stored import Storage
from app.schemas import AnswersObject, answers_object, stored_answers_object
from app.serving.provider import EngineProvider
from app.sessions.inbox import Incoming
from app.sessions.jobs import Job
from app.sessions.session import Session
from app.sessions.session_store import SessionStore
from model.errors import DocumentError, QuestionError, ReadonceError
from model.types import EncodedDocument, Turn

if TYPE_CHECKING:  # it imports torch, which the page does not wait for
    from app.library.library import Library

MOST_AT_ONCE = 32  # requests of one person that wait or are being worked on


class ApiError(ReadonceError):
    """A request that OpenAI's clients know by its status and code."""

    def __init__(self, template: str, /, *, status: int, code: str, **values: object) -> None:
        super().__init__(template, **values)
        self.status = status
        self.code = code


class Service:
    """Safe to use from several threads. `person` is empty where there are no users."""

    def __init__(
        self,
        *,
        provider: EngineProvider,
        sessions: SessionStore,
        reading: Reading,
        storage: Storage,
        linger_seconds: float,
    ) -> None:
        self._provider = provider
        self._sessions = sessions
        self._reading = reading
        self._storage = storage
        self._linger_seconds = linger_seconds

    @property
    def model(self) -> str:
        """The name of the checkpoint, as the one model that there is."""
        return self._provider.state.name.rstrip("/\\").replace("\\", "/").rpartition("/")[2]

    def check_model(self, name: str) -> None:
        """Raises ApiError for any other model than the one that there is."""
        if name != self.model:
            raise ApiError(
                "There is no model {name!r} here: ask for {model!r}.",
                name=name[:80],
                model=self.model,
                status=404,
                code="model_not_found",
            )

    @contextmanager
    def working(self, person: str) -> Iterator[tuple[Session, Job]]:
        """The person's session, and work in it. Raises ReadonceError for too much at once."""
        session = self._session(person)
        if (count := session.jobs.count("program")) >= MOST_AT_ONCE:
            raise ReadonceError(
                "{count} requests of yours wait already, which is the limit. Wait for one to end.", count=count
            )
        with session.jobs.running("program") as job:
            yield session, job

    # Files

    def add(self, session: Session, job: Job, incoming: Incoming) -> ApiFile:
        """Read a file, once, and keep it: in the library where there is one."""
        if incoming.name.lower().endswith(SUFFIX):
            raise DocumentError(
                "{name} is an encoding, not a document: drop it on the page instead.", name=incoming.name
            )
        loaded = self._reading.read(session, incoming, job)
        return self.file(session, loaded.key)

    def files(self, person: str) -> list[ApiFile]:
        session = self._session(person)
        library = self._storage.of(session).library
        keys = [one.key for one in session.documents]
        stored = [] if library is None else [one.sha256 for one in library.documents()]
        return [self.file(session, key) for key in dict.fromkeys([*stored, *keys])]

    def file_of(self, person: str, key: str) -> ApiFile:
        return self.file(self._session(person), key)

    def file(self, session: Session, key: str) -> ApiFile:
        """Raises ApiError where it is not there, or is another person's: nobody is told which."""
        if found := self._stored(session, key):
            library, stored = found
            size = library.original(stored).stat().st_size
            return ApiFile(key=key, name=stored.name, size=size, created=int(stored.added))
        if not session.has(key):
            raise no_such_file(key)
        loaded, now = session.document(key), int(time.time())
        expires = now + int(self._linger_seconds)
        return ApiFile(key=key, name=loaded.name, size=loaded.file_bytes, created=now, expires=expires)

    def content(self, person: str, key: str) -> tuple[str, bytes]:
        """The name and the bytes of a file in the library; one in memory is no more than what was read of it."""
        session = self._session(person)
        file = self.file(session, key)
        if (found := self._stored(session, key)) is None:
            raise ApiError(
                "{name} was read and not kept: its bytes are gone.", name=file.name, status=404, code="not_kept"
            )
        library, stored = found
        return file.name, library.original(stored).read_bytes()

    def forget(self, person: str, key: str) -> None:
        """Delete a file; in the library it can be had back for ten seconds, as on the page."""
        session = self._session(person)
        self.file(session, key)
        if found := self._stored(session, key):
            library, stored = found
            library.remove([stored.id])
        self._sessions.forget(session, key)

    def _stored(self, session: Session, key: str) -> "tuple[Library, StoredDocument] | None":
        """The library that has the file, and what it has of it."""
        library = self._storage.of(session).library
        stored = None if library is None else library.with_file(key)
        return None if library is None or stored is None else (library, stored)

    # Questions

    def answers(self, session: Session, job: Job, asked: ChatQuestion) -> Iterator[Completion]:
        """The one finished answer, of the files that were sent; without any, of everything in the library."""
        library = self._storage.of(session).library
        if asked.files:
            yield from self._answer_files(session, job, asked)
        elif library is not None:
            yield from self._answer_library(job, asked, library)
        else:
            raise QuestionError(
                "There is no file to ask. Send one in the message, or its id; without a library a question goes to"
                " nothing else."
            )

    def _answer_files(self, session: Session, job: Job, asked: ChatQuestion) -> Iterator[Completion]:
        keys = [self._opened(session, job, file) for file in asked.files]
        with self._sessions.using(session, *keys):
            encoded = [session.document(key).encoded for key in keys]
            answers = answers_object(encoded, [])
            yield from self._answered(job, asked, self._history(job, asked), encoded, keys, answers)

    def _answer_library(self, job: Job, asked: ChatQuestion, library: "Library") -> Iterator[Completion]:
        from app.library.excerpts import find_excerpts  # imports torch, which the page does not wait for

        engine = self._provider.engine(job)
        history = self._history(job, asked)
        found = find_excerpts(
            library,
            asked.question,
            Scope(),
            engine=engine,
            precision=self._storage.precision,
            history=history,
        )
        keys = [one.sha256 for one in found.documents]
        documents = stored_answers_object(found.documents, [])
        yield from self._answered(job, asked, history, found.encodings, keys, documents)

    def _history(self, job: Job, asked: ChatQuestion) -> Sequence[Turn]:
        """The turns that the question refers to."""
        return asked.history if self._provider.engine(job).refers_back(asked.question) else ()

    def _answered(
        self,
        job: Job,
        asked: ChatQuestion,
        history: Sequence[Turn],
        encoded: Sequence[EncodedDocument],
        keys: Sequence[str],
        documents: AnswersObject,
    ) -> Iterator[Completion]:
        engine = self._provider.engine(job)
        with self._provider.scheduler.answering(job):
            *_, answer = engine.answer(
                encoded, asked.question, history=history, options=asked.options, cancelled=job.cancelled
            )
        yield Completion(answer=answer, keys=keys, model=self.model, documents=documents_of(documents, answer))

    def _opened(self, session: Session, job: Job, file: str | InlineFile) -> str:
        """The key of a file that is in the session afterwards. What came with the request is not kept for good."""
        if isinstance(file, InlineFile):
            key = hashlib.sha256(file.data).hexdigest()
            if not session.has(key):
                incoming = Incoming(name=file.name, data=file.data, sha256=key, transient=True)
                key = self._reading.read(session, incoming, job).key
            return key
        if not session.has(file):
            stored = self._storage.of(session).with_file(file)
            if stored is None:
                raise no_such_file(file)
            self._reading.read(session, Incoming(name=stored.name, data=b"", stored=stored.id), job)
        return file

    def _session(self, person: str) -> Session:
        return self._sessions.enter(f"v1 {person}", person=person)


def no_such_file(key: str) -> ApiError:
    message = f"There is no file {FILE_ID}{key[:64]}: it was deleted, has expired, or was never here."
    return ApiError(message, status=404, code="file_not_found")
