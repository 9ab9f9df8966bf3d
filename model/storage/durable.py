"""Writing so that a crash leaves the old file or the new one, whole: beside its place, flushed to the disk, renamed."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from model.storage.owned_folder import owned_folder


def write_durably(path: Path, write: Callable[[Path], object]) -> None:
    """Have a file written, and put it at `path` when all of it is on the disk.

    `write` gets the path to write to. It may put another file there, as safetensors does. Raises OSError, and whatever
    `write` raises; then `path` is as it was.
    """
    with owned_folder(path.parent, "saving") as folder:
        part = folder / path.name
        write(part)
        place_durably(part, path)


def place_durably(made: Path, path: Path) -> None:
    """Put a finished file or folder at `path`, in place of a file that is there; both lie on one file system."""
    for file in [found for found in made.rglob("*") if found.is_file()] if made.is_dir() else [made]:
        with file.open("r+b") as opened:  # Windows flushes only what is open for writing
            os.fsync(opened.fileno())
    made.replace(path)
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """The new name is on the disk, too. Windows opens no folders, and has no need to."""
    if os.name != "nt":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            with contextlib.suppress(OSError):  # some file systems refuse, such as those over a network
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
