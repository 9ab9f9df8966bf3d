"""A session as the person sees it. It changes nothing."""

from dataclasses import replace

from app.page import panels
from app.page.checkpoint_choice import CheckpointChoice
from app.page.panels.pages import Traces
from app.page.sample import Sample
from app.page.update import Update
from app.sessions.session import Session
from model.errors import DocumentError


class Screen:
    """Draws sessions."""

    def __init__(self, *, choice: CheckpointChoice, sample: Sample, capacity_bytes: int) -> None:
        self._choice = choice
        self._capacity_bytes = capacity_bytes
        self._sample = sample

    def everything(self, session: Session) -> Update:
        """All panels, in the session's language. Whoever watches a session sends on what has changed."""
        say = session.language
        drawn = self._drawn(session)
        controls = self.controls(session)
        return replace(
            drawn,
            locked=controls.locked,
            busy=controls.busy,
            table_busy=controls.table_busy,
            documents=say.html(drawn.documents or ""),
            reading=say.html(drawn.reading or ""),
            messages=say.html(drawn.messages or ""),
            pages=say.html(drawn.pages or ""),
            conversation=say.html(drawn.conversation or ""),
            problem=say.text(drawn.problem or ""),
            table=say.html(drawn.table or ""),
            table_problem=say.text(drawn.table_problem or ""),
            overview=say.html(drawn.overview or ""),
            hits=say.html(drawn.hits or ""),
            inside_problem=say.text(drawn.inside_problem or ""),
            page_text=say.html(drawn.page_text or ""),
        )

    def controls(self, session: Session) -> Update:
        """Which controls are shown, and no panel."""
        return Update(
            locked=session.language.text(next(iter(session.inbox.locked), "")),
            busy=session.conversation.answering,
            table_busy=session.table.answering,
        )

    def _drawn(self, session: Session) -> Update:
        shown = session.shown.key if session.shown else ""
        return Update(
            documents=panels.documents(session.documents, session.ticked, shown, fingerprint=self._choice.fingerprint),
            reading=self._reading(session),
            messages=panels.messages(session.messages),
            pages=self._pages(session),
            conversation=self._conversation(session),
            problem=session.problem,
            table=panels.table(session.table),
            table_problem=session.table.problem,
            overview=self._overview(session),
            hits=panels.hits(session.overview.hits),
            inside_problem=session.overview.problem,
            page_text=self._page_text(session),
        )

    def _overview(self, session: Session) -> str:
        overview = session.overview
        if overview.overview is None or not session.has(overview.key):
            return ""
        return panels.overview(
            session.document(overview.key), overview.overview, overview.questions, trying=overview.trying
        )

    def _page_text(self, session: Session) -> str:
        shown = session.shown
        if shown is None or not session.has(shown.key):
            return panels.nothing_inside()
        return panels.page_text(session.document(shown.key), shown.page)

    def _reading(self, session: Session) -> str:
        arrival = session.inbox.arrival
        if arrival is None:
            return panels.waiting_to_read(session.inbox.waiting)
        return panels.reading(
            arrival,
            stopping=session.stopping("reading"),
            model_loads=self._model_loads,
            capacity_bytes=self._capacity_bytes,
        )

    def _pages(self, session: Session) -> str:
        shown = session.shown
        viewed = session.viewed(shown.key) if shown else None
        if shown is None or viewed is None:
            return panels.empty_pages()
        try:
            return panels.pages(viewed, shown.page, _traces(session, viewed.key))
        except DocumentError as error:
            return panels.problem(str(error))

    def _conversation(self, session: Session) -> str:
        suggestions = self._sample.questions if any(one.key == self._sample.key for one in session.ticked) else ()
        exchanges = session.conversation.exchanges
        return panels.conversation(exchanges, suggestions, waiting_for=self._waiting_for(session))

    @property
    def _model_loads(self) -> bool:
        return self._choice.state.phase == "loading"

    def _waiting_for(self, session: Session) -> str:
        if self._model_loads:
            return "Waiting for the model to load …"
        if (arrival := session.inbox.arrival) and not arrival.pieces:
            return "Waiting until the first pages are read …"
        return "Answering …"


def _traces(session: Session, key: str) -> Traces:
    """What the chosen exchange left in this document."""
    shown = session.shown
    if shown and shown.places:
        return Traces(evidence=shown.places)
    exchange = session.conversation.exchange(shown.exchange if shown else None)
    if exchange is None or key not in exchange.sources:
        return Traces()
    index = exchange.sources.index(key)
    return Traces(
        exchange=exchange.number,
        evidence=tuple(place for place in exchange.answer.evidence if place.document_index == index),
        attention=tuple(one for one in exchange.answer.attention if one.document_index == index),
    )
