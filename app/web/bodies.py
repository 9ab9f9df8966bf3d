"""The body of a request: how large it is comes before its bytes, and it must keep coming."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from starlette.types import Message, Receive

from app.web.refusals import RequestRefused

JSON_BYTES: Final = 4 * 1024 * 1024  # of everything but uploads: 500 long questions are a quarter of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How slowly a body may come. It must be complete after `grace_seconds` and the time that its bytes may take."""

    grace_seconds: float = 30.0
    bytes_a_second: int = 10_000

    def deadline(self, began: float, received: int) -> float:
        return began + self.grace_seconds + received / self.bytes_a_second


def declared_bytes(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """What `Content-Length` says; None where nothing is said."""
    for name, value in headers:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return None


def bounded(receive: Receive, *, most: int, pace: Pace) -> Receive:
    """`receive` for a body of at most `most` bytes.

    It raises RequestRefused: 413 for what is larger, 408 for what stops coming. After the body it waits for the end of
    the connection as long as that takes.
    """
    began = asyncio.get_running_loop().time()
    received, complete = 0, False

    async def receive_bounded() -> Message:
        nonlocal received, complete
        if complete:
            return await receive()
        try:
            async with asyncio.timeout_at(pace.deadline(began, received)):
                message = await receive()
        except TimeoutError:
            seconds = asyncio.get_running_loop().time() - began
            raise RequestRefused(
                f"The request came too slowly: {received:,} bytes in {seconds:.0f} seconds. Send it again over a faster"
                " connection.",
                status=408,
            ) from None
        received += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        check_size(received, most)
        return message

    return receive_bounded


async def read_whole(receive: Receive) -> Receive:
    """Read a body to its end; what comes back gives it once more, and then what `receive` gives."""
    body = bytearray()
    message: Message = {"more_body": True}
    while message.get("more_body", False):
        message = await receive()
        body += message.get("body", b"")
    waiting = [message if message["type"] == "http.disconnect" else {"type": "http.request", "body": bytes(body)}]

    async def receive_again() -> Message:
        return waiting.pop() if waiting else await receive()

    return receive_again


def check_size(size: int, most: int) -> None:
    """Raises RequestRefused for a body of more than `most` bytes."""
    if size > most:
        raise RequestRefused(
            f"The request has {size:,} bytes or more; the limit here is {most:,}. Send less at once.", status=413
        )
