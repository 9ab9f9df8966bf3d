"""A person reads in the viewer: scrolls, searches in place, enlarges, copies words, and goes on where they were."""

from __future__ import annotations

import pymupdf
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.helpers.browser import SLOW, WITH_A_TINY_CHECKPOINT, Visit, a_visit
from tests.helpers.stand_ins import pdf

pytestmark = WITH_A_TINY_CHECKPOINT

BOOK = pdf("The lamp is lit at dusk.", "Fog until noon.", "A new lamp came by ship.", "The old lamp was sold.")


@pytest.fixture
def book(tiny_visit: Visit) -> Page:
    tiny_visit.drop(("book.pdf", BOOK))
    expect(tiny_visit.page.locator("li.document")).to_contain_text("4 pages", timeout=SLOW)
    expect(tiny_visit.page.locator(".sheet img").first).to_have_js_property("naturalWidth", 1_100, timeout=SLOW)
    return tiny_visit.page


def test_words_are_searched_in_place_one_place_after_the_other(book: Page) -> None:
    field = book.get_by_label("Find in this document")
    field.fill("LAMP")
    field.press("Enter")
    expect(book.locator(".viewer [role=status]")).to_have_text("1 of 3", timeout=SLOW)
    for number, page in ((2, 3), (3, 4), (1, 1)):
        book.get_by_role("button", name="Next place").click()
        expect(book.locator(".viewer [role=status]")).to_have_text(f"{number} of 3", timeout=SLOW)
        expect(book.locator(f'.sheet[data-page="{page}"] .mark')).to_be_in_viewport()
    book.get_by_role("button", name="Previous place").click()
    expect(book.locator(".viewer [role=status]")).to_have_text("3 of 3", timeout=SLOW)
    field.press("Enter")
    expect(book.locator(".viewer [role=status]")).to_have_text("1 of 3", timeout=SLOW)
    field.fill("submarine")
    field.press("Enter")
    expect(book.locator(".viewer [role=status]")).to_have_text("not found", timeout=SLOW)
    expect(book.locator(".sheet .mark")).to_have_count(0)


def test_words_are_searched_while_they_are_typed(book: Page) -> None:
    field, state = book.get_by_label("Find in this document"), book.locator(".viewer [role=status]")
    field.press_sequentially("old la", delay=120)
    expect(state).to_have_text("1 of 1", timeout=SLOW)
    expect(book.locator('.sheet[data-page="4"] .mark')).to_be_in_viewport()
    expect(book.locator(".legend")).to_have_count(0)
    field.press_sequentially("mps", delay=500)  # each letter is searched before the next
    expect(state).to_have_text("not found", timeout=SLOW)
    expect(field).to_have_value("old lamps")
    expect(field).to_be_focused()
    field.fill("")
    expect(state).to_have_text("", timeout=SLOW)


def test_a_selection_that_begins_on_a_page_stays_on_the_pages(tiny_visit: Visit, book: Page) -> None:
    tiny_visit.ask("Who lit the lamp?")
    expect(book.locator(".exchange.done")).to_have_count(1, timeout=SLOW)
    book.locator("#page").evaluate("(pages) => pages.scrollTo(0, 0)")
    expect(book.locator('.sheet[data-page="1"] .words span')).to_have_count(6, timeout=SLOW)
    word = book.locator('.sheet[data-page="1"] .words span').nth(1).bounding_box()
    chat, library = book.locator("#chat").bounding_box(), book.locator("#library").bounding_box()
    assert word and chat and library
    for x, y in ((chat["x"] + 150, chat["y"] + 300), (library["x"] + 100, library["y"] + 400), (chat["x"] + 99, 5)):
        book.mouse.move(word["x"] + 1, word["y"] + word["height"] / 2)
        book.mouse.down()
        book.mouse.move(word["x"] + 90, word["y"] + word["height"] / 2, steps=5)
        book.mouse.move(x, y, steps=12)
        book.mouse.up()
        selected = book.evaluate("getSelection().toString()").split()
        assert 0 < len(selected) <= 6 and set(selected) <= {"The", "lamp", "is", "lit", "at", "dusk."}
    book.locator(".question").dblclick()  # what lies around can be selected as before
    assert book.evaluate("getSelection().toString()").strip() in "Who lit the lamp?"


