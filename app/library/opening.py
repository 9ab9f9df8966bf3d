"""Opening the library that the settings name."""

import hashlib
from pathlib import Path

from app.library.library import Library
from app.settings import Settings
from model.errors import LibraryError


def open_library(settings: Settings) -> Library:
    """The library, made where it is missing. Raises LibraryError where there is to be none."""
    if settings.library is None:
        raise LibraryError(
            "There is no library: READONCE_LIBRARY says off, or others can reach this app. Set READONCE_LIBRARY to a "
            "folder of your own."
        )
    return Library.open(settings.library, capacity_bytes=settings.disk_bytes)


def existing_library(settings: Settings) -> Library | None:
    """The library, if there is one already: a command that only asks makes none."""
    if settings.library is None or not (settings.library / "library.sqlite").exists():
        return None
    return open_library(settings)


def sha256_of(path: Path) -> str:
    """Of a file's bytes. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
