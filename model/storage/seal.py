"""A folder that says whether it is damaged: a file in it holds the SHA-256 of all the others."""

import hashlib
import json
from pathlib import Path

SEAL = "readonce.json"


def seal(folder: Path) -> None:
    """Note what the files of a finished folder are. Raises OSError."""
    (folder / SEAL).write_text(json.dumps({"sha256": _hashes(folder)}, indent=1), encoding="utf-8")


def is_whole(folder: Path) -> bool:
    """Whether the folder is sealed, and every file is as it was then. All of it is read."""
    try:
        noted = json.loads((folder / SEAL).read_text(encoding="utf-8"))["sha256"]
        return bool(noted == _hashes(folder))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _hashes(folder: Path) -> dict[str, str]:
    """By name. Subfolders are none of a checkpoint's."""
    found = {}
    for path in sorted(path for path in folder.iterdir() if path.is_file() and path.name != SEAL):
        with path.open("rb") as file:
            found[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found
