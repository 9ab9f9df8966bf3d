"""A session as the person sees it: which panels there are to redraw after what."""

from dataclasses import replace

from app.page import panels
from app.page.background import Estimate
from app.page.checkpoint_choice import CheckpointChoice
from app.page.sample import Sample
from app.page.update import Update
from app.sessions.session import Incoming, Loaded, Session
from model.errors import DocumentError
from model.types import Evidence


class Screen:
    """Draws sessions. It changes nothing."""

    def __init__(self, *, choice: CheckpointChoice, sample: Sample) -> None:
        self._choice = choice
        self._sample = sample

    def everything(self, session: Session) -> Update:
        """All of it: for a tab that has just opened, or a session that was emptied."""
        return replace(self.documents(session), problem="", busy=session.answering)

    def documents(self, session: Session) -> Update:
        """After documents came or went."""
        return Update(
            documents=self.titles(session),
            reading=panels.waiting_to_read(session.arriving),
            messages=panels.messages(session.messages),
            locked=next(iter(session.locked), ""),
            pages=self.pages(session),
            conversation=self.conversation(session),
        )

    def reading(self, incoming: Incoming, estimate: Estimate) -> Update:
        read = estimate.progress.done >= estimate.progress.total
        waiting = read and self._choice.state.phase == "loading"
        return Update(reading=panels.reading(incoming.name, estimate, waiting=waiting))

    def titles(self, session: Session) -> str:
        shown = session.shown.key if session.shown else ""
        return panels.documents(session.documents, session.ticked, shown)

    def pages(self, session: Session) -> str:
        shown = session.shown
        if shown is None or not session.has(shown.key):
            return panels.empty_pages()
        loaded = session.document(shown.key)
        try:
            return panels.pages(loaded, shown.page, self._evidence(session, loaded))
        except DocumentError as error:
            return panels.problem(str(error))

    def conversation(self, session: Session) -> str:
        suggestions = self._sample.questions if any(one.key == self._sample.key for one in session.ticked) else ()
        return panels.conversation(session.exchanges, suggestions, waiting_for=self._waiting_for(session))

    def _evidence(self, session: Session, loaded: Loaded) -> list[Evidence]:
        """The evidence of the chosen exchange that lies in this document."""
        chosen = session.shown.exchange if session.shown else None
        return [
            place
            for exchange in session.exchanges
            if exchange.number == chosen
            for place in exchange.answer.evidence
            if exchange.sources[place.document_index] == loaded.key
        ]

    def _waiting_for(self, session: Session) -> str:
        if self._choice.state.phase == "loading":
            return "Waiting for the model to load …"
        if session.reading:
            return "Waiting until the documents are read …"
        return "Answering …"
