"""The real page in a real browser: `app.py` as a person starts it, and Chromium."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.helpers.awaited import PATIENCE

SLOW = 120_000  # ms; a first start merges the weights, and a busy machine takes its time
ROOT = Path(__file__).resolve().parents[2]
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

STOP_SOON = {"READONCE_STOP_SECONDS": "5"}  # what a test has left open is not waited for


def chromium() -> str | None:
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


@contextlib.contextmanager
def running_app(log: Path, *arguments: str, **environment: str) -> Iterator[str]:
    """The address of `app.py`, which answers on a free port, and is ended afterwards."""
    with running_process(log, *arguments, **environment) as (address, _):
        yield address


@contextlib.contextmanager
def running_process(log: Path, *arguments: str, **environment: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The same with its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "app.py", "--port", str(port), *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | STOP_SOON | environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(address, process, log)
        yield address, process
    finally:
        process.terminate()
        try:
            process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except urllib.error.HTTPError as answer:
            if answer.code == 401:  # it asks who that is
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"app.py does not answer:\n{log.read_text(errors='replace')[-3000:]}")


WITH_A_TINY_CHECKPOINT = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(
        chromium() is None and "CI" not in os.environ,
        reason="no Chromium: install it, or name it in the environment variable CHROMIUM",
    ),
]
IN_A_BROWSER = [*WITH_A_TINY_CHECKPOINT, pytest.mark.weights]


class Visit:
    """A person at the page, who also notes what the browser asks of other hosts."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.foreign: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self._note(request.url, address))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self._note_refusal(message.text))
        page.goto(address)
        page.locator("#sample").wait_for()
        page.locator("#ask:not([disabled])").wait_for(timeout=SLOW)  # the tab has its session: a drop before is refused

    def drop(self, *files: tuple[str, bytes]) -> None:
        payload = [{"name": name, "mimeType": "application/octet-stream", "buffer": data} for name, data in files]
        self.page.locator("#drop input[type=file]").set_input_files(payload)  # type: ignore[arg-type]

    def type(self, question: str) -> None:
        self.page.get_by_label("Your question").fill(question)

    def ask(self, question: str) -> None:
        self.type(question)
        self.page.get_by_label("Your question").press("Enter")

    def _note_refusal(self, text: str) -> None:
        """What the page's own security policy stops is a mistake of the page."""
        if "Content Security Policy" in text:
            self.errors.append(text)

    def _note(self, url: str, address: str) -> None:
        if not url.startswith((address, "data:", "blob:")):
            self.foreign.append(url)


@contextlib.contextmanager
def a_visit(browser: Browser, address: str, **context: Any) -> Iterator[Visit]:
    """A person with a browser of their own, such as one in another language. Nothing is asked of another host."""
    with browser.new_context(**{"reduced_motion": "reduce"} | context) as own:  # what moves takes a core to draw
        visit = Visit(own.new_page(), address)
        yield visit
    assert visit.foreign == []
    assert visit.errors == []
