"""Calls to the Linux kernel for which Python has no function of its own."""

import ctypes
import os

Argument = int | ctypes.Array | ctypes.Structure | None


def prctl(option: int, value: Argument = 0, pointer: Argument = None) -> None:
    """prctl(2). Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    arguments = [_pointer_or_number(argument) for argument in (value, pointer)]
    _checked(libc.prctl(ctypes.c_int(option), *arguments, ctypes.c_ulong(0), ctypes.c_ulong(0)))


def system_call(number: int, *arguments: Argument) -> int:
    """A system call by its number. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    return _checked(libc.syscall(ctypes.c_long(number), *map(_pointer_or_number, arguments)))


def _pointer_or_number(argument: Argument) -> object:
    """As wide as a register either way: the C library takes these arguments without knowing their types."""
    if isinstance(argument, int):
        return ctypes.c_ulong(argument)
    return ctypes.c_void_p(None) if argument is None else ctypes.byref(argument)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
