"""Where the web server has its files: a folder that no other program, user or start uses."""

import contextlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

SETTING: Final = "GRADIO_TEMP_DIR"  # Gradio's name for it; Gradio's own default is one folder for all its programs
PREFIX: Final = "readonce-web-"
STARTING_SECONDS: Final = 60.0  # a folder this young may not have its lock yet


@contextmanager
def private_folder(environment: MutableMapping[str, str] = os.environ) -> Iterator[Path]:
    """A new folder that only this user can open, in the one that the person has named, or in the system's.

    Gradio uses it, too, if it is imported while this lasts. Afterwards the folder is gone with all that is in it; what
    a start that was killed has left, the next one removes.
    """
    named = environment.get(SETTING)
    parent = Path(named or tempfile.gettempdir())
    parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(parent)
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=parent, ignore_cleanup_errors=True) as path:
        folder = Path(path).resolve()
        environment[SETTING] = str(folder)
        try:
            with _locked(folder):
                yield folder
        finally:
            if named is None:
                del environment[SETTING]
            else:
                environment[SETTING] = named


def remove_abandoned(parent: Path, *, youngest_seconds: float = STARTING_SECONDS) -> None:
    """Remove such folders of this user whose process has ended; one that lives holds a lock on its own.

    Windows locks no folders: there they stay until the system's temporary files are cleared.
    """
    for folder in parent.glob(f"{PREFIX}*") if fcntl else ():
        with contextlib.suppress(OSError):
            found = folder.lstat()
            old = time.time() - found.st_mtime >= youngest_seconds
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and old:
                with _locked(folder):
                    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which ends with the process; raises OSError where another process holds it."""
    if fcntl is None:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
