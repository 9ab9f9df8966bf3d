"""The body of a request: how large it is comes before its bytes, and it must keep coming."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.refusals import RequestRefused
from app.web.routes import is_upload

JSON_BYTES: Final = 4 * 1024 * 1024  # of everything but uploads: 500 long questions are a quarter of it
HELD_BYTES: Final = 256 * 1024 * 1024  # of all bodies together that are here at a time
SMALL_BYTES: Final = 64 * 1024  # a body that always comes in: an event of the page


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
                "The request came too slowly: {size:,} bytes in {seconds:.0f} seconds. Send it again over a faster"
                " connection.",
                size=received,
                seconds=seconds,
                status=408,
            ) from None
        received += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        check_size(received, most)
        return message

    return receive_bounded


class WholeBodies:
    """An ASGI layer: what is behind it is asked when the body of a request is here; uploads alone come in parts.

    All bodies that are here at a time take so much memory at most. Raises RequestRefused where one more does not fit.
    """

    def __init__(self, app: ASGIApp, most_bytes: int = HELD_BYTES) -> None:
        self._app = app
        self._most_bytes = most_bytes
        self._held_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_upload(scope):
            await self._app(scope, receive, send)
            return
        self._check_room(declared_bytes(scope["headers"]) or 0, 0)
        parts: list[bytes] = []
        size = 0
        try:
            message: Message = {"more_body": True}
            while message.get("more_body", False):
                message = await receive()
                parts.append(part := message.get("body", b""))
                self._check_room(size + len(part), len(part))
                size += len(part)
                self._held_bytes += len(part)
            if message["type"] == "http.request":
                message = {"type": "http.request", "body": b"".join(parts)}
            parts.clear()
            await self._app(scope, first_this(message, receive), send)
        finally:
            self._held_bytes -= size

    def _check_room(self, size: int, more: int) -> None:
        """size: of the body, as far as it is known; more: bytes of it that would be added to those that are here."""
        held = self._held_bytes + (more or size)
        if size > SMALL_BYTES and held > self._most_bytes:
            raise RequestRefused(
                "Requests of {used:,} bytes are here already, and {more:,} more are too many: the limit is"
                " {limit:,}. Send it again in a moment.",
                used=self._held_bytes,
                more=size,
                limit=self._most_bytes,
                status=503,
            )


def first_this(message: Message, receive: Receive) -> Receive:
    """What gives this message, and then what `receive` gives."""
    waiting = [message]

    async def receive_again() -> Message:
        return waiting.pop() if waiting else await receive()

    return receive_again


def check_size(size: int, most: int) -> None:
    """Raises RequestRefused for a body of more than `most` bytes."""
    if size > most:
        raise RequestRefused(
            "The request has {size:,} bytes or more; the limit here is {limit:,}. Send less at once.",
            size=size,
            limit=most,
            status=413,
        )
