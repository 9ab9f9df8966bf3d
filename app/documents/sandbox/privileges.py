"""A worker that was started by root is root no longer; whoever started it, it has no capability."""

import contextlib
import ctypes
import importlib.util
import os
from collections.abc import Iterable
from pathlib import Path

from app.documents.sandbox.kernel import system_call

NOBODY = 65_534
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION_3 = 0x2008_0522
_LOADED_LATER = ("rapidocr", "onnxruntime", "cv2")  # at the first page without text, when the process is confined


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("process", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def drop_privileges(machine: str, readable: Iterable[Path]) -> str:
    """Become nobody where root started this and nobody may read the libraries; then give every capability up.

    Returns what was done, for a person. Raises OSError.
    """
    was_root = os.getuid() == 0
    became_nobody = was_root and _nobody_can_read(readable)
    if became_nobody:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    header, sets = _Header(version=_CAPABILITY_VERSION_3, process=0), (_Sets * 2)()
    system_call(_CAPSET[machine], header, sets)
    if became_nobody:
        return "the user nobody, without capabilities"
    return "root without capabilities (nobody may not read the libraries)" if was_root else "without capabilities"


def _nobody_can_read(paths: Iterable[Path]) -> bool:
    """Tried as nobody for a moment: a virtual environment under /root is closed to every other user."""
    specs = [importlib.util.find_spec(name) for name in _LOADED_LATER]
    needed = [*paths, *(Path(spec.origin) for spec in specs if spec is not None and spec.origin)]
    present = [path for path in needed if path.exists()]
    groups = os.getgroups()
    try:
        os.setgroups([])
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
        return all(os.access(path, os.R_OK, effective_ids=True) for path in present)
    except PermissionError:  # root in a container that may not become another user
        return False
    finally:
        os.seteuid(0)
        os.setegid(0)
        with contextlib.suppress(PermissionError):
            os.setgroups(groups)
