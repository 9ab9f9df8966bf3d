"""What programs and browsers have of the running server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.web_client import WebClient


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
