"""An error in words for the person."""

import logging

from model.errors import ReadonceError


def in_words(error: Exception) -> str:
    """Our own errors say what to do; any other is our mistake: it is logged, without the person's data in the words."""
    if isinstance(error, ReadonceError):
        return str(error)
    if isinstance(error, MemoryError):
        return "The memory of this computer is used up. Forget some documents and try again."
    if type(error).__name__ == "OutOfMemoryError":  # torch's, without importing it
        return "The memory of the graphics card is used up. Forget some documents and try again."
    logging.getLogger("readonce").exception("A fault in Readonce", exc_info=error)
    return f"This failed through a fault in Readonce ({type(error).__name__}); the terminal shows where. Try again."
