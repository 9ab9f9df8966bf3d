"""The page as it looks: everything can be read, in light and dark, and fits a phone and a wide screen; copying.

In French, whose words are long, and with a file whose name is. A tiny checkpoint answers, at random.
"""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from tests.helpers.browser import SLOW, WITH_A_TINY_CHECKPOINT, a_visit
from tests.helpers.looks import HARD_TO_READ, STICKS_OUT, catalogue, nothing_is_english, speaks
from tests.helpers.stand_ins import pdf

PHONE, SCREEN = {"width": 390, "height": 844}, {"width": 1400, "height": 900}
LONG_NAME = "Minutes of the council of the harbour library and of all its committees (final, adopted).pdf"
LETTER = pdf("Invoice 2024-118\nCustomer: Clara Jensen", "Payment is due within thirty days.")

pytestmark = WITH_A_TINY_CHECKPOINT


def looks_right(page: Page) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        expect(page.locator("body")).to_have_class("dark" if scheme == "dark" else "")
        assert page.evaluate(HARD_TO_READ) == [], scheme
    assert page.evaluate(STICKS_OUT) == []


def test_all_can_be_read_and_fits_and_an_answer_is_copied(tiny_address: str, browser: Browser) -> None:
    clipboard = ["clipboard-read", "clipboard-write"]
    with a_visit(browser, tiny_address, locale="fr-FR", viewport=PHONE, permissions=clipboard) as visit:
        page = visit.page
        said = catalogue("fr")
        looks_right(page)
        speaks(visit, said)
        looks_right(page)
        visit.drop((LONG_NAME, LETTER), ("note.txt", b"The lamp is lit."))
        expect(page.locator("li.document")).to_have_count(2, timeout=SLOW)
        in_order = [page.locator(part).bounding_box() for part in ("#documents-panel", "#question", "#drop")]
        tops = [place["y"] for place in in_order if place]
        assert len(tops) == 3 and tops == sorted(tops)  # what is in use, the chat, and where more comes from
        tabs = [tab.bounding_box() for tab in page.get_by_role("tab").all()]
        assert len(tabs) == 4 and all(tab and tab["x"] + tab["width"] <= PHONE["width"] for tab in tabs)
        page.locator("#settings > button").click()
        page.locator("#settings input[type=number]").first.fill("8")
        page.locator("#question textarea").fill("Who?")
        page.locator("#ask").click()
        expect(page.locator(".exchange.done .receipt")).to_be_visible(timeout=SLOW)

        page.locator("[data-copy]").click()
        expect(page.locator("[data-copy]")).to_have_text("Copié")
        assert page.evaluate("navigator.clipboard.readText()") == page.locator(".answer").inner_text()

        for tab in page.get_by_role("tab").all()[::-1]:
            tab.click()
            expect(tab).to_have_attribute("aria-selected", "true")
            looks_right(page)
            nothing_is_english(page, said)
        page.set_viewport_size(SCREEN)
        looks_right(page)
