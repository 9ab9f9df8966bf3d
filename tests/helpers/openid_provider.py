"""An OpenID provider on this computer. It speaks the protocol, and gives nothing to who does not keep it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT_ID, CLIENT_SECRET = "a-client", "hf_app_secret"


@dataclass(slots=True, kw_only=True)
class OpenIdProvider:
    """`redirect`: the only address that it sends anybody back to. `accounts`: userinfo, by username."""

    redirect: str
    address: str = ""
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)  # paths, in order
    claims: dict[str, Any] = field(default_factory=dict)  # what ID tokens say instead of the truth
    found: dict[str, Any] = field(default_factory=dict)  # what the discovery says instead of it
    is_broken: bool = False  # whether it answers 500 where programs ask
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _tokens: dict[str, str] = field(default_factory=dict)

    def environment(self, space_host: str) -> dict[str, str]:
        """What a Space has in its environment with `hf_oauth: true`."""
        return {
            "OAUTH_CLIENT_ID": CLIENT_ID,
            "OAUTH_CLIENT_SECRET": CLIENT_SECRET,
            "OAUTH_SCOPES": "openid profile",
            "OPENID_PROVIDER_URL": self.address,
            "SPACE_HOST": space_host,
        }

    def app(self) -> Starlette:
        routes = [
            Route("/.well-known/openid-configuration", self._discovery),
            Route("/oauth/authorize", self._authorize),
            Route("/oauth/consent", self._consent),
            Route("/oauth/token", self._token, methods=["POST"]),
            Route("/oauth/userinfo", self._userinfo),
        ]
        return Starlette(routes=routes)

    def _program(self, request: Request) -> Response | None:
        """Notes the request of a program; a failure where there is to be one."""
        self.asked.append(request.url.path)
        return PlainTextResponse("broken", status_code=500) if self.is_broken else None

    async def _discovery(self, request: Request) -> Response:
        if failure := self._program(request):
            return failure
        ends = {f"{name}_endpoint": f"{self.address}/oauth/{path}" for name, path in _ENDPOINTS.items()}
        return JSONResponse({"issuer": self.address} | ends | self.found)

    async def _authorize(self, request: Request) -> Response:
        """The page on which a person says who they are, and that they want to go back."""
        if problem := self._problem(request):
            return PlainTextResponse(problem, status_code=400)
        links = [
            f'<p><a href="/oauth/consent?{escape(urlencode({**request.query_params, "account": name}))}">'
            f"Go on as {escape(name)}</a></p>"
            for name in (*self.accounts, "")
        ]
        return HTMLResponse(f"<title>Provider</title>{''.join(links)}")

    async def _consent(self, request: Request) -> Response:
        query = dict(request.query_params)
        if problem := self._problem(request):
            return PlainTextResponse(problem, status_code=400)
        if query["account"]:
            self._codes[code := secrets.token_urlsafe()] = query
            said = {"code": code, "state": query["state"]}
        else:
            said = {"error": "access_denied", "error_description": "<b>No</b>", "state": query["state"]}
        return RedirectResponse(f"{self.redirect}?{urlencode(said)}", status_code=302)

    def _problem(self, request: Request) -> str:
        query = request.query_params
        expected = {
            "client_id": CLIENT_ID,
            "redirect_uri": self.redirect,
            "response_type": "code",
            "code_challenge_method": "S256",
        }
        wrong = [name for name, value in expected.items() if query.get(name) != value]
        missing = [name for name in ("state", "nonce", "code_challenge") if len(query.get(name, "")) < 40]
        is_asked = "openid" in query.get("scope", "").split()
        return "" if is_asked and not wrong + missing else f"invalid_request: {wrong + missing}"

    async def _token(self, request: Request) -> Response:
        if failure := self._program(request):
            return failure
        sent = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        client = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {client}":
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        granted = self._codes.pop(sent.get("code", ""), None)  # once
        challenge = base64.urlsafe_b64encode(hashlib.sha256(sent.get("code_verifier", "").encode()).digest())
        is_right = (
            granted is not None
            and sent.get("grant_type") == "authorization_code"
            and sent.get("redirect_uri") == granted["redirect_uri"]
            and challenge.decode().rstrip("=") == granted["code_challenge"]
        )
        if granted is None or not is_right:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        self._tokens[token := secrets.token_urlsafe()] = granted["account"]
        claims = {
            "iss": self.address,
            "aud": CLIENT_ID,
            "exp": time.time() + 600,
            "nonce": granted["nonce"],
            "sub": self.accounts[granted["account"]]["sub"],
        }
        return JSONResponse(
            {"access_token": token, "token_type": "bearer", "id_token": _unsigned(claims | self.claims)}
        )

    async def _userinfo(self, request: Request) -> Response:
        if failure := self._program(request):
            return failure
        account = self._tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if account is None:
            return JSONResponse({"error": "invalid_token"}, status_code=401)
        return JSONResponse(self.accounts[account])


_ENDPOINTS = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}


def _unsigned(claims: dict[str, Any]) -> str:
    parts = (json.dumps({"alg": "RS256"}), json.dumps(claims), "a signature")
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)


def account(username: str, subject: str, *organisations: str) -> dict[str, Any]:
    """What Hugging Face tells of an account. Display names are whatever somebody calls themselves."""
    orgs = [{"sub": f"org-{name}", "name": "acme", "preferred_username": name} for name in organisations]
    return {"sub": subject, "name": "Ada Admin", "preferred_username": username, "orgs": orgs}


@contextlib.contextmanager
def provider_at(redirect: str, *accounts: dict[str, Any]) -> Iterator[OpenIdProvider]:
    """One that runs, at an address of this computer."""
    provider = OpenIdProvider(redirect=redirect, accounts={one["preferred_username"]: one for one in accounts})
    server = uvicorn.Server(uvicorn.Config(provider.app(), port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        provider.address = f"http://127.0.0.1:{port}"
        yield provider
    finally:
        server.should_exit = True
        thread.join()
