"""Keys, phones and tools that read the page aloud."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.helpers.browser import SLOW, WITH_A_TINY_CHECKPOINT, Visit, a_visit
from tests.helpers.looks import STICKS_OUT
from tests.helpers.stand_ins import pdf

pytestmark = WITH_A_TINY_CHECKPOINT

LETTER = pdf("Invoice 2024-118\nCustomer: Clara Jensen", "Payment is due within thirty days.")
PHONE = {"width": 390, "height": 844}


NOTHING_FADES = """() => document.getAnimations()
  .every((one) => one.playState !== "running" || one.effect.getTiming().iterations === Infinity)"""


def serious(page: Page) -> list[str]:
    """What axe finds that keeps somebody from using the page, once nothing fades in or out any more."""
    page.wait_for_function(NOTHING_FADES)
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:160]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def test_axe_finds_nothing_serious_on_any_tab(tiny_visit: Visit) -> None:
    page = tiny_visit.page
    assert serious(page) == []
    tiny_visit.drop(("letter.pdf", LETTER))
    expect(page.locator("li.document")).to_be_visible(timeout=SLOW)
    tiny_visit.ask("Who?")
    expect(page.locator(".exchange.done")).to_be_visible(timeout=SLOW)
    for tab in page.get_by_role("tab").all():
        tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")
        assert serious(page) == []


def test_keys_lead_to_the_question_and_turn_pages(tiny_visit: Visit) -> None:
    page = tiny_visit.page
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Go to the question")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your question")).to_be_focused()
    page.evaluate("document.activeElement.blur()")
    tiny_visit.drop(("letter.pdf", LETTER))
    expect(page.get_by_label("Your question")).to_be_focused(timeout=SLOW)
    page.locator("figure.pages").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("img", name="Page 2 of letter.pdf")).to_be_in_viewport(ratio=0.3)
    page.keyboard.press("/")
    expect(page.get_by_label("Your question")).to_be_focused()


@pytest.mark.parametrize("questions", [1, 4])
def test_on_a_phone_the_question_box_and_the_newest_answer_are_seen(
    tiny_address: str, browser: Browser, questions: int
) -> None:
    with a_visit(browser, tiny_address, viewport=PHONE, has_touch=True) as visit:
        page = visit.page
        assert page.locator(".camera input").get_attribute("capture") == "environment"
        visit.drop(("letter.pdf", LETTER))
        expect(page.locator("li.document")).to_be_visible(timeout=SLOW)
        page.get_by_role("button", name="Settings").click()
        page.get_by_label("number input for Longest answer").fill("8")
        for number in range(1, questions + 1):
            visit.ask(f"Who wrote number {number}?")
            expect(page.locator(".exchange.done")).to_have_count(number, timeout=SLOW)
        expect(page.locator(".exchange").last.locator(".answer")).to_be_in_viewport()
        expect(page.get_by_label("Your question")).to_be_in_viewport()
        assert page.evaluate(STICKS_OUT) == []
