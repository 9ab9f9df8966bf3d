"""Where several people share a server, each has a library of their own: a folder, which no other's name leads to."""

import threading
from pathlib import Path

from app.library.library import Library
from app.people.values import folder_name


class Libraries:
    """Opens each person's library when it is first wanted. Safe to use from several threads."""

    def __init__(self, folder: Path, *, capacity_bytes: int) -> None:
        """`capacity_bytes`: of each of them."""
        self._folder = folder
        self._capacity_bytes = capacity_bytes
        self._lock = threading.Lock()
        self._open: dict[Path, Library] = {}

    def of(self, person: str) -> Library:
        """The person's library, made where it is missing. Raises LibraryError where it cannot be."""
        return self._in(self._folder / "people" / folder_name(person))

    @property
    def shared(self) -> Library:
        """What is shared with all. A document's folder there is the name of who shared it."""
        return self._in(self._folder / "shared")

    def _in(self, folder: Path) -> Library:
        with self._lock:
            if folder not in self._open:
                self._open[folder] = Library.open(folder, capacity_bytes=self._capacity_bytes)
                self._open[folder].sweep()
            return self._open[folder]
