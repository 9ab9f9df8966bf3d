"""Locks on files, which end with the process that holds them, in whatever way it ends."""

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

_LOOK_SECONDS: Final = 0.02  # between two tries


@contextlib.contextmanager
def sole_use(path: Path) -> Iterator[None]:
    """Wait until nobody else, in this process or another, has the sole use of `path`, and have it meanwhile.

    A file beside it is locked, which stays: `path` itself is replaced when it is written. Where locks do not work,
    everybody has it. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("ab") as file:
        while True:
            with contextlib.suppress(BlockingIOError):
                lock(file)
                break
            time.sleep(_LOOK_SECONDS)
        yield


def lock(file: BinaryIO) -> bool:
    """Lock an open file for this process; no where locks do not work. Raises BlockingIOError where another holds it."""
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(*error.args) from error
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:  # a file system without locks
        return False
    return True
