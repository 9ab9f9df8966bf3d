"""What happens in the viewer: scrolling, searching in place, places that are opened, the PDF that is taken along.

A session's id comes first.
"""

from pathlib import Path

import anyio
import gradio as gr

from app.overview.search import LONGEST, search
from app.page import export
from app.page.events import number_of, place_of, shown_place, text_of
from app.page.update import Update
from app.sessions.finding import Finding
from app.sessions.session import Session, Shown
from app.sessions.session_store import SessionStore
from model.errors import ReadonceError


class ViewerHandlers:
    def __init__(self, sessions: SessionStore, folder: Path) -> None:
        """`folder`: where files are made for people to take."""
        self._sessions = sessions
        self._folder = folder
        self._saving = anyio.CapacityLimiter(export.MOST_SAVED_AT_ONCE)

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

    async def save_marked(self, session_id: str, event: gr.EventData) -> Update:
        """Hand out a copy of a PDF with its answers marked. Why that cannot be is said in the session."""
        session = self._sessions.session(session_id)
        try:
            loaded = session.document(text_of(event, "document"))
            path = await anyio.to_thread.run_sync(
                export.save_marked, session, loaded, self._folder, limiter=self._saving
            )
        except ReadonceError as error:
            session.tell(error.message)
            return Update(download="")
        return export.hand_out(session, path)

    def _find(self, session: Session, finding: Finding | None) -> None:
        session.overview.finding = finding
        if finding is None or (hit := finding.hit) is None:
            session.unmark()
        else:
            session.show(Shown(key=finding.key, page=hit.page, places=(place_of(hit),)))
