"""Landlock: a process gives up every file but those that it names. https://docs.kernel.org/userspace-api/landlock.html

What is given up cannot be had back, and threads that start later inherit it. It also hides other processes: a process
cannot be traced, and so its memory and environment not be read, from within.
"""

import ctypes
import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from app.documents.sandbox.kernel import system_call

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
_ASK_VERSION = 1
_PATH_BENEATH = 1

READ_FILE, READ_DIRECTORY = 1 << 2, 1 << 3
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}  # ABI -> how many rights on files it knows, counted from bit 0
_NETWORK_ABI, _CONNECT_OR_BIND_TCP = 4, 0b11
_SCOPE_ABI, _SIGNALS_AND_ABSTRACT_SOCKETS = 6, 0b11


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def abi() -> int:
    """The version of Landlock that this kernel has, from 1; 0 where it has none or has it switched off."""
    try:
        return system_call(_CREATE_RULESET, None, 0, _ASK_VERSION)
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM):
            return 0
        raise


def restrict(*, readable: Iterable[Path], nameless: Path) -> int:
    """Leave this thread nothing but reading what lies under `readable`; returns the ABI.

    Files in the folder `nameless` can be read too, but not listed: only who was handed one of them can open it.
    No new privileges must have been set. Raises OSError.
    """
    version = abi()
    if not version:
        raise OSError(errno.ENOSYS, "this kernel has no Landlock, or it is switched off")
    everything = (1 << max(count for least, count in _FILE_RIGHTS.items() if least <= version)) - 1
    handled = _Ruleset(
        files=everything,
        network=_CONNECT_OR_BIND_TCP if version >= _NETWORK_ABI else 0,
        scoped=_SIGNALS_AND_ABSTRACT_SOCKETS if version >= _SCOPE_ABI else 0,
    )
    size = 24 if version >= _SCOPE_ABI else 16 if version >= _NETWORK_ABI else 8
    ruleset = system_call(_CREATE_RULESET, handled, size, 0)
    try:
        for path in readable:
            _allow(ruleset, path, READ_FILE | READ_DIRECTORY)
        _allow(ruleset, nameless, READ_FILE)
        system_call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return version


def _allow(ruleset: int, path: Path, rights: int) -> None:
    """A path that is not there is passed over: what does not exist needs no permission."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        allowed = rights if is_folder else rights & READ_FILE
        system_call(_ADD_RULE, ruleset, _PATH_BENEATH, _PathBeneath(allowed=allowed, parent=descriptor), 0)
    finally:
        os.close(descriptor)
