"""What a confined worker may still read: Python, its libraries, fonts, models, and what the system tells of itself."""

import os
import sys
from pathlib import Path

_SYSTEM = (
    "/lib",
    "/lib32",
    "/lib64",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/local/lib",
    "/nix/store",
    "/gnu/store",
    "/etc/ld.so.cache",
    "/etc/fonts",
    "/etc/localtime",
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/usr/share/zoneinfo",
    "/usr/share/tesseract-ocr",
    "/usr/share/tessdata",
    "/dev/null",
    "/dev/urandom",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/devices/system",
)


def readable_paths(root: Path) -> list[Path]:
    """Folders and files, some of which may not exist. root: the project's own folder.

    Of that only the code is readable, and no folder that holds it or a person's home: people keep documents there.
    """
    libraries = [Path(entry).resolve() for entry in sys.path if entry and Path(entry).is_absolute()]
    installed = [Path(prefix).resolve() / "lib" for prefix in (sys.prefix, sys.base_prefix)]
    private = (root, Path(os.path.expanduser("~")).resolve())  # noqa: PTH111 - which does not raise for a user without a home
    public = [path for path in (*libraries, *installed) if not any(one.is_relative_to(path) for one in private)]
    return [*dict.fromkeys(public), root / "app", root / "model", *map(Path, _SYSTEM)]
