"""What programs and browsers have of the running server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.people.directory import Directory
from tests.helpers.openid_provider import OpenIdProvider, account, provider_at
from tests.helpers.space import HERE
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


@pytest.fixture(scope="module")
def running_provider() -> Iterator[OpenIdProvider]:
    with provider_at(f"{HERE}/login/callback") as provider:
        yield provider


@pytest.fixture
def provider(running_provider: OpenIdProvider) -> OpenIdProvider:
    """With two accounts, and as truthful as it should be."""
    running_provider.accounts = {"Ada": account("Ada", "5f01", "acme"), "bert": account("bert", "5f02")}
    running_provider.claims, running_provider.found, running_provider.is_broken = {}, {}, False
    running_provider.asked.clear()
    return running_provider


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    return Directory(tmp_path / "users.json", clock=iter(range(10_000)).__next__)
