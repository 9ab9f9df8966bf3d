"""seccomp: a filter in front of all system calls. https://docs.kernel.org/userspace-api/seccomp_filter.html

The filter is a program for the kernel's classic BPF machine, which looks at the number and the arguments of every call.
What is not allowed answers ENOSYS, as a kernel without that call would: the C library knows ways around most of those,
and a library that tries to reach a network gives up as it does without one.
"""

import ctypes
import errno
import platform
from collections.abc import Iterable, Sequence

from app.documents.sandbox.kernel import prctl
from app.documents.sandbox.system_calls import Condition, SystemCall, allowed_calls

_SET_SECCOMP, _FILTER_MODE = 22, 2  # prctl
ARCHITECTURES = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}  # AUDIT_ARCH_*: machine -> what the filter is told

ALLOW, KILL_PROCESS = 0x7FFF_0000, 0x8000_0000
REFUSE = 0x0005_0000 | errno.ENOSYS

LOAD, AND, JUMP_IF_EQUAL, RETURN = 0x20, 0x54, 0x15, 0x06  # BPF_LD | W | ABS, BPF_ALU | AND, BPF_JMP | JEQ, BPF_RET
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data

Instruction = tuple[int, int, int, int]  # code, instructions to skip if true, if false, operand


class _SockFilter(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32))


class _SockFprog(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_SockFilter)))


def install(process_id: int) -> None:
    """Put the filter before all calls of this process, which must have one thread. Raises OSError.

    No new privileges must have been set.
    """
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"no filter was written for the architecture {machine}")
    instructions = program(machine, allowed_calls(process_id))
    array = (_SockFilter * len(instructions))(*(_SockFilter(*one) for one in instructions))
    prctl(_SET_SECCOMP, _FILTER_MODE, _SockFprog(length=len(instructions), filter=array))


def program(machine: str, calls: Iterable[SystemCall]) -> list[Instruction]:
    """The filter for that architecture; a call by another one's numbers (32 bits) ends the process."""
    instructions: list[Instruction] = [
        (LOAD, 0, 0, _ARCHITECTURE),
        (JUMP_IF_EQUAL, 1, 0, ARCHITECTURES[machine]),
        (RETURN, 0, 0, KILL_PROCESS),
        (LOAD, 0, 0, _NUMBER),
    ]
    for call in calls:
        number = call.x86_64 if machine == "x86_64" else call.aarch64
        if number is not None:
            decision = _decide(call.alternatives)
            instructions += [(JUMP_IF_EQUAL, 0, len(decision), number), *decision]
    return [*instructions, (RETURN, 0, 0, REFUSE)]


def _decide(alternatives: Sequence[Sequence[Condition]]) -> list[Instruction]:
    """Allow a call that meets all conditions of one alternative, refuse any other."""
    decision: list[Instruction] = []
    for conditions in alternatives:
        tests = [test for condition in conditions for test in _tests(condition)]
        for index, (offset, mask, value) in enumerate(tests):
            to_next_alternative = 3 * (len(tests) - index - 1) + 1
            decision += [
                (LOAD, 0, 0, offset),
                (AND, 0, 0, mask),
                (JUMP_IF_EQUAL, 0, to_next_alternative, value),
            ]
        decision.append((RETURN, 0, 0, ALLOW))
    return [*decision, (RETURN, 0, 0, REFUSE)] if all(alternatives) else decision


def _tests(condition: Condition) -> Iterable[tuple[int, int, int]]:
    """The machine has 32 bits, so an argument is compared in two halves (the lower one first in memory)."""
    for half in range(2):
        mask, value = (number >> 32 * half & 0xFFFF_FFFF for number in (condition.mask, condition.value))
        if mask:
            yield _FIRST_ARGUMENT + 8 * condition.argument + 4 * half, mask, value
