"""Files and folders that are dropped anywhere arrive, and what cannot be read is told at once."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.helpers.browser import SLOW, WITH_A_TINY_CHECKPOINT, Visit
from tests.helpers.stand_ins import pdf

pytestmark = WITH_A_TINY_CHECKPOINT


def drag_in(page: Page, x: int, y: int, *paths: Path) -> None:
    """Drag files or folders from the file manager to a point of the window and let them go there."""
    devtools = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send("Input.dispatchDragEvent", {"type": kind, "x": x, "y": y, "data": data})


def test_files_and_folders_dropped_on_the_middle_of_the_window_arrive(tiny_visit: Visit, tmp_path: Path) -> None:
    page = tiny_visit.page
    address = page.url
    (tmp_path / "papers" / "older").mkdir(parents=True)
    (tmp_path / "papers" / ".DS_Store").write_bytes(bytes(9))
    (tmp_path / "papers" / "a.txt").write_text("The lamp is lit.")
    (tmp_path / "papers" / "older" / "b.txt").write_text("The lamp was lit.")
    (tmp_path / "c.pdf").write_bytes(pdf("The harbour is quiet."))
    drag_in(page, 600, 300, tmp_path / "papers", tmp_path / "c.pdf")
    drag_in(page, 1_000, 300, _written(tmp_path / "d.txt", "It came while the others travelled."))
    for name in ("a.txt", "b.txt", "c.pdf", "d.txt"):
        expect(page.locator("li.document", has_text=name)).to_be_visible(timeout=SLOW)
    expect(page.locator("li.document")).to_have_count(4)
    expect(page.locator(".messages")).to_have_count(0)
    assert page.url == address


def test_a_file_keeps_the_signs_of_its_name(tiny_visit: Visit) -> None:
    tiny_visit.drop(("{x} costs $5!.txt", b"The lamp is lit."), ("{n} {name}.txt", b""))
    expect(tiny_visit.page.locator("li.document .name")).to_have_text("{x} costs $5!.txt", timeout=SLOW)
    expect(tiny_visit.page.locator(".messages")).to_contain_text("'{n} {name}.txt' is empty (0 bytes)")


def test_a_wrong_type_is_told_while_others_wait_and_the_field_keeps_its_size(tiny_visit: Visit) -> None:
    page = tiny_visit.page
    before = page.locator("#drop").bounding_box()
    long = pdf(*["The harbour is quiet at night, says the keeper. " * 40] * 24)
    notes = [(f"note-{number}.txt", f"Note {number} of the keeper.".encode()) for number in range(9)]
    tiny_visit.drop(("long.pdf", long), *notes, ("program.exe", b"MZ\x90\x00" + bytes(200)))
    expect(page.locator(".messages")).to_contain_text("'program.exe' is a Windows program", timeout=SLOW)
    expect(page.locator(".queue")).to_contain_text("note-0.txt")
    expect(page.locator(".queue")).to_contain_text("3 more")
    expect(page.locator("li.document")).to_have_count(10, timeout=SLOW)
    after = page.locator("#drop").bounding_box()
    assert before and after and after["height"] == before["height"] >= 100


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path
