"""Private copies of documents: they outlive the upload, and go with their last reader even if that is killed."""

import contextlib
import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from app.documents.limits import MIB
from app.temporary import temporary_folder
from model.errors import DocumentError
from model.storage.owned_folder import owned_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateCopy:
    """A copy of a document's bytes, and their SHA-256.

    On Linux it is an open file (`descriptor`, for reading only) that has no name any more, so nobody else can open it,
    and nothing of it stays when this process ends in whatever way; elsewhere it is a file with a name (`path`) in a
    folder that this process owns, and that the next copy of another process sweeps when this one has ended.
    """

    key: str  # names this copy, and no other, in this process
    sha256: str
    descriptor: int | None = None
    path: Path | None = None
    folder: contextlib.ExitStack  # closing it deletes the folder; without a name, it is closed already

    @property
    def path_text(self) -> str | None:
        """The path as jobs have it; None where the copy has no name."""
        return None if self.path is None else str(self.path)

    def lent(self) -> "PrivateCopy":
        """The same copy for a while, to be closed: this one may be closed meanwhile, and another file get its number.

        Raises OSError where too many files are open.
        """
        descriptor = None if self.descriptor is None else os.dup(self.descriptor)
        return replace(self, descriptor=descriptor, folder=contextlib.ExitStack())

    def close(self) -> None:
        """Let go of the copy. Do it once."""
        if self.descriptor is not None:
            os.close(self.descriptor)
        self.folder.close()


def documents_folder() -> Path:
    """Where copies lie for as long as they have a name; on Linux, between being made and being written only."""
    return temporary_folder("documents")


def private_copy(source: Path | bytes, name: str, *, keep_name: bool = sys.platform != "linux") -> PrivateCopy:
    """Copy a document. `keep_name`: as a system needs it where a file without a name cannot be handed on.

    Raises DocumentError.
    """
    try:
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(owned_folder(documents_folder(), "copy"))
            path = folder / "document"
            sha256, descriptor = _written(source, path, keep_name=keep_name)
            has_name = descriptor is None
            return PrivateCopy(
                key=folder.name,
                sha256=sha256,
                descriptor=descriptor,
                path=path if has_name else None,
                folder=stack.pop_all() if has_name else contextlib.ExitStack(),
            )
    except OSError as error:
        raise _not_copied(name, error) from error


def _written(source: Path | bytes, path: Path, *, keep_name: bool) -> tuple[str, int | None]:
    """Write the copy; its SHA-256, and a descriptor for reading where it has no name. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("xb") as file:
        descriptor = None if keep_name else _without_name(file.fileno(), path)
        try:
            for block in _blocks(source):
                digest.update(block)
                file.write(block)
            file.flush()
        except BaseException:
            if descriptor is not None:
                os.close(descriptor)
            raise
    return digest.hexdigest(), descriptor


def _without_name(handle: int, path: Path) -> int | None:
    """Take the file's name away and return a descriptor for reading; None where the system cannot open it again."""
    try:
        reading = os.open(f"/proc/self/fd/{handle}", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:  # a system without /proc
        return None
    path.unlink()
    os.fchmod(handle, 0o444)  # for a worker that is another user; without a name nobody else comes near
    return reading


def _not_copied(name: str, error: OSError) -> DocumentError:
    return DocumentError(
        "{name!r} cannot be copied ({why}): check the file and the disk.", name=name, why=error.strerror
    )


def _blocks(source: Path | bytes) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
        return
    with source.open("rb") as file:
        yield from iter(lambda: file.read(MIB), b"")
