"""The one way to wait: a count of changes that wakes the threads and coroutines that look at what has changed."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial


class Changes:
    """Counts changes, and wakes whoever waits for one. Safe to use from several threads."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._count = 0
        self._listeners: list[Callable[[], object]] = []

    @property
    def count(self) -> int:
        return self._count

    def notify(self) -> None:
        """Something has changed."""
        with self._condition:
            self._count += 1
            self._condition.notify_all()
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()

    def wait_until(self, met: Callable[[], bool], seconds: float | None = None) -> bool:
        """Wait until the condition is met, which is looked at after each change; False where the seconds end first.

        The condition is looked at without holding a lock, so it may take locks of its own.
        """
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            seen = self._count
            if met():
                return True
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                return False
            with self._condition:
                self._condition.wait_for(partial(self._differs_from, seen), left)

    def _differs_from(self, seen: int) -> bool:
        return self._count != seen

    async def changed(self, seen: int) -> None:
        """Return when the count is another than `seen`."""
        loop, changed = asyncio.get_running_loop(), asyncio.Event()
        with self.heard_by(lambda: loop.call_soon_threadsafe(changed.set)):
            if self._count == seen:
                await changed.wait()

    @contextlib.contextmanager
    def heard_by(self, listener: Callable[[], object]) -> Iterator[None]:
        """Meanwhile each change calls the listener, which returns at once: often the `notify` of other changes."""
        with self._condition:
            self._listeners.append(listener)
        try:
            yield
        finally:
            with self._condition:
                self._listeners.remove(listener)
