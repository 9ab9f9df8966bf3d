"""Other ways to the page: by keyboard alone, in other languages, with many documents, with another checkpoint; leaving.

A tiny checkpoint answers, at random.
"""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.helpers.awaited import wait_until
from tests.helpers.browser import SLOW, WITH_A_TINY_CHECKPOINT, Visit, a_visit
from tests.helpers.looks import catalogue, nothing_is_english, speaks
from tests.helpers.stand_ins import pdf
from tests.helpers.tiny import save_tiny, tiny_model

LETTER = pdf("Invoice 2024-118\nCustomer: Clara Jensen", "Payment is due within thirty days.", "The lamp is new.")
FOCUSED = "document.activeElement"
OUTLINED = f"""() => {{
    const marked = [{FOCUSED}, {FOCUSED}.closest('#asking') ?? {FOCUSED}].map((one) => getComputedStyle(one));
    return marked.some((style) => style.outlineStyle !== 'none' || style.boxShadow !== 'none');
}}"""

pytestmark = WITH_A_TINY_CHECKPOINT


def tab_to(page: Page, selector: str) -> None:
    """Press the Tab key until this has the focus; a person sees on the way where they are."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(f"{FOCUSED}.matches({json.dumps(selector)})"):
            assert page.evaluate(OUTLINED), f"nobody sees that {selector} has the focus"
            return
    raise AssertionError(f"{selector} cannot be reached with the Tab key")


def test_the_keyboard_alone_leads_from_the_sample_to_a_stopped_answer_and_its_page(tiny_visit: Visit) -> None:
    page = tiny_visit.page
    tab_to(page, "#sample")
    page.keyboard.press("Enter")
    expect(page.locator("li.document")).to_contain_text("4 pages", timeout=SLOW)
    tab_to(page, "#settings > button")
    page.keyboard.press("Enter")
    tab_to(page, "#settings input[type=number]")
    page.keyboard.press("Control+A")
    page.keyboard.type("512")
    tab_to(page, "#settings input[type=number]")  # the next one: at a temperature of 1 the answer takes seconds
    page.keyboard.press("Control+A")
    page.keyboard.type("1")

    tab_to(page, "#question textarea")
    page.keyboard.type("When was the lamp lit?")
    page.keyboard.press("Enter")
    expect(page.locator("#stop")).to_be_visible(timeout=SLOW)
    tab_to(page, "#stop")
    page.keyboard.press("Enter")
    expect(page.locator(".exchange.done .receipt p")).to_contain_text("stopped", timeout=SLOW)

    tab_to(page, ".heat .cell.current")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(page.get_by_role("img", name="Page 4 of sample.pdf")).to_be_in_viewport()
    tab_to(page, ".exchange .chip")
    expected = page.evaluate(f"{FOCUSED}.dataset.page")
    page.keyboard.press("Enter")
    expect(page.get_by_role("img", name=f"Page {expected} of sample.pdf")).to_be_in_viewport()
    expect(page.locator(f".sheet[data-page='{expected}'] .mark").first).to_be_in_viewport()


@pytest.mark.parametrize("locale", ["es-MX", "zh-CN"])  # German is below, French in `test_browser_looks.py`
def test_the_page_speaks_the_language_of_the_browser(tiny_address: str, browser: Browser, locale: str) -> None:
    said = catalogue(locale)
    with a_visit(browser, tiny_address, locale=locale) as visit:
        speaks(visit, said)


def test_documents_and_receipts_are_in_the_language_too(tiny_address: str, browser: Browser) -> None:
    said = catalogue("de")
    with a_visit(browser, tiny_address, locale="de") as visit:
        page = visit.page
        speaks(visit, said)
        visit.drop(("letter.pdf", LETTER))
        expect(page.locator("li.document")).to_contain_text("3 Seiten", timeout=SLOW)
        page.locator("#question textarea").fill("Who?")
        page.locator("#question textarea").press("Enter")
        expect(page.locator(".exchange.done .receipt p")).to_contain_text("einmal gelesen: 3 Seiten", timeout=SLOW)
        nothing_is_english(page, said)


def test_ten_questions_to_three_documents_read_nothing_again(tiny_visit: Visit) -> None:
    page = tiny_visit.page
    tiny_visit.drop(
        ("letter.pdf", LETTER), ("log.txt", b"Fog until noon. Two ships."), ("note.txt", b"The lamp is lit.")
    )
    expect(page.locator("li.document")).to_have_count(3, timeout=SLOW)
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("number input for Longest answer").fill("8")
    page.get_by_label("number input for Temperature").fill("1.5")
    page.get_by_role("combobox", name="Pages enter as").click()  # this checkpoint has eyes
    page.get_by_role("option", name="Text and pictures").click()
    tiny_visit.drop(("seen.txt", b"The ferry leaves at nine."))
    expect(page.locator("li.document").last).to_contain_text("seen as a picture (page 1)", timeout=SLOW)
    page.get_by_role("button", name="Forget seen.txt").click()
    expect(page.locator("li.document")).to_have_count(3)
    for number in range(1, 11):
        tiny_visit.ask(f"Who wrote number {number}?")
        expect(page.locator(".exchange.done .receipt p")).to_have_count(number, timeout=SLOW)
        expect(page.locator("#ask")).to_be_visible()
    receipts = page.locator(".receipt p").all_text_contents()
    assert all(re.match(r"read once: 5 pages, .* re-read: 0", one) for one in receipts)
    assert any(one.endswith(" · cut at the length limit") for one in receipts)
    expect(page.locator(".doubt").first).to_contain_text("check it on the pages")  # it draws what is unlikely
    expect(page.locator(".exchange .chip").first).to_have_text(
        re.compile(r"^(letter\.pdf|log\.txt|note\.txt), p\. \d$")
    )


def files_in(folder: Path) -> set[str]:
    """Files that lie there, and on Linux those that lay there once and that a process still holds open, with which."""
    held = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # processes come and go, and so do their files
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            for descriptor in (process / "fd").iterdir():
                with contextlib.suppress(OSError):
                    path = str(descriptor.readlink())
                    if path.startswith(str(folder)) and path.endswith("(deleted)"):
                        held.add(f"{path} held by {command[:200]}")
    return held | {str(path) for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"}


def test_a_closed_tab_leaves_nothing_behind(tiny_address: str, browser: Browser, copies: Path) -> None:
    """The copy of a document goes with its session: at once here, after ten minutes otherwise."""
    known = files_in(copies)  # of visits before, whose server is the same
    with a_visit(browser, tiny_address) as visit:
        visit.drop(("letter.pdf", LETTER))
        expect(visit.page.locator("li.document")).to_be_visible(timeout=SLOW)
        assert files_in(copies) - known
    wait_until(lambda: not files_in(copies) - known, instead=lambda: files_in(copies) - known)


def test_after_a_change_of_checkpoint_the_page_offers_to_read_again(tiny_visit: Visit, tmp_path: Path) -> None:
    save_tiny(tmp_path, tiny_model(seed=5))
    page = tiny_visit.page
    tiny_visit.drop(("letter.pdf", LETTER))
    expect(page.locator("li.document")).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("combobox", name="Checkpoint").fill(str(tmp_path))
    page.get_by_role("combobox", name="Checkpoint").press("Enter")
    expect(page.locator(".banner.ready")).to_contain_text(str(tmp_path), timeout=SLOW)
    expect(page.locator("li.document")).to_contain_text("Read by another checkpoint", timeout=SLOW)
    tiny_visit.ask("Who?")
    expect(page.locator(".exchange .problem")).to_contain_text("read the document again", timeout=SLOW)
    page.get_by_role("button", name="Read again").click()
    expect(page.locator("li.document .remarks")).to_have_count(0, timeout=SLOW)
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".exchange.done .receipt p")).to_contain_text("re-read: 0", timeout=SLOW)


def test_in_arabic_the_page_is_mirrored_and_documents_keep_their_direction(tiny_address: str, browser: Browser) -> None:
    said = catalogue("ar")
    with a_visit(browser, tiny_address, locale="ar") as visit:
        page = visit.page
        expect(page.locator("#sample")).to_have_text(said["Try the sample document"])
        expect(page.locator("html")).to_have_attribute("dir", "rtl")
        visit.drop(("letter.pdf", LETTER), ("Ann's program.exe", b"MZ\x90\x00" + bytes(200)))
        expect(page.locator("li.document")).to_contain_text("3 صفحات", timeout=SLOW)
        library, chat = page.locator("#library").bounding_box(), page.locator("#chat").bounding_box()
        assert library and chat and library["x"] > chat["x"]
        assert page.locator(".opening h2").evaluate("(title) => getComputedStyle(title).direction") == "ltr"
        box, name = page.locator("li.document input").bounding_box(), page.locator("li.document .name").bounding_box()
        assert box and name and box["x"] > name["x"]
        message = page.locator(".messages li")
        expect(message).to_contain_text(said["a Windows program"], timeout=SLOW)
        assert message.evaluate("(one) => getComputedStyle(one).direction") == "rtl"
        nothing_is_english(page, said)
