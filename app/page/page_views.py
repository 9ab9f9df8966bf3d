"""Pages of a session's documents as the browser fetches them: a picture, and the words that lie over it."""

from app.page import panels
from app.sessions.session_store import SessionStore
from app.sessions.viewed import Viewed
from model.errors import DocumentError

WIDTHS = (1_100, 2_200)  # pixels: as a page is usually seen, and enlarged


class PageViews:
    """Who knows a session's id may see its pages: it is as secret as a password, and no other is needed."""

    def __init__(self, sessions: SessionStore) -> None:
        self._sessions = sessions

    def picture(self, session_id: str, key: str, number: int, width: int, person: str = "") -> bytes:
        """The page as PNG, JPEG or WebP. Raises ReadonceError where this person has no such page."""
        if width not in WIDTHS:
            raise DocumentError(
                "A page is drawn {small:,} or {large:,} pixels wide, not {width:,}.",
                small=WIDTHS[0],
                large=WIDTHS[1],
                width=width,
            )
        return self._viewed(session_id, key, number, person).pictures.picture(number, width=width)

    def words(self, session_id: str, key: str, number: int, person: str = "") -> str:
        """The page's words as HTML, each where it stands, to be selected. Raises ReadonceError likewise."""
        viewed = self._viewed(session_id, key, number, person)
        return panels.page_words(next(page for page in viewed.document.pages if page.number == number))

    def _viewed(self, session_id: str, key: str, number: int, person: str) -> Viewed:
        session = self._sessions.session(session_id)
        viewed = session.viewed(key) if session.person == person else None
        if viewed is None or all(page.number != number for page in viewed.document.pages):
            raise DocumentError(
                "There is no page {number:,} of this document here any longer. Reload the page.", number=number
            )
        return viewed
