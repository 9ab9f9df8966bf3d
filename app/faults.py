"""An error in words for the person, and what of it is logged."""

import logging
import traceback

from model.errors import ReadonceError


def in_words(error: Exception) -> str:
    """Our own errors say what to do; any other is our mistake, and is logged."""
    if isinstance(error, ReadonceError):
        return str(error)
    if isinstance(error, MemoryError):
        return "The memory of this computer is used up. Forget some documents and try again."
    if type(error).__name__ == "OutOfMemoryError":  # torch's, without importing it
        return "The memory of the graphics card is used up. Forget some documents and try again."
    log_fault(error)
    return f"This failed through a fault in Readonce ({type(error).__name__}); the terminal shows where. Try again."


def log_fault(error: Exception) -> None:
    """The kind of error and the lines of the program that led to it. What it says may quote a document: that is left
    out.
    """
    where = "".join(traceback.format_tb(error.__traceback__))
    logging.getLogger("readonce").error("A fault in Readonce: %s\n%s", type(error).__name__, where)
