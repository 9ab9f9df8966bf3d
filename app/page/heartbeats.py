"""Which tabs hold a connection: each keeps Gradio's heartbeat open, and Gradio tells only when it ends."""

import re
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

_HEARTBEAT = re.compile(r"/heartbeat/([\w-]{1,100})/?$", re.ASCII)


class Heartbeats:
    """Tells of each heartbeat that begins, by its tab's id."""

    def __init__(self, app: ASGIApp, connect: Callable[[str], None]) -> None:
        self._app = app
        self._connect = connect

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (found := _HEARTBEAT.search(scope["path"])):
            self._connect(found[1])
        await self._app(scope, receive, send)
