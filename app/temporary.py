"""One folder for everything temporary of this app: what a run left that was ended by force can be found and swept."""

import contextlib
import os
import stat
import tempfile
from pathlib import Path


def temporary_folder(*parts: str) -> Path:
    """`readonce-USER` in the system's temporary folder, or a folder below it; made where it is missing.

    Only its owner may enter. Where another has taken the name, a new folder is made with a name that nobody can guess.
    """
    user = os.getuid() if hasattr(os, "getuid") else os.getlogin()
    folder = Path(tempfile.gettempdir()) / f"readonce-{user}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if not _is_private(folder):
        folder = Path(tempfile.mkdtemp(prefix="readonce-"))
    inner = folder.joinpath(*parts)
    inner.mkdir(mode=0o700, parents=True, exist_ok=True)
    return inner


def _is_private(folder: Path) -> bool:
    """Whether it is a folder of our own that nobody else may enter; Windows gives each user a temporary folder."""
    if not hasattr(os, "getuid"):
        return True
    status = folder.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077
