"""Scripts that stand in a page run only if the server has put them there."""

import re
import secrets
from collections.abc import MutableMapping
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.headers import content_policy

_SCRIPT: Final = re.compile(rb"<script(?=[\s>])")


class InlineScripts:
    """An ASGI layer that gives each script of an HTML answer a nonce, and the answer the policy that asks for it.

    What is later drawn on the page, by a panel for example, cannot know the nonce: a script in it would not run. The
    layer stands inside the one that compresses.
    """

    def __init__(self, app: ASGIApp, *, embedded: bool) -> None:
        self._app = app
        self._embedded = embedded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            send = _Page(send, embedded=self._embedded).send
        await self._app(scope, receive, send)


class _Page:
    """One answer: passed on as it comes, unless it is HTML, which is held until it is whole."""

    def __init__(self, send: Send, *, embedded: bool) -> None:
        self._send = send
        self._embedded = embedded
        self._start: MutableMapping[str, Any] | None = None
        self._body = bytearray()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_html(message):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_page(self._start)

    async def _send_page(self, start: Message) -> None:
        nonce = secrets.token_urlsafe(16)
        body = _SCRIPT.sub(f'<script nonce="{nonce}"'.encode(), bytes(self._body))
        headers = MutableHeaders(scope=start)
        headers["content-security-policy"] = content_policy(embedded=self._embedded, nonce=nonce)
        if "content-length" in headers and self._body:
            headers["content-length"] = str(len(body))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


def _is_html(message: Message) -> bool:
    headers = Headers(raw=message["headers"])
    return headers.get("content-type", "").startswith("text/html")
