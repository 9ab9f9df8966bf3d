"""From a question to its answer and receipt."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from app.faults import in_words
from app.library.library import Library
from app.library.values import Scope
from app.page.reading import Reading
from app.page.stored import Storage
from app.provenance import library_receipt, receipt, so_far
from app.serving.provider import EngineProvider
from app.sessions.conversation import Exchange
from app.sessions.jobs import Job
from app.sessions.session import Session, Shown
from app.sessions.session_store import SessionStore
from model.answering.questions import checked_question
from model.errors import NO_MESSAGE, Cancelled, Message, QuestionError
from model.types import EncodedDocument

PATIENCE_SECONDS = 4.0
MOST_EXCHANGES = 500


class Asking:
    """Poses questions in a session and answers them from the ticked documents."""

    def __init__(
        self,
        *,
        provider: EngineProvider,
        sessions: SessionStore,
        reading: Reading,
        storage: Storage,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """`patience_seconds`: that a question waits for a document to be read whole."""
        self._patience_seconds = patience_seconds
        self._provider = provider
        self._sessions = sessions
        self._reading = reading
        self._storage = storage

    def pose(self, session: Session, text: str) -> None:
        """Add a question to the conversation; `start` answers it, perhaps after a document that is still being read.

        Raises QuestionError where it cannot be asked.
        """
        question = checked_question(text)
        self._check_ready(session)
        if (count := len(session.conversation.exchanges)) >= MOST_EXCHANGES:
            raise QuestionError("This conversation has {n} questions, which is the limit. Begin a new one.", n=count)
        session.conversation.pose(question)
        session.unmark()

    def again(self, session: Session, number: int | None = None, text: str | None = None) -> None:
        """Pose a question once more, or another one, in place of the answer that it got.

        `number`: of its exchange; None: the last one.
        """
        question = None if text is None else checked_question(text)
        self._check_ready(session)
        last = next(reversed(session.conversation.exchanges), None)
        exchange = last if number is None else session.conversation.exchange(number)
        if exchange is not None:
            session.conversation.pose_again(exchange, question or exchange.question)
            session.unmark()

    def _check_ready(self, session: Session) -> None:
        if session.conversation.answering:
            raise QuestionError("The last question is still being answered. Wait for the answer, or stop it.")
        if not session.ticked and not session.inbox.busy and session.library_view.scope is None:
            raise QuestionError(
                "No document is ticked. Tick one of those on the left."
                if session.documents
                else "There is no document to ask about yet. Drop one, or take the sample."
            )

    def start(self, session: Session) -> None:
        """Answer the question that waits, if one does, in a thread of the session's own."""
        session.jobs.start("answering", lambda job: self._next(session, job))

    def _next(self, session: Session, job: Job) -> bool:
        """Answer one question, if one waits. The session holds each snapshot of the answer."""
        posed = session.conversation.waiting
        if posed is None:
            return False
        exchange = replace(posed, status="answering")
        session.conversation.update(exchange)
        try:
            for exchange in self._answers(session, posed, job):
                # First: who sees the answer finished sees its page, too, and it is kept.
                self._show_evidence(session, exchange)
                if not exchange.pending:
                    self._storage.of(session).save_conversation(session, exchange)
                session.conversation.update(exchange)
        except Cancelled:
            problem = Message("Stopped before the answer began.")
            session.conversation.update(replace(exchange, status="failed", problem=problem))
        except Exception as error:
            session.conversation.update(replace(exchange, status="failed", problem=in_words(error)))
        return True

    def save(self, session: Session) -> None:
        """Keep the conversation in the library, where there is one."""
        self._storage.of(session).save_conversation(session)

    def fetch(self, session: Session, key: str) -> None:
        """Bring a document of the library that is to be looked at, and is not here yet."""
        if session.viewed(key) is None and (stored := self._storage.of(session).with_file(key)):
            self._reading.open_stored(session, stored)

    def _answers(self, session: Session, exchange: Exchange, job: Job) -> Iterator[Exchange]:
        """Yield snapshots of the answer. Which documents are asked is decided when it is this question's turn."""
        library, scope = self._storage.of(session).library, session.library_view.scope
        if library is not None and scope is not None:
            yield from self._library_answers(session, exchange, job, library, scope)
            return
        with contextlib.ExitStack() as held:
            held.enter_context(self._using_ticked(session))
            engine = self._provider.engine(job)
            _wait_for_reading(session, job, self._patience_seconds)
            held.enter_context(self._using_ticked(session))  # those that were read meanwhile, too
            held.enter_context(self._provider.scheduler.answering(job))
            encoded, partial, note = _askable(session)
            keys = tuple(one.document.sha256 for one in encoded)
            before = session.conversation.turns_before(exchange.number)
            history = before if engine.refers_back(exchange.question) else ()
            for answer in engine.answer(
                encoded, exchange.question, history=history, options=session.options, cancelled=job.cancelled
            ):
                yield replace(
                    exchange,
                    answer=answer,
                    sources=keys,
                    note=note,
                    partial_source=partial,
                    status="done" if answer.finished else "answering",
                    receipt=receipt(encoded, answer) if answer.finished else NO_MESSAGE,
                )

    def _library_answers(
        self, session: Session, exchange: Exchange, job: Job, library: Library, scope: Scope
    ) -> Iterator[Exchange]:
        """Yield snapshots of the answer from the library: the question is put to the passages that are found for it."""
        from app.library.excerpts import find_excerpts  # imports torch, which the page does not wait for

        engine = self._provider.engine(job)
        before = session.conversation.turns_before(exchange.number)
        history = before if engine.refers_back(exchange.question) else ()
        found = find_excerpts(
            library,
            exchange.question,
            scope,
            engine=engine,
            precision=self._storage.precision,
            history=history,
        )
        with self._provider.scheduler.answering(job):
            for answer in engine.answer(
                found.encodings, exchange.question, history=history, options=session.options, cancelled=job.cancelled
            ):
                yield replace(
                    exchange,
                    answer=answer,
                    sources=tuple(one.sha256 for one in found.documents),
                    status="done" if answer.finished else "answering",
                    receipt=library_receipt(found.searched, found.tokens, answer) if answer.finished else NO_MESSAGE,
                )
        self._reading.index(session)

    def _show_evidence(self, session: Session, exchange: Exchange) -> None:
        """Open the page that an answer rests on first; marks of an earlier one go."""
        if exchange.status != "done" or not session.conversation.exchange(exchange.number):
            return
        session.unmark()
        if exchange.answer.evidence:
            place = exchange.answer.evidence[0]
            key = exchange.sources[place.document_index]
            session.show(Shown(key=key, page=place.page, exchange=exchange.number))
            self.fetch(session, key)

    def _using_ticked(self, session: Session) -> contextlib.AbstractContextManager[None]:
        return self._sessions.using(session, *(loaded.key for loaded in session.ticked))


