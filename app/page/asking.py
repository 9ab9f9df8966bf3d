"""From a question to its answer and receipt."""

from collections.abc import Iterator
from dataclasses import replace

from app.page.checkpoint_choice import CheckpointChoice
from app.page.faults import in_words
from app.receipts import receipt
from app.sessions.library import Library
from app.sessions.session import Exchange, Session
from model.errors import Cancelled, QuestionError
from model.questions import checked_question
from model.types import CancelledCallback


class Asking:
    """Poses questions in a session and answers them from the ticked documents."""

    def __init__(self, *, choice: CheckpointChoice, library: Library) -> None:
        self._choice = choice
        self._library = library

    def pose(self, session: Session, text: str) -> None:
        """Note a question; `run` answers it. It may wait for a document that is still being read."""
        question = checked_question(text)
        self._check_ready(session)
        session.pose(question)

    def again(self, session: Session) -> None:
        """Pose the last question once more, in place of the answer that it got."""
        self._check_ready(session)
        if session.exchanges:
            session.pose(session.take_back())

    def _check_ready(self, session: Session) -> None:
        if session.answering:
            raise QuestionError("The last question is still being answered. Wait for the answer, or stop it.")
        if not session.ticked and not session.reading:
            raise QuestionError(
                "No document is ticked. Tick one of those on the left."
                if session.documents
                else "There is no document to ask about yet. Drop one, or take the sample."
            )

    def run(self, session: Session) -> Iterator[Exchange]:
        """Answer the question that waits, if one does. Each exchange is a complete snapshot; it is in the session."""
        posed = session.waiting
        if posed is None:
            return
        exchange = posed
        with session.working("answering") as cancelled:
            try:
                for exchange in self._answers(session, posed, cancelled):
                    session.update(exchange)
                    yield exchange
            except Cancelled:
                exchange = replace(exchange, status="failed", problem="Stopped before the answer began.")
            except Exception as error:
                exchange = replace(exchange, status="failed", problem=in_words(error))
            finally:  # also when the person has left in the middle
                if exchange.status != "failed" and not exchange.answer.finished:
                    exchange = replace(exchange, status="failed", problem="The answer ended early. Ask again.")
                session.update(exchange)
        yield exchange

    def _answers(self, session: Session, exchange: Exchange, cancelled: CancelledCallback) -> Iterator[Exchange]:
        engine = self._choice.engine(cancelled)
        asked = session.ticked
        if not asked:
            raise QuestionError("No document is ticked, or none could be read. Tick or drop one, and ask again.")
        keys = tuple(loaded.key for loaded in asked)
        self._library.touch(session, *keys)
        encoded = [loaded.encoded for loaded in asked]
        for answer in engine.answer(encoded, exchange.question, cancelled=cancelled):
            yield replace(
                exchange,
                answer=answer,
                sources=keys,
                status="done" if answer.finished else "answering",
                receipt=receipt(encoded, answer) if answer.finished else "",
            )
