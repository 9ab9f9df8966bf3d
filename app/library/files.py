"""The library's files beside its database: originals and encodings, each named by what is in it."""

import contextlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from model.storage.durable import place_durably
from model.storage.owned_folder import owned_folder, sweep

ENCODING_SUFFIX = ".safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodingName:
    """What names an encoding: the file's SHA-256, how it was read, by which checkpoint, and in which numbers."""

    sha256: str
    reading: str
    fingerprint: str
    precision: str

    def __str__(self) -> str:
        return f"{self.sha256}-{self.reading}-{self.fingerprint}-{self.precision}{ENCODING_SUFFIX}"


class FileStore:
    """Files are put in place and deleted only within a transaction of the database."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._originals = folder / "files"
        self._encodings = folder / "encodings"

    def make_folders(self) -> None:
        """Folders that only their owner may enter. Raises OSError."""
        for folder in (self._folder, self._originals, self._encodings):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)

    def original(self, sha256: str) -> Path:
        return self._originals / sha256

    def encoding(self, name: EncodingName) -> Path:
        return self._encodings / str(name)

    @contextlib.contextmanager
    def staging(self) -> Iterator[Path]:
        """A folder for files that are being made: if this process is killed, the next one deletes it."""
        with owned_folder(self._folder, "adding") as folder:
            yield folder

    @staticmethod
    def put(made: Path, path: Path) -> None:
        """Put a finished file in its place, durably; one that is there is the same, and stays if it is whole."""
        if not (path.exists() and path.stat().st_size == made.stat().st_size):
            place_durably(made, path)

    @staticmethod
    def delete(path: Path) -> None:
        with contextlib.suppress(OSError):  # where a file that is mapped cannot be deleted, the next start does it
            path.unlink(missing_ok=True)

    def sweep_staging(self) -> None:
        """Delete what killed processes were making."""
        sweep(self._folder)

    def unnamed(self, named: Collection[Path]) -> Iterator[Path]:
        """The files in place that are not among the named ones."""
        for folder in (self._originals, self._encodings):
            yield from (path for path in folder.iterdir() if path not in named)
