"""What tests of the app share: the command line with a tiny random model, running servers, and a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from app.backend import install_faster_backend
from app.cli.command_line import main
from tests.helpers.browser import QUIET, SLOW, chromium, running_app
from tests.helpers.command import Ran, Run

LETTER = "Dear Ms Okafor, your order 4711 of 3 May comes to 129.50 euros.\n"


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    path = tmp_path / "letter.txt"
    path.write_text(LETTER, encoding="utf-8")
    return path


@pytest.fixture
def command(
    tiny_folder: Path, cache_folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> Run:
    """Run a command with the tiny model as the person's choice."""
    monkeypatch.setenv("READONCE_MODEL", str(tiny_folder))
    monkeypatch.setenv("READONCE_CACHE", str(cache_folder))
    # Before the first answer, so that two commands answer with the same numbers.
    monkeypatch.setattr("app.cli.reading.begin_to_install_faster_backend", install_faster_backend)

    def run(*arguments: str | Path) -> Ran:
        try:
            status = main([str(argument) for argument in arguments], log_seconds=3600.0)  # however slow this machine is
        except SystemExit as exit_:
            status = int(exit_.code or 0)
        return Ran(status, *capfd.readouterr())

    return run


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests: Playwright's event loop runs in their thread from its start to their end."""
    expect.set_options(timeout=SLOW)  # how long something takes is no test: five seconds are too few on a busy machine
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server has its temporary files."""
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="session")
def app_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the server prints."""
    return tmp_path_factory.mktemp("app") / "log.txt"


@pytest.fixture(scope="session")
def app(tiny_folder: Path, temporary: Path, app_log: Path) -> Iterator[str]:
    """The address of the server as a person starts it on their own computer, with a tiny checkpoint."""
    settings = {"OMP_NUM_THREADS": "1", "READONCE_MAX_FILE_MB": "3", "TMPDIR": str(temporary)}
    with running_app(app_log, "--model", str(tiny_folder), **settings) as address:
        yield address


@pytest.fixture(scope="session")
def public_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the public server prints."""
    return tmp_path_factory.mktemp("public") / "log.txt"


@pytest.fixture(scope="session")
def public_app(tiny_folder: Path, public_log: Path) -> Iterator[str]:
    """The server as it stands on a Space that is also reached under a name of its own."""
    settings = {"SPACE_HOST": "reader.hf.space", "READONCE_HOSTS": "docs.example", "OMP_NUM_THREADS": "1"}
    with running_app(public_log, "--model", str(tiny_folder), **settings) as address:
        yield address
