"""A server on a Space, with nothing behind its guard but who has come in; and browsers that come to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.languages import Languages
from app.people.directory import Directory
from app.people.hugging_face import HubSignIn
from app.people.logins import Logins
from app.web.gate import Gate, GateRules
from app.web.guard import Guard
from app.web.hosts import Hosts
from app.web.hub_login import HubLogin
from app.web.identity import person_of
from app.web.login_form import LoginForm
from tests.helpers.awaited import awaited
from tests.helpers.openid_provider import OpenIdProvider
from tests.helpers.stand_ins import Clock

SPACE = "ada-readonce.hf.space"
HERE = f"https://{SPACE}"


async def behind(scope: Scope, receive: Receive, send: Send) -> None:
    """Says who asks, what was sent, and names an event."""
    request = Request(scope, receive)
    body = await request.body()
    said = {"person": person_of(request), "bytes": len(body), "event_id": "event-1"}
    await JSONResponse(said)(scope, receive, send)


def served(
    provider: OpenIdProvider, directory: Directory, allowed: str = "*", clock: Callable[[], float] | None = None
) -> ASGIApp:
    """A server on a Space."""
    given = provider.environment(SPACE) | {"READONCE_HF_SIGN_IN": allowed, "READONCE_USERS": "users.json"}
    sign_in, logins = HubSignIn.from_environment(given), Logins(directory)
    assert sign_in is not None
    hub = HubLogin(sign_in, directory, logins, clock=clock or Clock())
    form = LoginForm(logins, Languages(), embedded=True, hub=hub)
    rules = GateRules(hosts=Hosts.named(SPACE), file_bytes=1, upload_bytes=1, has_users=True, embedded=True)
    return Gate(Guard(behind, directory, logins, form, "inner"), rules, Languages())


@asynccontextmanager
async def browser(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=HERE, headers=headers) as client:
        yield client


def in_browser(app: ASGIApp, use: Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]) -> httpx.Response:
    async def used() -> httpx.Response:
        async with browser(app) as client:
            return await use(client)

    return awaited(used())


async def consented(begun: httpx.Response, name: str) -> str:
    """The address that the provider sends the browser back to, after this account has agreed; "": nobody has."""
    assert begun.status_code == 303, begun.text
    address = begun.headers["location"].replace("/authorize?", "/consent?")
    async with httpx.AsyncClient() as elsewhere:
        answer = await elsewhere.get(address, params={**query_of(address), "account": name})
    assert answer.status_code == 302, answer.text
    return str(answer.headers["location"])


def query_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


async def sign_in(client: httpx.AsyncClient, name: str) -> httpx.Response:
    back = await consented(await client.get("/login/huggingface"), name)
    return await client.get(back, headers={"Sec-Fetch-Site": "cross-site"})


def person(app: ASGIApp, name: str) -> str:
    """Who somebody is behind the guard, after they have signed in with this account; empty where they were refused."""

    async def use(client: httpx.AsyncClient) -> httpx.Response:
        await sign_in(client, name)
        return await client.get("/config")

    answer = in_browser(app, use)
    return str(answer.json()["person"]) if answer.status_code == 200 else ""


def refused(answer: httpx.Response, words: tuple[str, int]) -> bool:
    """With these words and this status, on the form; nobody is signed in."""
    said, status = words
    is_form = answer.status_code == status and said in answer.text and 'role="alert"' in answer.text
    return is_form and "readonce_login=" not in str(answer.headers.get_list("set-cookie"))
