"""A document at a glance, and questions about it: the model tries them before they are offered."""

from app.faults import in_words
from app.overview.overview import overview, possible_questions
from app.serving.provider import EngineProvider
from app.sessions.jobs import Job
from app.sessions.session import Loaded, Session
from model.errors import Cancelled
from model.types import Answer, GenerationOptions

OFFERED = 4
LEAST_PROBABILITY = 0.6  # of the answer's words: less, and the question is not offered
SHORT = GenerationOptions(max_new_tokens=32)


class Overviews:
    def __init__(self, *, provider: EngineProvider) -> None:
        self._provider = provider

    def look(self, session: Session, key: str) -> None:
        loaded = session.document(key)
        session.overview.look(key, overview(loaded.document))
        session.jobs.start("overview", lambda job: self._try(session, loaded, job))

    def _try(self, session: Session, loaded: Loaded, job: Job) -> bool:
        try:
            session.overview.tried(loaded.key, self._answerable(loaded, job))
        except Cancelled:
            session.overview.tried(loaded.key, ())
        except Exception as error:
            session.overview.tried(loaded.key, ())
            session.overview.refuse(in_words(error))
        return False

    def _answerable(self, loaded: Loaded, job: Job) -> tuple[str, ...]:
        candidates = possible_questions(loaded.document)
        if not candidates:
            return ()
        engine = self._provider.engine(job)
        with self._provider.scheduler.answering(job, len(candidates)):
            *_, answers = engine.answer_batch(loaded.encoded, candidates, options=SHORT, cancelled=job.cancelled)
        good = [answer for answer in answers if _is_good(answer)]
        return tuple(answer.question for answer in sorted(good, key=lambda one: -one.probability)[:OFFERED])


def _is_good(answer: Answer) -> bool:
    """Found in the document word for word, and the model is fairly sure of it."""
    found = bool(answer.evidence) and answer.evidence[0].verbatim
    return answer.stop_reason == "end" and found and answer.probability >= LEAST_PROBABILITY