def _wait_for_reading(session: Session, job: Job, patience_seconds: float) -> None:
    """A document that will soon be read is waited for; of a long one, what is read so far is enough."""

    def is_read() -> bool:
        return not session.inbox.busy

    def is_askable() -> bool:
        arrival = session.inbox.arrival
        return is_read() or bool(session.ticked or (arrival and arrival.pieces))

    stopped = "Stopped while the documents were being read."
    job.wait_until(is_read, seconds=patience_seconds, otherwise=stopped)
    job.wait_until(is_askable, otherwise=stopped)


def _askable(session: Session) -> tuple[list[EncodedDocument], str, Message]:
    """The ticked documents, and of one that is being read the chunks so far: its key, and what is to be said of it."""
    from model.encoding.file_format import join_chunks  # imports torch, which the page does not wait for

    arrival = session.inbox.arrival
    if arrival is None or not arrival.pieces:
        encoded = [loaded.encoded for loaded in session.ticked]
        partial, note = "", NO_MESSAGE
    else:
        part, partial = join_chunks(arrival.pieces), arrival.key
        encoded = [*(loaded.encoded for loaded in session.ticked if loaded.key != partial), part]
        note = so_far(part, arrival.pages)
    if not encoded:
        raise QuestionError("No document is ticked, or none could be read. Tick or drop one, and ask again.")
    return encoded, partial, note
