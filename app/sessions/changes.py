"""A counter that tells whether something has changed: whoever watches a session compares it with what they saw."""

import threading


class Changes:
    """Counts changes. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    @property
    def count(self) -> int:
        return self._count

    def note(self) -> None:
        with self._lock:
            self._count += 1
