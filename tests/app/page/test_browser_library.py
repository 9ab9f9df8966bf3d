"""What a person does with the library, in a real browser: add, close, come back, ask everything, remove, undo."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.helpers.browser import SLOW, WITH_A_TINY_CHECKPOINT, a_visit, running_app
from tests.helpers.stand_ins import pdf

pytestmark = WITH_A_TINY_CHECKPOINT

LAMP = pdf("The lamp of Lindau was lit in 1871.", "Its keeper was Omar Haddad.")
QUESTION = "Who kept the lamp of Lindau through all these years?"
HARBOUR = pdf("The harbour of Bregenz opened in 1920.")


def test_add_close_come_back_ask_everything_remove_and_undo(
    browser: Browser, tiny_folder: Path, tmp_path: Path
) -> None:
    (folder := tmp_path / "papers" / "old").mkdir(parents=True)
    (folder / "lamp.pdf").write_bytes(LAMP)
    (folder.parent / "harbour.pdf").write_bytes(HARBOUR)
    settings = {"OMP_NUM_THREADS": "1", "READONCE_LIBRARY": str(tmp_path / "library")}
    with (
        running_app(tmp_path / "first.txt", "--model", str(tiny_folder), **settings) as address,
        a_visit(browser, address) as visit,
    ):
        visit.page.locator("input[webkitdirectory]").set_input_files(folder.parent)
        visit.page.get_by_label("Remove lamp.pdf").wait_for(timeout=SLOW)
        visit.page.get_by_label("Remove harbour.pdf").wait_for(timeout=SLOW)
        visit.ask(QUESTION)
        visit.page.locator(".past").get_by_text(QUESTION).wait_for(timeout=SLOW)
    with (
        running_app(tmp_path / "second.txt", "--model", str(tiny_folder), **settings) as address,
        a_visit(browser, address) as visit,
    ):
        page, library = visit.page, visit.page.locator("#library-panel")
        library.get_by_role("button", name="Everything in the library", exact=True).click()
        library.locator('[aria-pressed="true"]', has_text="Everything").wait_for(timeout=SLOW)
        visit.ask("When did the harbour of Bregenz open?")
        receipt = page.locator(".exchange.done .receipt p")
        receipt.wait_for(state="attached", timeout=SLOW)
        said = receipt.text_content() or ""
        assert "asked 2 documents of the library" in said and "re-read: 0" in said
        page.locator(".chips .chip").first.click()
        page.locator(".pages .sheet img").first.wait_for(timeout=SLOW)
        library.get_by_label("Order of the list").select_option("By name")
        library.locator("ul .open").first.and_(page.get_by_title("harbour.pdf")).wait_for(timeout=SLOW)
        page.get_by_label("Remove lamp.pdf").click()
        library.get_by_role("button", name="Bring back").click(timeout=SLOW)
        page.get_by_label("Remove lamp.pdf").wait_for(timeout=SLOW)
        past = library.locator(".past .open", has_text=QUESTION)
        title, cross = past.bounding_box(), library.locator(".past .forget").first.bounding_box()
        assert title and cross and title["x"] + title["width"] <= cross["x"]
        past.click()
        page.locator(".conversation").get_by_text(QUESTION).wait_for(timeout=SLOW)
        page.locator(".opening").first.wait_for(timeout=SLOW)
        expect(page.locator(".conversation > :last-child .question")).to_have_text(
            QUESTION
        )  # it goes on where it ended
