"""The system calls that a worker needs, and their numbers: everything else does not exist for it.

Numbers: `asm/unistd_64.h` of x86-64, and `asm-generic/unistd.h`, which is that of aarch64. They never change.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A call is allowed only where `argument & mask == value`; arguments count from 0 and have 64 bits."""

    argument: int
    mask: int
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemCall:
    """A call by its numbers; None where the architecture does not have it. Any of the alternatives allows it."""

    x86_64: int
    aarch64: int | None
    alternatives: Sequence[Sequence[Condition]] = ((),)


# fmt: off
_UNCONDITIONAL: dict[str, tuple[int, int | None]] = {
    # open files, and the one socket over which documents are handed in
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "lseek": (8, 62), "pread64": (17, 67), "readv": (19, 65),
    "writev": (20, 66), "dup": (32, 23), "recvmsg": (47, 212), "fadvise64": (221, 223),
    "poll": (7, None), "ppoll": (271, 73), "select": (23, None), "pselect6": (270, 72),
    # what is where
    "stat": (4, None), "fstat": (5, 80), "lstat": (6, None), "newfstatat": (262, 79), "statx": (332, 291),
    "access": (21, None), "faccessat": (269, 48), "faccessat2": (439, 439), "readlink": (89, None),
    "readlinkat": (267, 78), "getdents64": (217, 61), "getcwd": (79, 17), "statfs": (137, 43), "fstatfs": (138, 44),
    # memory
    "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215), "brk": (12, 214), "mremap": (25, 216),
    "mincore": (27, 232), "madvise": (28, 233), "mlock": (149, 228), "munlock": (150, 229), "membarrier": (324, 283),
    # own threads and signals
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "sigaltstack": (131, 132),
    "restart_syscall": (219, 128), "futex": (202, 98), "set_robust_list": (273, 99), "get_robust_list": (274, 100),
    "set_tid_address": (218, 96), "rseq": (334, 293), "exit": (60, 93), "exit_group": (231, 94),
    "sched_yield": (24, 124), "sched_getaffinity": (204, 123), "sched_setaffinity": (203, 122),
    "sched_getparam": (143, 121), "sched_getscheduler": (145, 120), "sched_get_priority_max": (146, 125),
    "sched_get_priority_min": (147, 126), "getcpu": (309, 168),
    # time, chance and itself
    "nanosleep": (35, 101), "clock_nanosleep": (230, 115), "clock_gettime": (228, 113), "clock_getres": (229, 114),
    "gettimeofday": (96, 169), "time": (201, None), "times": (100, 153), "getrandom": (318, 278),
    "getrusage": (98, 165), "getrlimit": (97, 163), "sysinfo": (99, 179), "uname": (63, 160), "getpid": (39, 172),
    "gettid": (186, 178), "getppid": (110, 173), "getuid": (102, 174), "geteuid": (107, 175), "getgid": (104, 176),
    "getegid": (108, 177), "getgroups": (115, 158), "getresuid": (118, 148), "getresgid": (120, 150),
}
# fmt: on

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_CLONE_THREAD = 0x0001_0000
_CLONE_NAMESPACES = 0x7E02_0080  # NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET, NEWNS, NEWTIME
_TERMINAL_ATTRIBUTES, _CLOSE_ON_EXEC = 0x5401, 0x5451  # ioctl: Python asks of an opened file whether it is a terminal
_FILE_CONTROLS = (1, 2, 3, 4, 1030)  # fcntl: GETFD, SETFD, GETFL, SETFL, DUPFD_CLOEXEC; none that says whom to signal
_MATRIX_TILES = 0x1023  # arch_prctl: REQ_XCOMP_PERM, before a thread uses AMX
_NAMES = (15, 16, 0x5356_4D41)  # prctl: SET_NAME, GET_NAME, SET_VMA, which names threads and memory
_LOW, _ALL = 0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF


def allowed_calls(process_id: int) -> list[SystemCall]:
    """What the worker with that process id may call."""
    calls = [SystemCall(x86_64=x86_64, aarch64=aarch64) for x86_64, aarch64 in _UNCONDITIONAL.values()]
    reads = Condition(argument=1, mask=_WRITES, value=0)
    reads_at = Condition(argument=2, mask=_WRITES, value=0)
    thread = Condition(argument=0, mask=_CLONE_THREAD | _CLONE_NAMESPACES, value=_CLONE_THREAD)
    own = Condition(argument=0, mask=_LOW, value=process_id)
    asks_limit = Condition(argument=2, mask=_ALL, value=0)  # no new value
    return [
        *calls,
        SystemCall(x86_64=2, aarch64=None, alternatives=[[reads]]),  # open
        SystemCall(x86_64=257, aarch64=56, alternatives=[[reads_at]]),  # openat
        SystemCall(x86_64=56, aarch64=220, alternatives=[[thread]]),  # clone
        SystemCall(x86_64=234, aarch64=131, alternatives=[[own]]),  # tgkill: abort() ends the process by it
        SystemCall(x86_64=302, aarch64=261, alternatives=[[asks_limit]]),  # prlimit64
        SystemCall(x86_64=158, aarch64=None, alternatives=_either(0, (_MATRIX_TILES,))),  # arch_prctl
        SystemCall(x86_64=16, aarch64=29, alternatives=_either(1, (_TERMINAL_ATTRIBUTES, _CLOSE_ON_EXEC))),  # ioctl
        SystemCall(x86_64=72, aarch64=25, alternatives=_either(1, _FILE_CONTROLS)),  # fcntl
        SystemCall(x86_64=157, aarch64=167, alternatives=_either(0, _NAMES)),  # prctl
    ]


def _either(argument: int, values: Sequence[int]) -> list[list[Condition]]:
    return [[Condition(argument=argument, mask=_LOW, value=value)] for value in values]
