"""Makes `screenshot.png` and `animation.gif` for the README: `python app.py`, then `python assets/make_screenshot.py`.

A person's way through the sample: one click, two questions, and the page that each answer rests on.
"""

import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ASSETS = Path(__file__).parent
QUESTIONS = (ASSETS / "sample-questions.txt").read_text(encoding="utf-8").splitlines()[:2]
PATIENCE = 600_000  # ms
FRAME = (720, 450)
COLOURS = 64


class Film:
    """Frames of the page, each with how long it is shown."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._frames: list[Image.Image] = []
        self._durations: list[int] = []

    def take(self, milliseconds: int) -> None:
        shot = Image.open(io.BytesIO(self._page.screenshot())).convert("RGB").resize(FRAME, Image.Resampling.LANCZOS)
        self._frames.append(shot.quantize(COLOURS))
        self._durations.append(milliseconds)

    def save(self, path: Path) -> None:
        first, *others = self._frames
        first.save(path, save_all=True, append_images=others, duration=self._durations, loop=0, optimize=True)


def main(address: str = "http://127.0.0.1:7860") -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(PATIENCE)
        page.goto(address)
        page.locator(".banner.ready").wait_for(timeout=PATIENCE)
        film = Film(page)
        film.take(1_200)
        page.get_by_role("button", name="Try the sample document").click()
        page.locator(".meter, li.document").first.wait_for(timeout=PATIENCE)  # a short one is read at once
        film.take(1_200)
        page.locator(".opening").wait_for(timeout=PATIENCE)
        page.locator(".sheet img").first.wait_for(timeout=PATIENCE)
        page.wait_for_timeout(1_500)
        film.take(1_800)
        for count, question in enumerate(QUESTIONS, start=1):
            page.get_by_label("Your question").fill(question)
            film.take(900)
            page.get_by_label("Your question").press("Enter")
            page.locator(".exchange.done").nth(count - 1).wait_for(timeout=PATIENCE)
            page.wait_for_timeout(1_000)
            film.take(2_200)
        page.screenshot(path=ASSETS / "screenshot.png")
        film.save(ASSETS / "animation.gif")
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