def test_pages_follow_each_other_and_a_new_document_does_not_take_the_view(tiny_visit: Visit, book: Page) -> None:
    box = book.locator("#page").bounding_box()
    assert box
    book.mouse.move(box["x"] + 200, box["y"] + 400)
    while book.locator(".viewer").get_attribute("data-page") != "3":
        book.mouse.wheel(0, 150)
        book.wait_for_timeout(400)
    tiny_visit.drop(("note.txt", b"It came while the third page was read."))
    expect(book.locator("li.document")).to_have_count(2, timeout=SLOW)
    expect(book.locator(".viewer .name")).to_have_text("book.pdf")
    expect(book.get_by_role("img", name="Page 3 of book.pdf")).to_be_in_viewport(ratio=0.3, timeout=SLOW)


def test_a_page_is_enlarged_and_fitted_and_its_words_are_copied(book: Page) -> None:
    sheet = book.locator('.sheet[data-page="1"]')
    before = sheet.bounding_box()
    book.get_by_role("button", name="Larger").click()
    larger = sheet.bounding_box()
    assert before and larger and larger["width"] > 1.2 * before["width"]
    book.get_by_role("button", name="Fit to width").click()
    fitted = sheet.bounding_box()
    assert fitted and abs(fitted["width"] - before["width"]) < 2
    book.keyboard.down("Control")
    book.mouse.move(fitted["x"] + 100, fitted["y"] + 300)
    book.mouse.wheel(0, -300)
    book.keyboard.up("Control")
    zoomed = sheet.bounding_box()
    assert zoomed and zoomed["width"] > 2 * fitted["width"]

    words = sheet.locator(".words span")
    expect(words).to_have_count(6)
    for word in words.all():
        place, room = word.bounding_box(), sheet.bounding_box()
        assert place and room and room["x"] < place["x"] < room["x"] + room["width"]
    book.evaluate("(words) => getSelection().selectAllChildren(words)", sheet.locator(".words").element_handle())
    assert book.evaluate("getSelection().toString()").split() == ["The", "lamp", "is", "lit", "at", "dusk."]


def test_another_tab_shows_the_same_and_what_is_let_go_comes_back(tiny_address: str, browser: Browser) -> None:
    with a_visit(browser, tiny_address) as visit:
        first = visit.page
        visit.drop(("book.pdf", BOOK))
        expect(first.locator("li.document")).to_be_visible(timeout=SLOW)
        second = first.context.new_page()
        second.goto(tiny_address)
        expect(second.locator("li.document")).to_be_visible(timeout=SLOW)
        first.bring_to_front()
        first.get_by_role("button", name="Forget book.pdf").click()
        expect(first.locator("li.document")).to_have_count(0)
        first.get_by_role("button", name="Bring back").click()
        expect(first.locator("li.document")).to_have_count(1)
        visit.ask("Who?")
        expect(first.locator(".exchange.done")).to_have_count(1, timeout=SLOW)
        first.get_by_role("button", name="New conversation").click()
        expect(first.locator(".exchange")).to_have_count(0)
        first.get_by_role("button", name="Back to the one before").click()
        expect(first.locator(".exchange.done")).to_have_count(1)
        second.evaluate("window.dispatchEvent(new Event('focus'))")  # headless windows are not told of it
        expect(second.locator(".exchange.done")).to_have_count(1, timeout=SLOW)


def test_the_pdf_is_taken_along_with_its_answers_marked(tiny_visit: Visit, book: Page) -> None:
    save = book.get_by_role("button", name="Save the PDF with all answers marked")
    save.click()
    expect(book.locator(".messages")).to_contain_text("No answer of this conversation stands in book.pdf")
    tiny_visit.ask("When is the lamp lit?")
    expect(book.locator(".exchange.done")).to_have_count(1, timeout=SLOW)
    with book.expect_download() as download:
        save.click()
    assert download.value.suggested_filename == "book marked.pdf"
    with pymupdf.open(download.value.path()) as document:
        notes = [mark.info["content"] for page in document for mark in page.annots()]
    assert notes and all(note.startswith("When is the lamp lit?\n\n") for note in notes)

    book.get_by_role("button", name="New conversation").click()
    expect(book.locator(".exchange")).to_have_count(0)
    book.get_by_role("button", name="Dismiss").click()
    again: list[str] = []
    book.on("download", lambda download: again.append(download.suggested_filename))
    save.click()
    expect(book.locator(".messages")).to_contain_text("No answer of this conversation stands in book.pdf")
    book.wait_for_timeout(1_000)
    assert again == []  # nor the file before
