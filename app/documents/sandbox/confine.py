"""Bound this process for good, in steps: a step that this machine does not offer is reported, and the others stand."""

import contextlib
import errno
import os
import platform
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from app.documents.limits import MIB, Limits
from app.documents.messages import Confinement
from app.documents.sandbox import landlock, seccomp
from app.documents.sandbox.kernel import prctl
from app.documents.sandbox.privileges import drop_privileges
from app.documents.sandbox.readable import readable_paths

_SET_PARENT_DEATH_SIGNAL, _SET_NO_NEW_PRIVILEGES = 1, 38  # prctl
MOST_OPEN_FILES = 128
LINUX_ONLY = ("network", "files", "programs and other processes", "end with the parent", "privileges")

Step = tuple[str, Callable[[], str]]


def confine(limits: Limits, *, root: Path, documents: Path, parent: int) -> Confinement:
    """Call it when everything is imported and nothing foreign has been looked at, before a second thread is started.

    root: the project's folder; documents: where files lie that are handed in; parent: the process that started this.
    """
    sys.dont_write_bytecode = True
    steps: list[Step] = [("memory, processor time, open files", lambda: _bound_resources(limits))]
    if sys.platform == "linux":
        readable = readable_paths(root)
        steps += [  # in this order: a change of the user undoes the signal, and files cannot be named behind the filter
            ("privileges", lambda: drop_privileges(platform.machine(), readable)),
            ("end with the parent", lambda: _end_with(parent)),
            ("no new privileges", _give_up_privileges),
            ("files", lambda: _give_up_files(readable, documents)),
            ("network, programs, other processes", _give_up_calls),
        ]
    holds: list[str] = []
    lacks: list[str] = (
        [] if sys.platform == "linux" else [f"{part} ({sys.platform} offers none)" for part in LINUX_ONLY]
    )
    for part, step in steps:
        try:
            holds.append(step())
        except (OSError, ImportError, KeyError) as error:
            lacks.append(f"{part} ({getattr(error, 'strerror', None) or error})")
    return Confinement(holds=tuple(holds), lacks=tuple(lacks))


def end_with_parent() -> None:
    """From now on this process is killed when the thread ends that started it, where the system can do that."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            prctl(_SET_PARENT_DEATH_SIGNAL, int(signal.SIGKILL))


def _bound_resources(limits: Limits) -> str:
    import resource  # not on Windows

    seconds = limits.worker_seconds
    bounds = {
        "RLIMIT_AS": limits.worker_bytes,
        "RLIMIT_CPU": seconds,
        "RLIMIT_NOFILE": MOST_OPEN_FILES,
        "RLIMIT_FSIZE": 0,
        "RLIMIT_CORE": 0,
    }
    kept = []
    for name, bound in bounds.items():
        try:
            resource.setrlimit(getattr(resource, name), (bound, bound))
            kept.append(name)
        except (OSError, ValueError):  # macOS refuses RLIMIT_AS
            continue
    memory = f"{limits.worker_bytes // MIB:,} MiB of memory, " if "RLIMIT_AS" in kept else ""
    return f"at most {memory}{seconds:,} s of processor time, no growing file ({', '.join(kept)})"


def _end_with(parent: int) -> str:
    """The signal comes when the *thread* ends that started this process, so that has to be one that stays."""
    prctl(_SET_PARENT_DEATH_SIGNAL, int(signal.SIGKILL))
    if os.getppid() != parent:  # it ended before the signal was asked for
        sys.exit("the parent has ended")
    return "ends with its parent (PDEATHSIG)"


def _give_up_privileges() -> str:
    prctl(_SET_NO_NEW_PRIVILEGES, 1)
    return "no new privileges (no_new_privs)"


def _give_up_files(readable: list[Path], documents: Path) -> str:
    _check_single_thread()
    version = landlock.restrict(readable=readable, nameless=documents)
    return f"reads its document, libraries and fonts, and writes nothing (Landlock, ABI {version})"


def _give_up_calls() -> str:
    _check_single_thread()
    seccomp.install(os.getpid())
    return "no network, no new program, no other process (seccomp)"


def _check_single_thread() -> None:
    """What is given up is given up by one thread and those that it starts."""
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads != 1:
        raise OSError(errno.EBUSY, f"{threads} threads have been started already")
