"""Wait in a test: for a coroutine, or until something is so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")
PATIENCE = 600.0  # seconds that a test waits for what must come: on a busy machine far more than on this one


def awaited(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Its result, from a thread of its own: once a browser has started, Playwright's event loop runs in the tests'."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def wait_until(met: Callable[[], bool], instead: Callable[[], object] = lambda: "") -> None:
    """Look again and again, for ten minutes at most; `instead` says what is so if it is not met."""
    deadline = time.monotonic() + PATIENCE
    while not met():
        assert time.monotonic() < deadline, f"this has taken ten minutes {instead()}"
        time.sleep(0.01)
