"""Which tabs hold a connection: each keeps Gradio's heartbeat open.

Gradio tells of its end, too, but not where a browser has gone before the first beat, or while one was being sent.
"""

import re
from collections import Counter
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

_HEARTBEAT = re.compile(r"/heartbeat/([\w-]{1,100})/?$", re.ASCII)


class Heartbeats:
    """Tells of each tab, by its id, when its first heartbeat begins and when its last one has ended."""

    def __init__(self, app: ASGIApp, connect: Callable[[str], None], leave: Callable[[str], None]) -> None:
        self._app = app
        self._connect = connect
        self._leave = leave
        self._beating: Counter[str] = Counter()  # a browser that connects anew may be here before the server lets go

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = _HEARTBEAT.search(scope["path"]) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        tab = found[1]
        self._beating[tab] += 1
        self._connect(tab)
        try:
            await self._app(scope, receive, send)
        finally:
            self._beating[tab] -= 1
            if not self._beating[tab]:
                del self._beating[tab]
                self._leave(tab)
