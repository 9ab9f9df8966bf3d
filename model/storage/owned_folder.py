"""Folders for what is being made. Each has an owner, this process; what a killed one has left goes at the next start.

Beside the folder lies a file that its owner holds locked. The lock ends with the process, in whatever way it ends, so a
file that can be locked is nobody's any more. Where locks do not work, only what is very old is taken for left behind.
"""

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from model.storage.locks import lock

_PREFIX = ".readonce-"
_LOCK = ".lock"
_OLD_SECONDS = 7 * 86_400.0  # after which what cannot be locked is taken for left behind


@contextlib.contextmanager
def owned_folder(parent: Path, purpose: str) -> Iterator[Path]:
    """A new folder in `parent`, which is made where it is missing; afterwards it is gone with all that is in it.

    What other processes have left in `parent` is swept first. Raises OSError.
    """
    parent.mkdir(parents=True, exist_ok=True)
    sweep(parent)
    folder = parent / f"{_PREFIX}{purpose}-{secrets.token_hex(8)}"
    lock_path = folder.with_name(folder.name + _LOCK)
    with _owner(lock_path):
        try:
            folder.mkdir(mode=0o700)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def sweep(parent: Path) -> None:
    """Delete the folders in `parent` whose owner is gone. What another process still makes stays."""
    for lock_path in parent.glob(f"{_PREFIX}*{_LOCK}"):
        with contextlib.suppress(OSError):
            with lock_path.open("r+b") as file:
                left = lock(file) or _is_old(lock_path)
                if left:
                    shutil.rmtree(lock_path.with_name(lock_path.name.removesuffix(_LOCK)), ignore_errors=True)
                if left and os.name != "nt":  # while it is locked, so that nobody else holds it
                    lock_path.unlink()
            if left and os.name == "nt":  # where no file is deleted that is open
                lock_path.unlink()


@contextlib.contextmanager
def _owner(lock_path: Path) -> Iterator[None]:
    """Make the file and hold it locked meanwhile; afterwards it is gone."""
    file = _locked(lock_path)
    try:
        yield
    finally:
        file.close()  # before it is deleted: Windows deletes no file that is open
        lock_path.unlink(missing_ok=True)


def _locked(lock_path: Path) -> BinaryIO:
    """The file, made and locked. Where a sweep came between the two, it is made once more."""
    while True:
        file = lock_path.open("wb")
        try:
            with contextlib.suppress(BlockingIOError, FileNotFoundError):
                lock(file)
                if os.path.samestat(os.fstat(file.fileno()), lock_path.stat()):
                    return file
        except BaseException:
            file.close()
            raise
        file.close()


def _is_old(path: Path) -> bool:
    return time.time() - path.stat().st_mtime > _OLD_SECONDS
