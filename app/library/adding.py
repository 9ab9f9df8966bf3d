"""Adding files and folders to the library, one after the other: what is there is skipped, so that an interruption costs
no more than the file that was being read.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.documents import DocumentReader, ReadDocument
from app.documents.formats import EXTENSIONS
from app.library.coarse import CoarseIndex
from app.library.library import Library
from app.library.opening import sha256_of
from app.library.values import NewDocument, Place, ReadingOptions
from model.engine import Engine
from model.errors import DocumentError, LibraryError, PasswordNeeded, ReadonceError
from model.types import EncodedDocument, Precision, ProgressCallback

WATCH_SECONDS = 2.0  # between two looks at a folder

ReadingOf = Callable[[bool], ReadingOptions]
"""Whether a file took a password -> how it is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What became of a file."""

    path: Path
    outcome: Literal["added", "there", "failed"]
    encoded: EncodedDocument | None = None
    problem: str = ""


class Adding:
    """Adds files with one engine and one way of reading."""

    def __init__(
        self,
        *,
        library: Library,
        reader: DocumentReader,
        engine: Engine,
        precision: Precision,
        reading: ReadingOf,
        password: str | None = None,
    ) -> None:
        self._library = library
        self._reader = reader
        self._engine = engine
        self._precision = precision
        self._reading = reading
        self._password = password

    def add(self, path: Path, progress: ProgressCallback | None = None) -> Added:
        """Add one file. A full library is an error; a file that cannot be read is an outcome."""
        path = path.absolute()
        place = Place(folder=str(path.parent), name=path.name)
        try:
            self._reader.check(path, path.name)
            if self._is_there(path, place):
                return Added(path=path, outcome="there")
            encoded = self._read(path, place, progress)
        except LibraryError:
            raise
        except (ReadonceError, OSError) as error:
            problem = str(error) if isinstance(error, ReadonceError) else f"{path.name}: {error.strerror}"
            return Added(path=path, outcome="failed", problem=problem)
        return Added(path=path, outcome="added", encoded=encoded)

    def _is_there(self, path: Path, place: Place) -> bool:
        sha256, fingerprint = sha256_of(path), self._engine.checkpoint.fingerprint
        for protected in (False, True):
            stored = self._library.find(sha256, self._reading(protected).key)
            if stored is not None and self._library.encoding_file(stored, fingerprint, self._precision)[1]:
                self._library.put(place, stored)
                return True
        return False

    def _read(self, path: Path, place: Place, progress: ProgressCallback | None) -> EncodedDocument:
        data = path.read_bytes()
        read, protected = self._opened(data, path.name, progress)
        reading = self._reading(protected)
        try:
            encoded = self._engine.encode(
                read.document,
                views=reading.views,
                picture=read.picture,
                pan_and_scan=reading.pan_and_scan,
                progress=progress,
            )
        finally:
            read.images.close()
        self._library.add(NewDocument(data=data, place=place, reading=reading, encoded=encoded))
        self.index(0)
        return encoded

    def index(self, seconds: float) -> None:
        """Make the vectors that documents lack, those of the latest one first, for about so many seconds."""
        CoarseIndex(self._library, self._engine, self._precision).complete(seconds)

    def _opened(self, data: bytes, name: str, progress: ProgressCallback | None) -> tuple[ReadDocument, bool]:
        """The document, and whether it took the password: where none is needed, none is noted."""
        pages = self._reading(False).range or None
        try:
            return self._reader.read(data, name=name, pages=pages, progress=progress), False
        except PasswordNeeded:
            if self._password is None:
                raise
        return self._reader.read(data, name=name, pages=pages, password=self._password, progress=progress), True


def files_below(paths: Sequence[Path]) -> Iterator[Path]:
    """The files that are named, and the documents in the folders, in a fixed order.

    Hidden ones are left out, and what is no regular file: whoever opened a pipe would wait for ever.
    """
    for path in paths:
        if not path.exists():
            raise DocumentError("{path!r} is not there: name a file or a folder.", path=path)
        if not path.is_dir():
            yield path
            continue
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                file = Path(folder) / name
                if not name.startswith((".", "~$")) and name.lower().endswith(EXTENSIONS) and file.is_file():
                    yield file


def changed_files(paths: Sequence[Path], seconds: float = WATCH_SECONDS) -> Iterator[Path]:
    """For ever: files that appear or change, each when it has stayed the same from one look to the next."""
    before = {path: _state(path) for path in files_below(paths)}
    handled = dict(before)
    while True:
        time.sleep(seconds)
        now = {path: _state(path) for path in files_below(paths)}
        for path, state in now.items():
            if state is not None and state == before.get(path) != handled.get(path):
                handled[path] = state
                yield path
        before = now


def _state(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
