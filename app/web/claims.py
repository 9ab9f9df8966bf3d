"""Gradio's names for connections, uploads and events are chosen by clients or told to one: each is one person's.

They are random, but a browser makes some of them with a generator that is not meant for secrets. So the first person to
use one has it, and nobody else can listen to it, add to it, or stop it.
"""

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.bodies import first_this
from app.web.identity import is_inner, person_of
from app.web.routes import API, MCP, UPLOAD, path_of

_MOST: Final = 200_000  # names that are remembered; the least recently used are forgotten first
_LONGEST: Final = 200  # characters of a name
_NAMES: Final = ("session_hash", "upload_id", "event_id")
_IN_PATH: Final = re.compile(rf"{API}/(?:heartbeat|call/(?:v2/)?[^/]+)/([^/]+)/?")
_GIVES_EVENT: Final = re.compile(rf"{API}/(?:queue/join|call/(?:v2/)?[^/]+)/?")


class Claims:
    """Which names are whose. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owners: OrderedDict[str, str] = OrderedDict()

    def claim(self, names: Iterable[str], person: str) -> bool:
        """Whether the names are this person's from now on. Where one is another's, nothing is claimed."""
        named = [name[:_LONGEST] for name in names]
        with self._lock:
            if any(self._owners.get(name, person) != person for name in named):
                return False
            for name in named:
                self._owners[name] = person
                self._owners.move_to_end(name)
            while len(self._owners) > _MOST:
                self._owners.popitem(last=False)
            return True


class ClaimedNames:
    """An ASGI layer: what a person's request names must be theirs. It stands behind `WholeBodies` and the guard."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._claims = Claims()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path, person = path_of(scope), person_of(HTTPConnection(scope))
        if not person or is_inner(scope) or not path.startswith(API) or path.startswith(MCP):
            await self._app(scope, receive, send)
            return
        body = b""
        if path != UPLOAD:
            whole = await receive()
            body, receive = whole.get("body", b""), first_this(whole, receive)
        if not self._claims.claim(names_in(scope, body), person):
            await PlainTextResponse("There is nothing here for you.\n", status_code=404)(scope, receive, send)
            return
        await self._app(scope, receive, self._claiming(send, person) if _GIVES_EVENT.fullmatch(path) else send)

    def _claiming(self, send: Send, person: str) -> Send:
        async def send_claiming(message: Message) -> None:
            if message["type"] == "http.response.body" and (event := event_in(message.get("body", b""))):
                self._claims.claim([event], person)
            await send(message)

        return send_claiming


def names_in(scope: Scope, body: bytes) -> Iterator[str]:
    """All such names in a request: in its path, in its query, and in a body of JSON."""
    if found := _IN_PATH.fullmatch(path_of(scope)):
        yield found[1]
    query = scope.get("query_string", b"").decode("latin-1")
    yield from (value for name, value in parse_qsl(query) if name in _NAMES)
    said = _json(body)
    yield from (value for name in _NAMES if isinstance(value := said.get(name), str) and value)


def event_in(body: bytes) -> str:
    """The event that an answer names; empty where it names none."""
    event = _json(body).get("event_id")
    return event if isinstance(event, str) else ""


def _json(body: bytes) -> dict[str, Any]:
    """An object in a body, in any encoding in which Gradio would understand it; empty for anything else."""
    try:
        said = json.loads(body)  # as FastAPI reads it: what another parser does not see, nobody would have checked
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
