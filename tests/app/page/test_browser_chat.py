"""A person talks with documents: evidence, chat verbs, keeping things, and asking while a document is read."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.browser import IN_A_BROWSER, SLOW, Visit
from tests.helpers.stand_ins import pdf

pytestmark = IN_A_BROWSER

INVOICE = (
    "Invoice 2024-118\nDate: 3 March 2024\nSeller: Harbour Lights Ltd\nCustomer: Clara Jensen\nTotal: 1,084.50 pounds"
)
BOOK = pdf("The museum shows ships.", "Nothing is written on this page.", INVOICE, "The end of the papers.")


@pytest.fixture
def book(visit: Visit) -> Page:
    visit.drop(("book.pdf", BOOK))
    expect(visit.page.locator("li.document")).to_contain_text("4 pages", timeout=SLOW)
    return visit.page


def ask(page: Page, question: str) -> None:
    count = page.locator(".exchange").count()
    page.get_by_label("Your question").fill(question)
    page.get_by_label("Your question").press("Enter")
    expect(page.locator(".exchange.done")).to_have_count(count + 1, timeout=SLOW)


def test_the_evidence_is_a_chip_words_on_the_page_and_a_warm_cell(book: Page) -> None:
    ask(book, "Who is the customer?")
    expect(book.locator(".answer")).to_contain_text("Clara Jensen")
    expect(book.locator(".exchange .chip").first).to_have_text("p. 3")
    expect(book.get_by_role("img", name="Page 3 of book.pdf")).to_be_in_viewport()
    expect(book.locator(".sheet .mark.found")).to_have_count(1)
    expect(book.locator(".sheet .mark.found")).to_be_in_viewport()
    cells = book.get_by_role("navigation", name="All pages").get_by_role("button")
    expect(cells).to_have_count(4)
    expect(cells.nth(2)).to_have_class("cell found current")

    cells.nth(0).click()
    expect(book.get_by_role("img", name="Page 1 of book.pdf")).to_be_in_viewport()
    expect(cells.nth(2)).to_have_class("cell found")  # the strip still shows where the answer stands
    book.locator(".exchange .chip").first.click()
    expect(book.locator(".sheet .mark.found")).to_be_in_viewport()

    book.get_by_label("Your question").fill("What is the emperor of Japan called?")
    book.get_by_label("Your question").press("Enter")
    expect(book.locator(".exchange")).to_have_count(2)
    expect(book.locator(".sheet .mark")).to_have_count(0)  # of the answer before


def test_the_last_question_is_edited_retried_taken_back_and_an_answer_liked(book: Page) -> None:
    ask(book, "Who is the customer?")
    book.get_by_role("button", name="Good answer").click()
    expect(book.get_by_role("button", name="Good answer")).to_have_attribute("aria-pressed", "true")

    book.get_by_role("button", name="Edit", exact=True).click()
    field = book.get_by_label("Edit your question")
    field.press("Escape")
    expect(book.locator("p.question")).to_have_text("Who is the customer?")
    book.get_by_role("button", name="Edit", exact=True).click()
    field.fill("Who is the seller?")
    book.get_by_role("button", name="Good answer").click()  # the conversation is drawn anew
    expect(book.get_by_role("button", name="Good answer")).to_have_attribute("aria-pressed", "false")
    expect(field).to_have_value("Who is the seller?")
    field.press("Enter")
    expect(book.locator(".question")).to_have_text("Who is the seller?")
    expect(book.locator(".exchange.done")).to_have_count(1, timeout=SLOW)

    book.get_by_role("button", name="Ask again").click()
    book.wait_for_timeout(2_000)  # until then the answer before is still there, and done
    expect(book.locator(".exchange.done")).to_have_count(1, timeout=SLOW)
    book.get_by_role("button", name="Take back").click()
    expect(book.locator(".exchange")).to_have_count(0)
    expect(book.get_by_label("Your question")).to_have_value("Who is the seller?")


def test_shift_enter_begins_a_line_and_enter_asks(book: Page) -> None:
    question = book.get_by_label("Your question")
    question.fill("Who is")
    question.press("Shift+Enter")
    question.press_sequentially("the customer?")
    expect(question).to_have_value("Who is\nthe customer?")
    expect(book.locator(".exchange")).to_have_count(0)
    question.press("Enter")
    expect(book.locator(".exchange")).to_have_count(1)


def test_a_conversation_survives_a_reload_and_is_exported(book: Page) -> None:
    ask(book, "Who is the customer?")
    book.reload()
    expect(book.locator(".exchange.done .answer")).to_contain_text("Clara Jensen")
    with book.expect_download() as taken:
        book.get_by_role("button", name="Export as Markdown").click()
    text = Path(taken.value.path()).read_text("utf-8")
    assert taken.value.suggested_filename == "conversation.md"
    assert "## Who is the customer?" in text
    assert "The answer stands in book.pdf, page 3" in text


def test_an_encoding_is_saved_and_dropped_back_in_later(visit: Visit, book: Page) -> None:
    with book.expect_download() as taken:
        book.get_by_role("button", name="Save the encoding of book.pdf").click()
    data = Path(taken.value.path()).read_bytes()
    book.get_by_role("button", name="Forget everything").click()
    book.get_by_role("button", name="Forget them").click()
    expect(book.locator("li.document")).to_have_count(0)
    visit.drop((taken.value.suggested_filename, data))
    expect(book.locator("li.document")).to_contain_text("4 pages", timeout=SLOW)
    expect(book.get_by_role("img", name="Page 1 of book.pdf")).to_be_in_viewport(timeout=SLOW)
    ask(book, "Who is the customer?")
    expect(book.locator(".receipt p")).to_contain_text("re-read: 0")


def test_some_pages_are_read_and_answers_come_while_the_rest_is_read(visit: Visit) -> None:
    page = visit.page
    page.get_by_role("button", name="Only some pages").click()
    page.get_by_label("Pages to read").fill("3")
    visit.drop(("book.pdf", BOOK))
    expect(page.locator("li.document")).to_contain_text("1 page", timeout=SLOW)

    page.get_by_label("Pages to read").fill("")
    visit.drop(("long.pdf", pdf(INVOICE, *["The harbour is quiet at night. " * 60] * 100)))
    expect(page.locator(".meter")).to_contain_text("you can ask already", timeout=SLOW)
    expect(page.locator(".meter")).to_contain_text("101 pages")
    page.get_by_label("Your question").fill("Who is the customer?")
    page.get_by_label("Your question").press("Enter")
    expect(page.locator(".exchange.done .note")).to_contain_text("The rest is still being read.", timeout=SLOW)
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".messages")).to_contain_text("pages of long.pdf were read and can be asked", timeout=SLOW)
    expect(page.locator("li.document", has_text="long.pdf")).to_be_visible()


def test_an_answer_from_a_part_is_asked_again_once_the_rest_is_read(visit: Visit) -> None:
    page = visit.page
    quiet = ["The harbour is quiet at night. " * 60] * 58
    visit.drop(("long.pdf", pdf("The museum shows ships.", *quiet, INVOICE)))
    expect(page.locator(".meter")).to_contain_text("you can ask already", timeout=SLOW)
    page.get_by_label("Your question").fill("Who is the customer?")
    page.get_by_label("Your question").press("Enter")
    early = page.locator(".exchange.done .note")
    expect(early).to_contain_text("of 60 of long.pdf. The rest is still being read.", timeout=SLOW)
    expect(page.get_by_role("button", name="Ask again")).to_have_count(1)
    expect(early).to_contain_text("The rest has been read since.", timeout=SLOW)
    ask(page, "What does the museum show?")

    early.get_by_role("button", name="Ask again").click()
    expect(page.locator(".exchange").first.locator(".answer")).to_contain_text("Clara Jensen", timeout=SLOW)
    expect(early).to_have_count(0)
    expect(page.locator(".question")).to_have_text(["Who is the customer?", "What does the museum show?"])
    expect(page.get_by_role("img", name="Page 60 of long.pdf")).to_be_in_viewport()
