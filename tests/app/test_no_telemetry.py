"""Nothing is told to anybody: the page and the command line, watched from outside while they work."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest
from gradio_client import Client, handle_file

from app.environment import NO_TELEMETRY, worker_environment
from tests.helpers.awaited import PATIENCE
from tests.helpers.documents import encoded, pdf, picture, written

ROOT = Path(__file__).resolve().parents[2]
WATCHED = (
    "strace",
    "-f",
    "-qq",
    "--seccomp-bpf",
    "-e",
    "trace=connect,sendto,sendmsg,sendmmsg",
    "-e",
    "signal=none",
    "-o",
)
NEAR = re.compile(r'AF_UNIX|AF_NETLINK|AF_UNSPEC|inet_addr\("127\.|"::1"|"::ffff:127\.|msg_name=NULL')

needs_strace = pytest.mark.skipif(
    sys.platform != "linux" or (shutil.which("strace") is None and "CI" not in os.environ), reason="no strace"
)


@pytest.fixture
def environment(tiny_folder: Path, cache_folder: Path, tmp_path: Path) -> dict[str, str]:
    """Of a person who has a home with nothing in it, and has chosen the tiny checkpoint."""
    names = ("PATH", "LANG", "TMPDIR", "LD_LIBRARY_PATH")
    (tmp_path / "home").mkdir()
    return {name: os.environ[name] for name in names if name in os.environ} | {
        "HOME": str(tmp_path / "home"),
        "READONCE_CACHE": str(cache_folder),
        "READONCE_MODEL": str(tiny_folder),
    }


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """A text, and a picture for the OCR."""
    (tmp_path / "a.pdf").write_bytes(pdf(written("The order comes to 129.50 euros.")))
    (tmp_path / "b.png").write_bytes(encoded(picture("A scan of 3 May"), "PNG"))
    return [tmp_path / "a.pdf", tmp_path / "b.png"]


def far_calls(log: Path) -> list[str]:
    """Calls that name somebody who is not on this computer; a send without an address goes where a connect went."""
    lines = log.read_text(errors="replace").splitlines()
    return [line for line in lines if ("sa_family=" in line or "msg_name=" in line) and not NEAR.search(line)]


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@needs_strace
@pytest.mark.slow
def test_the_command_line_tells_nobody(environment: dict[str, str], files: list[Path], tmp_path: Path) -> None:
    command = [*WATCHED, tmp_path / "log", sys.executable, "-m", "app", "ask", *files, "-q", "How much?"]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    assert run.returncode == 0, run.stderr.decode()
    assert far_calls(tmp_path / "log") == []
    assert files_below(tmp_path / "home") == []


@needs_strace
@pytest.mark.slow
def test_the_page_tells_nobody(environment: dict[str, str], files: list[Path], tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*WATCHED, tmp_path / "log", sys.executable, "app.py", "--port", str(port)]
    with (tmp_path / "app.log").open("wb") as said:
        watcher = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=said, stderr=said)
    try:
        client = patiently(lambda: Client(f"http://127.0.0.1:{port}", verbose=False, analytics_enabled=False), watcher)
        read = [client.predict(handle_file(path), api_name="/encode")["document"] for path in files]
        assert client.predict(["How much?"], read, api_name="/ask")["answers"]
    finally:
        for page in psutil.Process(watcher.pid).children():
            page.terminate()
        watcher.wait(timeout=PATIENCE)
    assert far_calls(tmp_path / "log") == []
    library = tmp_path / "home/.local/share/readonce"
    assert [path for path in files_below(tmp_path / "home") if library not in path.parents] == []


def patiently(connect: Callable[[], Client], watcher: subprocess.Popen[bytes]) -> Client:
    """The client, as soon as the page is there."""
    for _ in range(600):
        try:
            return connect()
        except (httpx.HTTPError, ValueError):
            assert watcher.poll() is None
            time.sleep(0.5)
    raise TimeoutError


def test_a_worker_is_told_to_be_silent_and_knows_no_secret() -> None:
    told = worker_environment({"HF_TOKEN": "hf_secret", "HOME": "/home/me", "PYTHONPATH": "/lib/py"})
    assert NO_TELEMETRY.items() <= told.items() and told["PYTHONPATH"] == "/lib/py"
    assert not {"HF_TOKEN", "HOME"} & told.keys()


def test_importing_the_app_silences_what_is_imported_later() -> None:
    told = "all(os.environ[name] == value for name, value in app.environment.NO_TELEMETRY.items())"
    script = f"import app, os; print({told})"
    environment = {name: value for name, value in os.environ.items() if name not in NO_TELEMETRY}
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "True"
