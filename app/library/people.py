"""Where several people share a server, each has a library of their own: a folder, which no other's name leads to."""

import threading
from pathlib import Path

from app.library.library import Library
from app.people.values import checked_name


class Libraries:
    """Opens each person's library when it is first wanted. Safe to use from several threads."""

    def __init__(self, folder: Path, *, capacity_bytes: int) -> None:
        """`capacity_bytes`: of each of them."""
        self._folder = folder
        self._capacity_bytes = capacity_bytes
        self._lock = threading.Lock()
        self._open: dict[str, Library] = {}

    def of(self, person: str) -> Library:
        """The person's library, made where it is missing. Raises LibraryError where it cannot be."""
        folder = self._folder / "people" / checked_name(person)
        with self._lock:
            if person not in self._open:
                self._open[person] = Library.open(folder, capacity_bytes=self._capacity_bytes)
                self._open[person].sweep()
            return self._open[person]
