"""The gate: one ASGI layer around everything that is served. What is not asked as it should be does not come in."""

from dataclasses import dataclass, field
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.languages import Languages
from app.web.bodies import JSON_BYTES, Pace, bounded, check_size, declared_bytes
from app.web.browsers import browser_of, new_cookie
from app.web.headers import security_headers
from app.web.hosts import Hosts
from app.web.proxies import Proxies
from app.web.refusals import RequestRefused, language_of
from app.web.routes import HEALTH, MCP, PAGES, V1, is_open, is_upload, path_of

_POLICY_VIOLATION: Final = 1008  # RFC 6455


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRules:
    """Who may ask, and how much."""

    hosts: Hosts
    proxies: Proxies = field(default_factory=Proxies)
    file_bytes: int  # of one file
    upload_bytes: int  # of one request with files
    inline_bytes: int = JSON_BYTES  # of a question with files in it
    embedded: bool = False  # whether the page stands in huggingface.co's frame
    has_users: bool = False  # who must sign in
    pace: Pace = field(default_factory=Pace)


class Gate:
    """Checks host, address, origin and body of each request, and sends the security headers with each answer.

    What proxies say has been sorted out before (`ProxyHeaders`). The body is checked as it comes; who may send one at
    all, the guard decides before.
    """

    def __init__(self, app: ASGIApp, rules: GateRules, languages: Languages) -> None:
        self._app = app
        self._languages = languages
        self._rules = rules
        self._headers = security_headers(embedded=rules.embedded)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":  # there are none
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        send = self._with_headers(scope, send)
        try:
            self._check(scope)
            inside = _without_cookies(scope) if path_of(scope).startswith(MCP) else scope
            await self._app(inside, self._body(scope, receive), send)
        except RequestRefused as refusal:
            await refusal.response(language_of(HTTPConnection(scope), self._languages))(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        headers, path, hosts = Headers(scope=scope), path_of(scope), self._rules.hosts
        if len(headers.getlist("host")) > 1:
            raise RequestRefused("The request names several hosts. Send one Host header.", status=400)
        if path != HEALTH:
            hosts.check(headers.get("host", ""))
        if not is_open(scope["method"], path, has_users=self._rules.has_users):
            raise RequestRefused(
                "There is nothing at {method} {path}.", method=scope["method"], path=path[:100], status=404
            )
        if (origin := headers.get("origin")) is not None:
            hosts.check_origin(origin, headers.get("host", ""))
        elif _is_foreign_part(headers):
            raise RequestRefused("Pages from elsewhere may not use what this server sends.")

    def _body(self, scope: Scope, receive: Receive) -> Receive:
        """The body to be read, which raises RequestRefused where it is too large or too slow."""
        inline = self._rules.inline_bytes if path_of(scope) == f"{V1}/chat/completions" else JSON_BYTES
        most = self._rules.upload_bytes if is_upload(scope) else inline
        check_size(declared_bytes(scope["headers"]) or 0, most)
        return bounded(receive, most=most, pace=self._rules.pace)

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        gives_name = path_of(scope) in PAGES and not browser_of(HTTPConnection(scope))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if gives_name:
                    headers.append("set-cookie", new_cookie(embedded=self._rules.embedded))
            await send(message)

        return send_with_headers


def _is_foreign_part(headers: Headers) -> bool:
    """Whether a browser says that another site's page wants this for itself, such as for a picture or a script.

    A link to this server, or a frame with it, is a navigation; which frames are shown, the security headers say.
    """
    foreign = headers.get("sec-fetch-site") in ("cross-site", "same-site")
    return foreign and headers.get("sec-fetch-mode") != "navigate"


def _without_cookies(scope: Scope) -> Scope:
    """Gradio's MCP server asks this server in its own name, and would send its caller's cookies along."""
    return {**scope, "headers": [(name, value) for name, value in scope["headers"] if name != b"cookie"]}
