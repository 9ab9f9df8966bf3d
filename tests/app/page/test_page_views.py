"""Pages that the browser fetches: for who knows the session, of documents that are here, in two sizes."""

from __future__ import annotations

import pytest

from app.page.page_views import PageViews
from app.sessions.pictures import media_type
from app.web.routes import VIEWS, is_open
from model.errors import ReadonceError
from tests.helpers.stand_ins import pdf
from tests.helpers.tab import Tab


def test_a_page_is_a_picture_and_words_for_who_knows_the_session(tab: Tab) -> None:
    tab.drop(("letter.pdf", pdf("The <lamp> is lit.")))
    views, session, key = PageViews(tab.sessions), tab.session.id, tab.session.documents[0].key
    assert media_type(views.picture(session, key, 1, 1_100)).startswith("image/")
    assert "&lt;lamp&gt; </span>" in views.words(session, key, 1)
    wrong = (("x" * 32, key, 1, 1_100), (session, "0" * 64, 1, 1_100), (session, key, 2, 1_100), (session, key, 1, 999))
    with pytest.raises(ReadonceError):
        views.words(session, key, 1, "somebody else")
    for asked in wrong:
        with pytest.raises(ReadonceError):
            views.picture(*asked)


def test_their_addresses_are_open_and_nothing_beside_them() -> None:
    page = f"{VIEWS}/{'s' * 32}/{'a' * 64}/3"
    assert is_open("GET", f"{page}/words") and is_open("GET", f"{page}/1100")
    for address in (page, f"{page}/../words", f"{page}/1100/x", f"{VIEWS}/s/{'a' * 64}/3/words"):
        assert not is_open("GET", address)
    assert not is_open("POST", f"{page}/words")
