"""A person at the page: the real app with the embedded checkpoint, in Chromium."""

from __future__ import annotations

import contextlib
import re

from playwright.sync_api import TimeoutError as NotInTime
from playwright.sync_api import expect

from tests.helpers.browser import IN_A_BROWSER, SLOW, Visit
from tests.helpers.documents import NO_PAGES
from tests.helpers.stand_ins import pdf, picture

LETTER = pdf(
    "Invoice 2024-118\nDate: 3 March 2024\nSeller: Harbour Lights Ltd\nCustomer: Clara Jensen\nTotal: 1,084.50 pounds",
    "Payment is due within thirty days. <img src=http://evil.example/pixel.png> ![x](http://evil.example/y.png)",
)
pytestmark = IN_A_BROWSER


def test_from_a_file_to_answers_and_back_to_nothing(visit: Visit) -> None:
    page = visit.page
    visit.drop(("letter.pdf", LETTER))
    expect(page.locator("li.document")).to_contain_text("2 pages", timeout=SLOW)
    expect(page.locator(".sheet img").first).to_have_js_property("complete", True)
    expect(page.locator(".banner.ready")).to_contain_text("embedded")

    visit.ask("Who is the customer?")
    expect(page.locator(".question")).to_have_text("Who is the customer?")
    expect(page.locator(".exchange.done .receipt p")).to_have_text(
        re.compile(r"^read once: 2 pages, \d+ tokens, [\d.]+ s - this answer: [\d.]+ s, re-read: 0"), timeout=SLOW
    )
    expect(page.get_by_label("Your question")).to_have_value("")

    visit.ask("What is the total?")
    expect(page.locator(".exchange.done .receipt p")).to_have_count(2, timeout=SLOW)
    expect(page.locator(".receipt p").last).to_contain_text("re-read: 0")

    page.get_by_role("button", name="Forget letter.pdf").click()
    expect(page.locator("li.document")).to_have_count(0)
    page.locator("#documents-panel").get_by_role("button", name="Bring back").click()
    expect(page.locator("li.document")).to_have_count(1)
    page.get_by_role("button", name="Forget everything").click()
    page.get_by_role("button", name="Forget them").click()
    expect(page.locator("li.document")).to_have_count(0)
    expect(page.locator(".sheet")).to_have_count(0)


def test_stop_frees_the_engine_at_once(visit: Visit) -> None:
    """A short answer may have ended before somebody can stop it: then there is nothing to stop."""
    page = visit.page
    visit.drop(("letter.pdf", LETTER))
    expect(page.locator("li.document")).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("number input for Longest answer").fill("512")
    page.get_by_label("number input for Temperature").fill("1.5")
    visit.ask("Which harbour does the keeper of the lamp name?")
    with contextlib.suppress(NotInTime):
        page.get_by_role("button", name="Stop").click(timeout=5_000)
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible(timeout=SLOW)
    expect(page.locator(".exchange.answering, .exchange.waiting")).to_have_count(0)


def test_the_sample_is_one_click_away_and_survives_a_reload(visit: Visit) -> None:
    page = visit.page
    page.get_by_role("button", name="Try the sample document").click()
    expect(page.locator("li.document")).to_contain_text("4 pages", timeout=SLOW)
    expect(page.locator(".opening")).to_contain_text("Report · 4 pages")
    expect(page.locator(".suggestion").first).to_be_visible()

    page.get_by_role("button", name="Next page").click()
    expect(page.get_by_role("img", name="Page 2 of sample.pdf")).to_be_in_viewport()
    page.locator("figure.pages").press("ArrowRight")
    expect(page.get_by_role("img", name="Page 3 of sample.pdf")).to_be_in_viewport(ratio=0.4)

    page.reload()
    expect(page.locator("li.document")).to_contain_text("sample.pdf")
    expect(page.get_by_role("img", name="Page 3 of sample.pdf")).to_be_in_viewport(ratio=0.4)


def test_files_that_cannot_be_read_say_why(visit: Visit) -> None:
    page = visit.page
    files = {
        "empty.pdf": (b"", "0 bytes"),
        "broken.pdf": (b"%PDF-1.7\nnothing", "broken.pdf"),
        "program.exe": (b"MZ\x90\x00" + bytes(200), "Windows program"),
        "pageless.pdf": (NO_PAGES, "none of its pages can be read"),
        "huge.png": (picture(20_000), "20,000 x 20,000"),
    }
    visit.drop(*((name, data) for name, (data, _) in files.items()))
    messages = page.locator(".messages")
    for name, (_, words) in files.items():
        expect(messages).to_contain_text(name, timeout=SLOW)
        expect(messages).to_contain_text(words)
    page.get_by_role("button", name="Dismiss").click()
    expect(messages).to_have_count(0)


def test_a_file_over_the_limit_is_refused_in_words(visit: Visit) -> None:
    visit.drop(("big.pdf", b"%PDF-1.7" + bytes(3_200_000)))
    expect(visit.page.get_by_text(re.compile("exceed the maximum allowed size.*big.pdf"))).to_be_visible()


def test_an_encrypted_file_opens_with_its_password(visit: Visit) -> None:
    page = visit.page
    visit.drop(("secret.pdf", pdf("The code is 4711.", password="lamp")))
    page.get_by_label("Password").fill("dark", timeout=SLOW)
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.locator("#lock")).to_contain_text("does not open 'secret.pdf'", timeout=SLOW)
    page.get_by_label("Password").fill("lamp")
    page.get_by_label("Password").press("Enter")
    expect(page.locator("li.document")).to_contain_text("secret.pdf", timeout=SLOW)
    expect(page.locator("#lock")).to_be_hidden()


def test_a_question_that_cannot_be_asked_stays_with_its_reason(visit: Visit) -> None:
    page = visit.page
    for question, words in ((" ", "The question is empty"), ("x" * 10_000, "has 10,000 characters")):
        visit.type(question)
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.locator(".problem")).to_contain_text(words)
        page.wait_for_timeout(1_000)  # what follows a refused question changes nothing
        expect(page.locator(".problem")).to_contain_text(words)
        expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()
        expect(page.get_by_label("Your question")).to_have_value(question)
