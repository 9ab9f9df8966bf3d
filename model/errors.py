"""The one error tree of the project.

    ReadonceError
    ├── DocumentError
    │   └── PasswordNeeded
    ├── CheckpointError
    ├── QuestionError
    ├── EncodingError
    ├── KernelError
    ├── LibraryError
    └── Cancelled

A message says what is wrong, the actual value, and the fix. Only the page's handlers turn one into `gr.Error`,
only the command line turns one into an exit status.
"""

from collections.abc import Callable


class ReadonceError(Exception):
    """Anything that the person can do something about."""


class DocumentError(ReadonceError):
    """A file cannot be read as a document."""


class PasswordNeeded(DocumentError):
    """The document is encrypted and no password, or a wrong one, was given."""


class CheckpointError(ReadonceError):
    """A checkpoint cannot be found, fetched or used."""


class QuestionError(ReadonceError):
    """A question cannot be asked as it stands."""


class EncodingError(ReadonceError):
    """A saved encoding is damaged or belongs to another checkpoint."""


class KernelError(ReadonceError):
    """Native code cannot be compiled or loaded here; PyTorch's operations do the same more slowly."""


class LibraryError(ReadonceError):
    """The library on the disk cannot do what is asked: it is full, damaged, or off."""


class Cancelled(ReadonceError):
    """The person stopped the work; nothing is wrong."""


def raise_if_cancelled(cancelled: Callable[[], bool] | None, message: str) -> None:
    """Raises Cancelled with this message where the person stopped the work."""
    if cancelled is not None and cancelled():
        raise Cancelled(message)
