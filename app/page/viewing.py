"""What happens in the viewer: scrolling, searching in place, places that are opened. A session's id comes first."""

import gradio as gr

from app.overview.search import LONGEST, search
from app.page.events import number_of, place_of, shown_place, text_of
from app.sessions.finding import Finding
from app.sessions.session import Session, Shown
from app.sessions.session_store import SessionStore


class ViewerHandlers:
    def __init__(self, sessions: SessionStore) -> None:
        self._sessions = sessions

    def open_place(self, session_id: str, event: gr.EventData) -> None:
        self._sessions.session(session_id).show(shown_place(event))

    def scrolled(self, session_id: str, event: gr.EventData) -> None:
        """The person has scrolled to another page, where a reload finds them again."""
        self._sessions.session(session_id).scrolled(text_of(event, "document"), number_of(event, "page") or 1)

    def seek(self, session_id: str, event: gr.EventData) -> None:
        """Find words in the document that is shown, from its page on."""
        session, words = self._sessions.session(session_id), text_of(event, "value").strip()
        shown = session.shown
        viewed = session.viewed(shown.key) if shown else None
        if shown is None or viewed is None:
            return
        hits = search([viewed.document], words[:LONGEST]).first if words else ()
        at = next((at for at, hit in enumerate(hits) if hit.page >= shown.page), 0)
        self._find(session, Finding(key=viewed.key, words=words, hits=hits, at=at) if words else None)

    def step(self, session_id: str, event: gr.EventData) -> None:
        """The next place of the words that are searched, or the one before."""
        session = self._sessions.session(session_id)
        if finding := session.overview.finding:
            self._find(session, finding.step(-1 if text_of(event, "way") == "back" else 1))

    def _find(self, session: Session, finding: Finding | None) -> None:
        session.overview.finding = finding
        if finding is None or (hit := finding.hit) is None:
            session.unmark()
        else:
            session.show(Shown(key=finding.key, page=hit.page, places=(place_of(hit),)))
