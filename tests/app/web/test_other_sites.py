"""What another site's page can do with the running server, in a real browser: nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.helpers.browser import SLOW, WITH_A_TINY_CHECKPOINT

pytestmark = WITH_A_TINY_CHECKPOINT

PAGE = """<!doctype html><title>Another site</title><iframe id="frame" src="{app}"></iframe>
<img id="picture" src="{app}/static/img/logo.svg"><script>
async function tried(path, options) {{
  try {{ return String((await fetch("{app}" + path, options)).status); }} catch (error) {{ return "refused"; }}
}}
</script>"""


UPLOAD = """() => {
    const form = new FormData();
    form.append('files', new Blob(['x']), 'a.txt');
    return tried('/gradio_api/upload', {method: 'POST', body: form, mode: 'no-cors'});
}"""


@pytest.fixture
def other_site(app: str) -> Iterator[str]:
    """A page from another port of this computer, and so from another site's point of view."""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = PAGE.format(app=app).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_another_sites_page_reads_sends_and_shows_nothing(other_site: str, folder: Path, browser: Browser) -> None:
    before = set(folder.iterdir())
    with browser.new_context() as own:
        page = own.new_page()
        page.goto(other_site, timeout=SLOW)
        page.wait_for_load_state("networkidle", timeout=SLOW)
        shown = page.frames[1].evaluate("document.body.innerText") if len(page.frames) > 1 else ""
        picture = page.evaluate("document.querySelector('#picture').naturalWidth")
        read = page.evaluate("tried('/config')")
        called = page.evaluate("tried('/gradio_api/call/encode', {method: 'POST', body: '{}'})")
        page.evaluate(UPLOAD)
    assert "Readonce" not in shown and picture == 0
    assert (read, called) == ("refused", "refused")
    assert set(folder.iterdir()) == before
