"""Which requests are under way: an ASGI layer that counts them, logs their ends, and takes no new ones at the end.

A server that is asked to stop goes on with what was begun. New visitors and new work are sent away, but for what the
page of a person sends, whose answer may just be on its way: it is served until everything has come to its end.
"""

import re
import threading
import time
from typing import Final

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.logs import log_event
from app.web.routes import API, HEALTH, MCP, METRICS, V1, path_of

# Open as long as a tab or an MCP client, or of no work.
_ENDLESS: Final = re.compile(rf"GET {API}/heartbeat/.*|GET {MCP}.*|\w+ ({HEALTH}|{METRICS})")
_NEW_WORK: Final = re.compile(rf"/|{API}/upload|{API}/(call|run)/(v2/)?(encode|ask|caption)/?|{MCP}.*|{V1}/.*")
_ROUTE: Final = re.compile(
    rf"({API}/\w+|{V1}/\w+|/static|/assets|/svelte|/config|{HEALTH}|{METRICS}|/log(?:in|out)|/$)"
)
_SETTLED_SECONDS: Final = 0.5  # nothing under way for so long: a page asks for its answer right after its question
_STOPPING: Final = "This server is being stopped. Try again in a moment.\n"


class Traffic:
    """The requests of one server. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way = 0
        self._last_ended = 0.0
        self._is_stopping = False

    @property
    def is_stopping(self) -> bool:
        return self._is_stopping

    @property
    def under_way(self) -> int:
        """How many requests are, without those that stay open as long as a tab."""
        return self._under_way

    def begin(self) -> None:
        with self._lock:
            self._under_way += 1

    def end(self) -> None:
        with self._lock:
            self._under_way -= 1
            self._last_ended = time.monotonic()

    def stop(self) -> None:
        """From now on nothing new is begun."""
        self._is_stopping = True

    def is_settled(self) -> bool:
        """Whether nothing has been under way for a moment."""
        with self._lock:
            return not self._under_way and time.monotonic() - self._last_ended >= _SETTLED_SECONDS


class TrafficLayer:
    """Lets requests through to `app`, and tells `traffic` of them."""

    def __init__(self, app: ASGIApp, traffic: Traffic) -> None:
        self._app = app
        self._traffic = traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = path_of(scope)
        if self._traffic.is_stopping and _NEW_WORK.fullmatch(path):
            refusal = PlainTextResponse(_STOPPING, status_code=503, headers={"Retry-After": "5", "Connection": "close"})
            await refusal(scope, receive, send)
            return
        if _ENDLESS.fullmatch(f"{scope['method']} {path}"):
            await self._app(scope, receive, send)
            return
        self._traffic.begin()
        try:
            await self._logged(scope, receive, send)
        finally:
            self._traffic.end()

    async def _logged(self, scope: Scope, receive: Receive, send: Send) -> None:
        began, status = time.monotonic(), 500

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noting_status)
        finally:
            seconds = round(time.monotonic() - began, 3)
            log_event("request", method=scope["method"], route=route_of(path_of(scope)), status=status, seconds=seconds)


def route_of(path: str) -> str:
    """The address without what a person or a program has put into it."""
    found = _ROUTE.match(path)
    return found[1] if found else "other"
