"""A scan at the page: it is seen, asked and kept as far as it is read, while its later pages are still recognised."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.helpers.browser import IN_A_BROWSER, SLOW, Visit
from tests.helpers.documents import scanned
from tests.helpers.stand_ins import pdf

pytestmark = IN_A_BROWSER

PAGES = 12
QUIET = "\n".join(["The harbour is quiet at night, and the boats lie side by side at the quay."] * 8)
SCAN = scanned(
    pdf(
        "Harbour Lights Ltd\nThe keeper of the lighthouse is Marta Lind.\n" + QUIET,
        *[QUIET] * (PAGES - 2),
        "The ferry to Sandoy leaves at nine.\n" + QUIET,
    )
)


def begun(visit: Visit) -> Page:
    """A scan is dropped, and its first pages can be asked."""
    page = visit.page
    visit.drop(("scan.pdf", SCAN))
    expect(page.locator(".sheet img").first).to_have_js_property("naturalWidth", 1_100, timeout=SLOW)
    expect(page.locator(".meter")).to_have_text(
        re.compile(rf"^{PAGES} pages · \d+ read · you can ask already$"), timeout=SLOW
    )
    return page


def test_a_scan_is_asked_while_it_is_recognised_and_again_when_it_is_read(visit: Visit) -> None:
    page = begun(visit)
    sheets = page.locator(".sheet")
    first, count = page.locator(".sheet img").first.element_handle(), sheets.count()
    assert 4 <= count < PAGES
    expect(sheets).not_to_have_count(count)
    assert first and first.evaluate("(picture) => picture.isConnected")  # pages that come leave it where it is
    visit.ask("When does the ferry to Sandoy leave?")
    early = page.locator(".exchange.done .note")
    expect(early).to_have_text(
        re.compile(rf"^Answered from the first \d+ pages of {PAGES} of scan.pdf\. The rest is still being read\.$"),
        timeout=SLOW,
    )
    expect(early).to_contain_text("The rest has been read since.", timeout=4 * SLOW)
    expect(sheets).to_have_count(PAGES)

    early.get_by_role("button", name="Ask again").click()
    expect(page.locator(".exchange.done .answer")).to_contain_text("nine", timeout=SLOW)
    expect(early).to_have_count(0)
    expect(page.locator(f'.sheet[data-page="{PAGES}"] .mark.found')).to_be_in_viewport()


def test_a_scan_whose_recognition_is_cancelled_is_asked_as_far_as_it_was_read(visit: Visit) -> None:
    page = begun(visit)
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".messages")).to_have_text(
        re.compile(rf"You cancelled: the first \d+ of {PAGES} pages of scan.pdf were read and can be asked\."),
        timeout=SLOW,
    )
    expect(page.locator("li.document")).to_contain_text("scan.pdf")
    visit.ask("Who is the keeper of the lighthouse?")
    expect(page.locator(".exchange.done .answer")).to_contain_text("Marta Lind", timeout=SLOW)
    expect(page.locator('.sheet[data-page="1"] .mark.found')).to_be_in_viewport()
