"""A document at a glance, and questions about it: the model tries them before they are offered."""

from app.overview.overview import overview, possible_questions
from app.page.checkpoint_choice import CheckpointChoice
from app.page.faults import in_words
from app.sessions.session import Loaded, Session
from model.errors import Cancelled
from model.types import Answer, CancelledCallback, GenerationOptions

OFFERED = 4
LEAST_CONFIDENCE = 0.6
SHORT = GenerationOptions(max_new_tokens=32)


class Overviews:
    def __init__(self, *, choice: CheckpointChoice) -> None:
        self._choice = choice

    def look(self, session: Session, key: str) -> None:
        loaded = session.document(key)
        session.overview.look(key, overview(loaded.document))
        session.work_off("glance", lambda cancelled: self._try(session, loaded, cancelled))

    def _try(self, session: Session, loaded: Loaded, cancelled: CancelledCallback) -> bool:
        try:
            session.overview.tried(loaded.key, self._answerable(loaded, cancelled))
        except Cancelled:
            session.overview.tried(loaded.key, ())
        except Exception as error:
            session.overview.tried(loaded.key, ())
            session.overview.refuse(in_words(error))
        return False

    def _answerable(self, loaded: Loaded, cancelled: CancelledCallback) -> tuple[str, ...]:
        candidates = possible_questions(loaded.document)
        if not candidates:
            return ()
        engine = self._choice.engine(cancelled)
        with self._choice.turns.answering(cancelled):
            *_, answers = engine.answer_batch(loaded.encoded, candidates, options=SHORT, cancelled=cancelled)
        good = [answer for answer in answers if _is_good(answer)]
        return tuple(answer.question for answer in sorted(good, key=lambda one: -one.confidence)[:OFFERED])


def _is_good(answer: Answer) -> bool:
    """Found in the document word for word, and the model is fairly sure of it."""
    found = bool(answer.evidence) and answer.evidence[0].verbatim
    return answer.stop_reason == "end" and found and answer.confidence >= LEAST_CONFIDENCE
