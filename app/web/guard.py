"""The guard: where there are users, one ASGI layer before everything, the page and each way in for programs.

A person comes with the cookie of a login, or with `Authorization: Bearer` and a key of theirs. Who has neither gets the
form to sign in, or 401, before the body of the request is read. The gate around it has checked host and origin.
"""

import secrets
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.people.directory import Directory
from app.people.logins import Logins
from app.web.identity import NOBODY, with_person
from app.web.login_form import LoginForm
from app.web.routes import API, HEALTH, METRICS, SIGNING_IN, V1, path_of
from model.errors import ReadonceError

INNER: Final = "x-readonce-inner"  # with which Gradio's MCP server asks this server in its own name
_SHUT: Final = f"{API}/queue/status"  # tells how busy others are
_START: Final = f"{API}/startup-events"
_UNAUTHORISED: Final = "Sign in, or send a key: Authorization: Bearer rk-... (on the server: python -m app key add).\n"


class Guard:
    """Lets in who is known, and notes in the scope who that is (`identity.py`)."""

    def __init__(self, app: ASGIApp, directory: Directory, logins: Logins, form: LoginForm, inner_key: str) -> None:
        self._app = app
        self._directory = directory
        self._logins = logins
        self._form = form
        self._inner_key = inner_key
        self._has_started = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or path_of(scope) == HEALTH or self._is_start(scope):
            await self._app(scope, receive, send)
            return
        try:
            person, metrics_only = self._who(HTTPConnection(scope))
        except ReadonceError as error:  # the file of users is damaged: nobody comes in
            await PlainTextResponse(f"{error}\n", status_code=503)(scope, receive, send)
            return
        path, inner = path_of(scope), self._is_inner(scope)
        if path in SIGNING_IN:
            answer = await self._form.answer(Request(scope, receive), person or "")
        elif person is None and not inner:
            answer = self._unauthorised(scope)
        elif metrics_only is not (path == METRICS) and not inner:
            answer = PlainTextResponse("This key is not for that.\n", status_code=403)
        elif path == _SHUT:
            answer = PlainTextResponse("There is nothing here.\n", status_code=404)
        else:
            await self._app(with_person(scope, person or NOBODY, inner=inner), receive, send)
            return
        await answer(scope, receive, send)

    def _who(self, connection: HTTPConnection) -> tuple[str | None, bool]:
        """The person, and whether what was shown is a key that reads `/metrics` alone."""
        people = self._directory.people()
        kind, _, secret = connection.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            key = people.key(secret.strip())
            return (None, False) if key is None else (key.person, key.reads_metrics)
        return self._logins.person(self._form.token(connection), people) or None, False

    def _is_start(self, scope: Scope) -> bool:
        """Whether this is the first request of all, by which Gradio itself starts the server."""
        is_start = path_of(scope) == _START and not self._has_started
        self._has_started = self._has_started or is_start
        return is_start

    def _is_inner(self, scope: Scope) -> bool:
        said = Headers(scope=scope).get(INNER, "")
        return secrets.compare_digest(said.encode(), self._inner_key.encode())

    def _unauthorised(self, scope: Scope) -> Response:
        """The form for who opens the page, and a plain refusal for a program."""
        path, headers = path_of(scope), {"WWW-Authenticate": "Bearer"}
        if path == "/":
            return self._form.page(HTTPConnection(scope), status=401)
        if path.startswith(f"{V1}/"):
            error = {"message": _UNAUTHORISED.strip(), "type": "invalid_request_error", "code": "invalid_api_key"}
            return JSONResponse({"error": error}, status_code=401, headers=headers)
        return PlainTextResponse(_UNAUTHORISED, status_code=401, headers=headers)
