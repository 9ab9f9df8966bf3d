"""What a document opens with, and questions about it: the model tries them before they are offered."""

from collections.abc import Iterator, Sequence

from app.faults import log_fault
from app.page.sample import Sample
from app.serving.provider import EngineProvider
from app.sessions.conversation import Exchange
from app.sessions.jobs import Job
from app.sessions.overview import Opening
from app.sessions.session import Session
from app.sessions.viewed import Loaded
from model.errors import ReadonceError
from model.types import Answer, GenerationOptions

OFFERED = 3
NEWEST = 3  # documents that questions are tried for, where many are dropped at once
LEAST_PROBABILITY = 0.6  # of the answer's words: less, and the question is not offered
SHORT = GenerationOptions(max_new_tokens=32)


class Overviews:
    """Says what a new document is about, and tries which questions to offer for it."""

    def __init__(self, *, provider: EngineProvider, sample: Sample) -> None:
        """The sample comes with questions of its own, which need not be tried."""
        self._provider = provider
        self._sample = sample

    def open(self, session: Session, loaded: Loaded) -> None:
        """Show what this document is, and find questions that it answers."""
        from app.overview.overview import overview  # imports torch, which the page does not wait for

        offered = self._sample.questions[:OFFERED] if loaded.key == self._sample.key else ()
        opening = Opening(
            key=loaded.key,
            overview=overview(loaded.document),
            after=_follows(session.conversation.exchanges, loaded.key),
            questions=offered,
            trying=not offered,
        )
        session.overview.open(opening)
        if opening.trying:
            session.jobs.start("overview", lambda job: self._try(session, job))

    def _try(self, session: Session, job: Job) -> bool:
        """Find the questions that one document answers; whether there was one to find them for."""
        opening = next((one for one in session.overview.openings[::-1] if one.trying), None)
        if opening is None:
            return False
        questions: tuple[str, ...] = ()
        try:
            job.wait_until(lambda: not session.inbox.busy, otherwise="Stopped while documents were being read.")
            if opening in session.overview.openings[-NEWEST:]:
                questions = tuple(self._answerable(session, session.document(opening.key), job))
        except ReadonceError:  # stopped, or forgotten meanwhile: then nothing is offered
            pass
        except Exception as error:
            log_fault(error)
        finally:
            session.overview.tried(opening.key, questions)
        return True

    def _answerable(self, session: Session, loaded: Loaded, job: Job) -> Iterator[str]:
        """One question after the other, so that a person's own comes between, and no more than are needed."""
        from app.overview.questions import possible_questions

        found = 0
        engine = self._provider.engine(job)
        for question in possible_questions(loaded.document):
            if found == OFFERED or session.inbox.busy:  # what is being read goes before what may be asked
                return
            with self._provider.scheduler.trying(job):
                *_, answer = engine.answer([loaded.encoded], question, options=SHORT, cancelled=job.cancelled)
            if _is_good(answer):
                found += 1
                yield question


def _follows(exchanges: Sequence[Exchange], key: str) -> int:
    """The number of the exchange that a document's opening follows, or 0.

    What was asked already, in a conversation of the library that goes on, stands before its first question, so that
    the newest answer stays the last.
    """
    asked = next((one.number for one in exchanges if key in one.sources), None)
    return asked - 1 if asked is not None else max((one.number for one in exchanges), default=0)


def _is_good(answer: Answer) -> bool:
    """Found in the document word for word, and the model is fairly sure of it."""
    found = bool(answer.evidence) and answer.evidence[0].verbatim
    sure = answer.probability >= LEAST_PROBABILITY and not answer.doubtful
    return answer.stop_reason == "end" and found and sure
