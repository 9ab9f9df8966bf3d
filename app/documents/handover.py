"""How messages go to a worker: over its standard input; on Linux that is a socket, and an open file can go along."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from io import BufferedIOBase
from typing import Any, Protocol, cast

from app.documents.limits import MIB
from app.documents.wire import Frame

FILES_GO_ALONG = sys.platform == "linux"
_MARK = b"\0"  # stands before each message; an open file goes with it
_LARGEST = 4 * MIB  # of a job: marks may be many

Receive = Callable[[], tuple[Frame, int | None]]


class Sender(Protocol):
    """The parent's end."""

    def send(self, frame: Frame, descriptor: int | None = None) -> None:
        """Send a message and, where there is one, an open file. Raises OSError where nobody listens any more."""

    def close(self) -> None:
        """Close this end: the worker ends when it has done what it is doing."""


def start_listening(command: Sequence[str], **options: Any) -> tuple[subprocess.Popen[bytes], Sender]:
    """Start a process that can be sent messages."""
    if not FILES_GO_ALONG:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, **options)
        return process, _PipeSender(cast(BufferedIOBase, process.stdin))
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            return subprocess.Popen(command, stdin=theirs.fileno(), **options), _SocketSender(ours)
        except BaseException:
            ours.close()
            raise


def standard_input() -> Receive:
    """The worker's end: each call waits for the next message. It raises EOFError when the parent is gone."""
    if not FILES_GO_ALONG:
        stream = sys.stdin.buffer
        return lambda: (_after_mark(stream.read), None)
    ours = socket.socket(fileno=os.dup(0))

    def receive() -> tuple[Frame, int | None]:
        mark, descriptors, _, _ = socket.recv_fds(ours, len(_MARK), 1)
        if not mark:
            raise EOFError("the parent is gone")
        return Frame.receive(lambda count: os.read(0, count), largest=_LARGEST), next(iter(descriptors), None)

    return receive


def _after_mark(read: Callable[[int], bytes]) -> Frame:
    if not read(len(_MARK)):
        raise EOFError("the parent is gone")
    return Frame.receive(read, largest=_LARGEST)


class _SocketSender:
    def __init__(self, ours: socket.socket) -> None:
        self._socket = ours

    def send(self, frame: Frame, descriptor: int | None = None) -> None:
        socket.send_fds(self._socket, [_MARK], [] if descriptor is None else [descriptor])
        self._socket.sendall(bytes(frame))

    def close(self) -> None:
        self._socket.close()


class _PipeSender:
    def __init__(self, stream: BufferedIOBase) -> None:
        self._stream = stream

    def send(self, frame: Frame, descriptor: int | None = None) -> None:  # noqa: ARG002 - none is given here
        self._stream.write(_MARK + bytes(frame))
        self._stream.flush()

    def close(self) -> None:
        self._stream.close()
