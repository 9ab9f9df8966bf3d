"""Makes `screenshot.png` for the README: `python app.py`, then `python assets/make_screenshot.py`.

A person's way through the sample: one click, two questions, and the page that the last answer rests on.
"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

TARGET = Path(__file__).with_name("screenshot.png")
QUESTIONS = Path(__file__).with_name("sample-questions.txt").read_text(encoding="utf-8").splitlines()[:2]
PATIENCE = 300_000  # ms


def main(address: str = "http://127.0.0.1:7860") -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(address)
        page.get_by_role("button", name="Try the sample document").click()
        page.locator("li.document").wait_for(timeout=PATIENCE)
        page.locator(".banner.ready").wait_for(timeout=PATIENCE)
        for count, question in enumerate(QUESTIONS, start=1):
            page.get_by_label("Your question").fill(question)
            page.get_by_label("Your question").press("Enter")
            page.locator(".exchange.done").nth(count - 1).wait_for(timeout=PATIENCE)
        page.wait_for_timeout(1_000)
        page.screenshot(path=TARGET)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
