"""The running server, as a person starts it on their own computer, and as it stands on a public host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.browser import running_app
from tests.helpers.web_client import WebClient


@pytest.fixture(scope="package")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server has its temporary files."""
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="package")
def app_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the server prints."""
    return tmp_path_factory.mktemp("app") / "log.txt"


@pytest.fixture(scope="package")
def app(tiny_folder: Path, temporary: Path, app_log: Path) -> Iterator[str]:
    settings = {"OMP_NUM_THREADS": "1", "READONCE_MAX_FILE_MB": "3", "TMPDIR": str(temporary)}
    with running_app(app_log, "--model", str(tiny_folder), **settings) as address:
        yield address


@pytest.fixture(scope="package")
def public_app(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """As on a Space that is also reached under a name of its own."""
    log = tmp_path_factory.mktemp("app") / "log.txt"
    settings = {"SPACE_HOST": "reader.hf.space", "READONCE_HOSTS": "docs.example", "OMP_NUM_THREADS": "1"}
    with running_app(log, "--model", str(tiny_folder), **settings) as address:
        yield address


@pytest.fixture
def folder(app: str, temporary: Path) -> Path:  # noqa: ARG001 - it is there while the server runs
    """Where the server has what was uploaded to it."""
    (found,) = (path for path in temporary.glob("readonce-*/.readonce-web-*") if path.is_dir())
    return found


@pytest.fixture
def program(app: str) -> Iterator[WebClient]:
    """A program without cookies."""
    with WebClient(app) as client:
        yield client


@pytest.fixture
def browser_client(app: str) -> Iterator[WebClient]:
    """A browser, as far as cookies go."""
    with WebClient(app, as_browser=True) as client:
        yield client
