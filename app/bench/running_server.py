"""The page as a person starts it, for benchmarks that speak to it over HTTP."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from model.errors import ReadonceError

ROOT = Path(__file__).parents[2]
START_SECONDS = 600.0  # on a machine that does much else
END_SECONDS = 20.0


@contextlib.contextmanager
def running_server(model: str | None) -> Iterator[str]:
    """Start `app.py` on a free port of this computer; what it gives is the address. Raises ReadonceError.

    It has no library, as where several people share the app: the person's own stays as it is.
    """
    with tempfile.TemporaryFile() as log, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        arguments = ["--host", "127.0.0.1", "--port", str(port), *(("--model", model) if model else ())]
        environment = os.environ | {"READONCE_LIBRARY": "off"}
        server = subprocess.Popen(
            [sys.executable, "app.py", *arguments], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
        try:
            address = f"http://127.0.0.1:{port}"
            if not _answers(address, server):
                log.seek(0)
                words = log.read().decode(errors="replace").strip().splitlines()[-1:]
                raise ReadonceError(
                    "app.py does not answer at {address}: {words}.",
                    address=address,
                    words=" ".join(words) or "it says nothing",
                )
            yield address
        finally:
            server.terminate()
            try:
                server.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _answers(address: str, server: subprocess.Popen[bytes]) -> bool:
    """Wait until it does; no where it ends, or takes too long."""
    until = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < until:
        with contextlib.suppress(urllib.error.URLError, ConnectionError), urllib.request.urlopen(address, timeout=5):
            return True
        time.sleep(0.2)
    return False
