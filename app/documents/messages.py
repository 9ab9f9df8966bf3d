"""What the parent and its worker say to each other.

The worker has opened files from outside: what it says back is unpickled with nothing but these few classes allowed.
"""

import pickle
from dataclasses import dataclass, field
from io import BufferedIOBase
from typing import Any

from app.documents.limits import Limits
from model.types import Cell, Page, Progress, Table, Word


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadJob:
    """Read the pages of a file."""

    path: str
    name: str
    password: str | None = field(default=None, repr=False)
    pages: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawJob:
    """Draw one page of a file, `width` pixels wide: as a JPEG, or as raw pixels."""

    path: str
    name: str
    number: int
    width: int
    raw: bool = False
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The worker has started; from here on its time counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A page as a JPEG, or as rows of red, green and blue."""

    image: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The job ended with an error that the person can do something about."""

    message: str
    needs_password: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The job is done; nothing more will be said about it."""


Job = ReadJob | DrawJob
Reply = Started | Progress | Page | Drawn | Failed | Finished
_REPLIES = {kind.__name__: kind for kind in (Started, Progress, Page, Word, Table, Cell, Drawn, Failed, Finished)}


class ReplyUnpickler(pickle.Unpickler):
    """Reads replies, and refuses to make anything else."""

    def find_class(self, module: str, name: str) -> Any:
        kind = _REPLIES.get(name)
        if kind is None or kind.__module__ != module:
            raise pickle.UnpicklingError(f"a worker may not send a {module}.{name}")
        return kind


def send(stream: BufferedIOBase, message: Limits | Job | Reply) -> None:
    """Write one message."""
    pickle.dump(message, stream, protocol=pickle.HIGHEST_PROTOCOL)
    stream.flush()
