"""From a list of questions to a table of answers: over all ticked documents together, or over each by itself."""

from collections.abc import Sequence
from typing import Literal

from app.faults import in_words
from app.questions import BATCH, MOST_QUESTIONS, checked_questions
from app.serving.provider import EngineProvider
from app.sessions.jobs import Job
from app.sessions.session import Session
from app.sessions.session_store import SessionStore
from app.sessions.table import Row
from app.sessions.viewed import Loaded
from model.errors import Cancelled, QuestionError
from model.types import Answer

Way = Literal["together", "each"]


class ManyQuestions:
    """Answers a session's table, some rows at a time, so that the questions of others come between."""

    def __init__(self, *, provider: EngineProvider, sessions: SessionStore) -> None:
        self._provider = provider
        self._sessions = sessions

    def pose(self, session: Session, lines: Sequence[str], way: Way) -> None:
        """Note the rows; `start` has them answered."""
        if session.table.answering:
            raise QuestionError("The last list is still being answered. Wait for it, or stop it.")
        if not session.ticked:
            raise QuestionError("0 documents are ticked. Drop one, or tick one of those on the left.")
        questions = checked_questions(lines)
        asked = [session.ticked] if way == "together" else [(loaded,) for loaded in session.ticked]
        if (count := len(questions) * len(asked)) > MOST_QUESTIONS:
            raise QuestionError(
                "{questions} questions to each of {documents} documents are {rows:,} rows; the limit is"
                " {limit}. Ask fewer questions, or untick some documents.",
                questions=len(questions),
                documents=len(asked),
                rows=count,
                limit=MOST_QUESTIONS,
            )
        pairs = [(question, documents) for documents in asked for question in questions]
        rows = [_row(number, *pair) for number, pair in enumerate(pairs, start=1)]
        session.table.begin(rows, session.table.origin_of(questions))

    def start(self, session: Session) -> None:
        session.jobs.start("table", lambda job: self._next(session, job))

    def _next(self, session: Session, job: Job) -> bool:
        """Answer some rows, if any wait."""
        rows = session.table.next(BATCH)
        if not rows:
            if session.table.answering:
                session.table.end("stopped" if session.table.status == "stopping" else "done")
            return False
        try:
            self._answer(session, rows, job)
        except Cancelled:
            session.table.end("stopped")
        except Exception as error:
            session.table.end("failed", in_words(error))
        return True

    def _answer(self, session: Session, rows: Sequence[Row], job: Job) -> None:
        engine = self._provider.engine(job)
        with (
            self._sessions.using(session, *rows[0].sources),
            self._provider.scheduler.answering(job, len(rows)),
        ):
            encoded = [session.document(key).encoded for key in rows[0].sources]
            questions = [row.question for row in rows]
            for answers in engine.answer_batch(encoded, questions, options=session.options, cancelled=job.cancelled):
                session.table.answer(rows, answers)
        if job.cancelled():
            raise Cancelled("The list was stopped.")


def _row(number: int, question: str, documents: Sequence[Loaded]) -> Row:
    return Row(
        number=number,
        question=question,
        sources=tuple(loaded.key for loaded in documents),
        names=tuple(loaded.name for loaded in documents),
        answer=Answer(question=question),
    )
