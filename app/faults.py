"""An error in words for the person, and what of it is logged."""

import errno
import logging
import traceback

from model.errors import Message, ReadonceError

_FULL = (errno.ENOSPC, errno.EDQUOT)


def in_words(error: Exception) -> Message:
    """Our own errors say what to do; any other is our mistake, and is logged."""
    if isinstance(error, ReadonceError):
        return error.message
    if is_full_disk(error):
        return Message("The disk of this computer is full. Free space on it and try again.")
    if isinstance(error, MemoryError):
        return Message("The memory of this computer is used up. Forget some documents and try again.")
    if type(error).__name__ == "OutOfMemoryError":  # torch's, without importing it
        return Message("The memory of the graphics card is used up. Forget some documents and try again.")
    log_fault(error)
    return Message(
        "This failed through a fault in Readonce ({fault}); the terminal shows where. Try again.",
        fault=type(error).__name__,
    )


def is_full_disk(error: BaseException) -> bool:
    """Whether something could not be written because there is no room for it."""
    return isinstance(error, OSError) and error.errno in _FULL


def log_fault(error: Exception) -> None:
    """The kind of error and the lines of the program that led to it. What it says may quote a document: that is left
    out.
    """
    where = "".join(traceback.format_tb(error.__traceback__))
    logging.getLogger("readonce").error("A fault in Readonce: %s\n%s", type(error).__name__, where)
