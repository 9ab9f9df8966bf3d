"""The page without a browser: real handlers, documents and engine, with a tiny network of random weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from app.documents import DocumentReader, Limits
from model.checkpoints.checkpoint import Checkpoint
from tests.helpers.browser import Visit, a_visit, running_app
from tests.helpers.tab import Tab, open_tab


@pytest.fixture(scope="package")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page with the embedded checkpoint; files may have 3 MB."""
    log = tmp_path_factory.mktemp("app") / "log.txt"
    with running_app(log, READONCE_MAX_FILE_MB="3") as address:
        yield address


@pytest.fixture(scope="package")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the page with a tiny checkpoint has its copies of files."""
    return tmp_path_factory.mktemp("copies")


@pytest.fixture(scope="package")
def tiny_address(tiny_folder: Path, copies: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page with a tiny checkpoint, which answers quickly and at random. Sessions are freed at once."""
    log = tmp_path_factory.mktemp("app") / "log.txt"
    settings = {"OMP_NUM_THREADS": "1", "READONCE_LINGER_MINUTES": "0", "TMPDIR": str(copies)}
    with running_app(log, "--model", str(tiny_folder), **settings) as address:
        yield address


@pytest.fixture
def visit(address: str, browser: Browser) -> Iterator[Visit]:
    """A person with a browser of their own. Whatever they do, nothing is asked of another host."""
    with a_visit(browser, address) as visit:
        yield visit


@pytest.fixture
def tiny_visit(tiny_address: str, browser: Browser) -> Iterator[Visit]:
    """The same at the page with a tiny checkpoint."""
    with a_visit(browser, tiny_address) as visit:
        yield visit


@pytest.fixture(scope="session")
def page_reader() -> Iterator[DocumentReader]:
    with DocumentReader(Limits(max_bytes=5_000_000)) as reader:
        yield reader


@pytest.fixture
def tab(tiny_checkpoint: Checkpoint, page_reader: DocumentReader, tmp_path: Path) -> Tab:
    return open_tab(tiny_checkpoint, page_reader, tmp_path)
