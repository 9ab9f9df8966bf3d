"""Private copies of documents: they outlive the upload, and go with their last reader even if that is killed."""

import contextlib
import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.documents.limits import MIB
from app.temporary import temporary_folder
from model.errors import DocumentError


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateCopy:
    """A copy of a document's bytes, and their SHA-256.

    On Linux it is an open file (`descriptor`, for reading only) that has no name any more, so nobody else can open it,
    and nothing of it stays when this process ends in whatever way; elsewhere it is a file with a name (`path`).
    """

    key: str  # names this copy, and no other, in this process
    sha256: str
    descriptor: int | None = None
    path: Path | None = None

    def close(self) -> None:
        """Let go of the copy. Do it once."""
        if self.descriptor is not None:
            os.close(self.descriptor)
        if self.path is not None:
            with contextlib.suppress(OSError):
                self.path.unlink()


def documents_folder() -> Path:
    """Where copies lie for as long as they have a name; on Linux, between being made and being written only."""
    return temporary_folder("documents")


def private_copy(source: Path | bytes, name: str) -> PrivateCopy:
    """Copy a document. Raises DocumentError."""
    digest = hashlib.sha256()
    try:
        handle, made = tempfile.mkstemp(dir=documents_folder())
    except OSError as error:
        raise _not_copied(name, error) from error
    copy, path = None, Path(made)
    try:
        with os.fdopen(handle, "wb") as file:
            copy = _without_name(handle, path)
            for block in _blocks(source):
                digest.update(block)
                file.write(block)
    except BaseException as error:
        _discard(copy, path)
        if isinstance(error, OSError):
            raise _not_copied(name, error) from error
        raise
    sha256 = digest.hexdigest()
    return PrivateCopy(key=path.name, sha256=sha256, descriptor=copy, path=None if copy is not None else path)


def _without_name(handle: int, path: Path) -> int | None:
    """Take the file's name away and return a descriptor for reading; None where the system cannot open it again."""
    if sys.platform != "linux":
        return None
    try:
        reading = os.open(f"/proc/self/fd/{handle}", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:  # a system without /proc
        return None
    path.unlink()
    os.fchmod(handle, 0o444)  # for a worker that is another user; without a name nobody else comes near
    return reading


def _discard(descriptor: int | None, path: Path) -> None:
    if descriptor is not None:
        os.close(descriptor)
    with contextlib.suppress(OSError):
        path.unlink()


def _not_copied(name: str, error: OSError) -> DocumentError:
    return DocumentError(f"{name!r} cannot be copied ({error.strerror}): check the file and the disk.")


def _blocks(source: Path | bytes) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
        return
    with source.open("rb") as file:
        yield from iter(lambda: file.read(MIB), b"")
