"""The tab with captions: pictures that were dropped, by handlers with a tiny network and by a person in the browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from app.page.captions import Captioning
from app.serving.provider import EngineProvider
from tests.helpers.awaited import awaited
from tests.helpers.browser import IN_A_BROWSER, SLOW, Visit
from tests.helpers.documents import encoded, picture
from tests.helpers.pictures import KINDS, crossword
from tests.helpers.stand_ins import pdf
from tests.helpers.tab import Tab

ORDER = encoded(picture("Order 4711 for", "Ms Okafor"), "PNG")


def describe(tab: Tab, *tasks: str, question: str = "") -> list[str]:
    """What the panel shows, step by step."""
    provider = EngineProvider("embedded", lambda *_: tab.engine)
    provider.load()

    async def collected() -> list[str]:
        captioning = Captioning(provider, tab.sessions)
        return [shown async for shown in captioning.describe(tab.session.id, tasks, question)]

    return awaited(collected())


def test_all_ticked_pictures_are_described_and_none_is_read_again(tab: Tab) -> None:
    tab.drop(("a.png", ORDER), ("b.gif", KINDS["palette.gif"](crossword())), ("long.pdf", pdf("One.", "Two.")))
    before = tab.engine.encoder_tokens
    *_, last = describe(tab, "read", "caption", question="Who?")
    assert tab.engine.encoder_tokens == before
    assert last.count('<article class="captioned">') == 2
    assert "4711" in last and "text recognition" in last and 'translate="no">Who?' in last
    assert "Left out, because of several pages: long.pdf" in last


@pytest.mark.parametrize(
    ("tasks", "question", "words"),
    [
        ((), " ", "Nothing is chosen"),
        (("read",), "x" * 10_000, "10,000 characters"),
        (("read",), "", "No picture is ticked"),
    ],
)
def test_what_cannot_be_done_says_why(tab: Tab, tasks: tuple[str, ...], question: str, words: str) -> None:
    assert words in describe(tab, *tasks, question=question)[-1]


def test_only_documents_of_several_pages(tab: Tab) -> None:
    tab.drop(("long.pdf", pdf("One.", "Two.")))
    assert "have several pages: long.pdf" in describe(tab, "caption")[-1]


def test_names_and_captions_are_shown_as_text(tab: Tab) -> None:
    tab.drop(("<img src=x>.png", ORDER))
    last = describe(tab, "read", question="<b>Who?</b>")[-1]
    assert "<img src=x>" not in last and "<b>" not in last and "&lt;b&gt;Who?" in last


class TestInABrowser:
    pytestmark = IN_A_BROWSER

    def test_pictures_of_several_kinds_are_described_together(self, visit: Visit) -> None:
        page = visit.page
        kinds = ("turned.jpg", "alpha.webp", "sixteen-bit.png")
        visit.drop(*((name, KINDS[name](crossword(side=20))) for name in kinds), ("order.png", ORDER))
        expect(page.locator("li.document")).to_have_count(len(kinds) + 1, timeout=SLOW)
        page.get_by_role("tab", name="Captions").click()
        page.get_by_label("A question about each picture").fill("What is the order number?")
        page.get_by_role("button", name="Describe the ticked pictures").click()
        expect(page.get_by_role("button", name="Describe the ticked pictures")).to_be_visible(timeout=SLOW)
        articles = page.locator(".captioned")
        expect(articles).to_have_count(len(kinds) + 1, timeout=SLOW)
        for index in range(len(kinds)):
            expect(articles.nth(index)).to_contain_text(re.compile("(Probably|Perhaps) .*crossword"))
            expect(articles.nth(index)).to_contain_text("image tags")
        expect(articles.last).to_contain_text("Order 4711")
        expect(articles.last).to_contain_text("model, from the writing")
