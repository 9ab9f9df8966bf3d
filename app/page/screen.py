"""A session as the person sees it. It changes nothing."""

from collections.abc import Callable

from app.faults import in_words
from app.page import panels
from app.page.library import LibraryScreen
from app.page.panels.pages import Traces
from app.page.stored import Storage
from app.page.update import Update
from app.provenance import before_you
from app.serving.provider import EngineProvider
from app.serving.scheduler import QueuePlace
from app.sessions.session import Session
from app.web.routes import VIEWS
from model.errors import NO_MESSAGE

MOST_REMEMBERED = 8  # documents whose headings are drawn


class Screen:
    """Draws sessions."""

    def __init__(
        self,
        *,
        provider: EngineProvider,
        capacity_bytes: int,
        storage: Storage | None = None,
        linger_minutes: float = 10.0,
    ) -> None:
        """`linger_minutes`: how long documents are there after their page is closed, where no library has them."""
        self._linger_minutes = linger_minutes
        self._provider = provider
        self._capacity_bytes = capacity_bytes
        self._storage = storage
        self._library = LibraryScreen(storage)
        self._headings: dict[tuple[str, str, str | None], str] = {}

    def everything(self, session: Session) -> Update:
        """All panels, in the session's language. Whoever watches a session sends on what has changed."""
        controls, text = self.controls(session), session.language.message
        return Update(
            locked=controls.locked,
            busy=controls.busy,
            table_busy=controls.table_busy,
            documents=_drawn(session, self._documents),
            reading=_drawn(session, self._reading),
            messages=_drawn(session, lambda session: panels.messages(session.messages, session.language)),
            pages=_drawn(session, self._pages),
            viewer=_drawn(session, self._viewer),
            library=_drawn(session, self._library.panel),
            conversation=_drawn(session, self._conversation),
            problem=text(session.problem),
            table=_drawn(session, self._table),
            table_problem=text(session.table.problem),
            contents=_drawn(session, self._contents),
            hits=_drawn(session, lambda session: panels.hits(session.overview.hits)),
            overview_problem=text(session.overview.problem),
            page_text=_drawn(session, self._page_text),
        )

    def controls(self, session: Session) -> Update:
        """Which controls are shown, and no panel."""
        return Update(
            locked=session.language.message(next(iter(session.inbox.locked), NO_MESSAGE)),
            busy=session.conversation.answering,
            table_busy=session.table.answering,
        )

    def _documents(self, session: Session) -> str:
        shown = session.shown.key if session.shown else ""
        listed = panels.documents(
            session.documents,
            session.ticked,
            shown,
            fingerprint=self._provider.fingerprint,
            aside=session.aside,
            confirming=session.confirming,
            language=session.language,
        )
        has_library = self._storage is not None and self._storage.of(session).library is not None
        return listed if has_library else listed + panels.forgets(self._linger_minutes)

    def _contents(self, session: Session) -> str:
        shown = session.shown
        if shown is None or not session.has(shown.key):
            return ""
        loaded = session.document(shown.key)
        known = (loaded.key, loaded.name, loaded.range)
        if known not in self._headings:
            if len(self._headings) >= MOST_REMEMBERED:
                self._headings.clear()
            self._headings[known] = panels.contents(loaded)
        return self._headings[known]

    def _page_text(self, session: Session) -> str:
        shown = session.shown
        if shown is None or not session.has(shown.key):
            return panels.no_contents()
        return panels.page_text(session.document(shown.key), shown.page)

    def _reading(self, session: Session) -> str:
        arrival, waiting = session.inbox.arrival, panels.waiting_to_read(session.inbox.waiting)
        if arrival is None:
            return waiting
        bar = panels.reading(
            arrival,
            stopping=session.jobs.is_stopping("reading"),
            model_loads=self._model_loads,
            capacity_bytes=self._capacity_bytes,
            place=_shown(self._provider.scheduler.place_of_reading(session.client)) if arrival.tokens else "",
        )
        return bar + waiting

    def _table(self, session: Session) -> str:
        return panels.table(session.table, _shown(self._provider.scheduler.place_of_question(session.client)))

    def _pages(self, session: Session) -> str:
        shown = session.shown
        viewed = session.viewed(shown.key) if shown else None
        if shown is None or viewed is None:
            return panels.empty_pages()
        return panels.sheets(viewed, f"{VIEWS}/{session.id}/{viewed.key}/")

    def _viewer(self, session: Session) -> str:
        shown = session.shown
        viewed = session.viewed(shown.key) if shown else None
        if shown is None or viewed is None:
            return ""
        finding = session.overview.finding
        return panels.viewer(
            viewed,
            shown.page,
            _traces(session, viewed.key),
            visit=session.visits,
            finding=finding if finding and finding.key == viewed.key else None,
        )

    def _conversation(self, session: Session) -> str:
        exchanges, ticked = session.conversation.exchanges, {one.key: one for one in session.ticked}
        openings = [
            panels.Opened(viewed=ticked[one.key], opening=one) for one in session.overview.openings if one.key in ticked
        ]
        return panels.conversation(
            exchanges,
            openings,
            waiting_for=self._waiting_for(session),
            undoable=session.conversation.aside,
            is_here=lambda key: session.viewed(key) is not None or self._library.has(session, key),
            rest_of=session.rest_of,
            language=session.language,
        )

    @property
    def _model_loads(self) -> bool:
        return self._provider.state.phase == "loading"

    def _waiting_for(self, session: Session) -> str:
        if self._model_loads:
            return "Waiting for the model to load …"
        if (arrival := session.inbox.arrival) and not arrival.pieces:
            return "Waiting until the first pages are read …"
        place = self._provider.scheduler.place_of_question(session.client)
        return f"Waiting: {_shown(place)} …" if place else "Answering …"


def _shown(place: QueuePlace | None) -> str:
    return before_you(place.before, place.seconds) if place else ""


def _drawn(session: Session, draw: Callable[[Session], str]) -> str:
    """A panel in the session's language. One that cannot be drawn says so, and the others stand: a session that could
    not be drawn at all could not be mended either, not even by a reload.
    """
    try:
        return session.language.html(draw(session))
    except Exception as error:
        return panels.problem(session.language.message(in_words(error)))


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
