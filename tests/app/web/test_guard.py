"""The guard by itself: who comes in, and that Gradio's names for connections and events are one person's each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from app.languages import Languages
from app.people.directory import Directory
from app.people.logins import Logins
from app.web.bodies import WholeBodies
from app.web.browsers import COOKIE, browser_of
from app.web.claims import ClaimedNames, Claims, names_in
from app.web.guard import INNER, Guard
from app.web.login_form import LoginForm
from tests.helpers.awaited import awaited
from tests.helpers.space import behind
from tests.helpers.web_client import API

INNER_KEY = "known to the server alone"


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, str]:
    directory = Directory(tmp_path / "users.json")
    for name in ("ada", "bert"):
        directory.add_person(name, "a lamp in the window")
    people = {name: directory.add_key(name, name) for name in ("ada", "bert")}
    return people | {"metrics": directory.add_key("prometheus", "")}


@pytest.fixture
def guard(tmp_path: Path, keys: dict[str, str]) -> Guard:  # noqa: ARG001 - they are in the file
    directory = Directory(tmp_path / "users.json")
    logins = Logins(directory)
    form = LoginForm(logins, Languages(), embedded=False)
    return Guard(WholeBodies(ClaimedNames(behind)), directory, logins, form, INNER_KEY)


def ask(guard: Guard, *requests: tuple[str, str, str | None, Any]) -> list[httpx.Response]:
    """Answers to requests: method, address, key, and what is sent as JSON."""

    async def asked() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=guard)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return [
                await client.request(
                    method, address, json=sent, headers={"Authorization": f"Bearer {key}"} if key else {}
                )
                for method, address, key, sent in requests
            ]

    return awaited(asked())


def test_the_person_of_a_key_is_known_behind_and_the_body_comes_whole(guard: Guard, keys: dict[str, str]) -> None:
    sent = {"data": ["x" * 100_000], "session_hash": "tab"}
    (answer,) = ask(guard, ("POST", f"{API}/call/ask", keys["ada"], sent))
    assert answer.json()["person"] == "ada"
    assert answer.json()["bytes"] == len(httpx.Request("POST", "http://a", json=sent).content)


@pytest.mark.parametrize(
    ("method", "address", "sent"),
    [
        ("GET", f"{API}/queue/data?session_hash=tab", None),
        ("GET", f"{API}/queue/data?x=1&session_hash=tab", None),
        ("GET", f"{API}/queue/data?session%5Fhash=tab", None),
        ("GET", f"{API}/heartbeat/tab", None),
        ("GET", f"{API}/heartbeat/tab/", None),
        ("GET", f"{API}/call/ask/event-1", None),
        ("GET", f"{API}/call/v2/ask/event-1", None),
        ("POST", f"{API}/cancel", {"session_hash": "other", "event_id": "event-1"}),
        ("POST", f"{API}/reset", {"event_id": "event-1"}),
        ("POST", f"{API}/queue/join", {"session_hash": "tab", "data": []}),
        ("POST", f"{API}/run/predict", {"session_hash": "tab", "data": []}),
        ("POST", f"{API}/upload?upload_id=sending", None),
        ("GET", f"{API}/upload_progress?upload_id=sending", None),
    ],
)
def test_what_one_person_uses_is_not_anothers(
    guard: Guard, keys: dict[str, str], method: str, address: str, sent: Any
) -> None:
    first = ("POST", f"{API}/call/ask", keys["ada"], {"session_hash": "tab"})
    upload = ("POST", f"{API}/upload?upload_id=sending", keys["ada"], None)
    *_, theirs, mine = ask(
        guard, first, upload, (method, address, keys["bert"], sent), (method, address, keys["ada"], sent)
    )
    assert (theirs.status_code, mine.status_code) == (404, 200)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
@pytest.mark.parametrize(
    "body", ['{"session_hash": "tab"}', ' \n{"data": [], "session_hash": "a", "session_hash": "tab"}']
)
def test_a_name_is_found_in_every_encoding_that_json_may_have(
    guard: Guard, keys: dict[str, str], encoding: str, body: str
) -> None:
    async def asked() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=guard), base_url="http://localhost") as client:
            return [
                await client.post(
                    f"{API}/queue/join",
                    content=content,
                    headers={"Authorization": f"Bearer {keys[name]}", "Content-Type": "application/json"},
                )
                for name, content in (("ada", b'{"session_hash": "tab"}'), ("bert", body.encode(encoding)))
            ]

    assert [answer.status_code for answer in awaited(asked())] == [200, 404]


def test_who_is_not_known_sends_no_body(guard: Guard) -> None:
    async def asked() -> list[Any]:
        sent: list[Any] = []

        async def receive() -> Any:
            raise AssertionError("the body was read")

        async def send(message: Any) -> None:
            sent.append(message)

        for path in (f"{API}/call/ask", f"{API}/upload", "/v1/chat/completions", "/v1/files", f"{API}/mcp/"):
            scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": []}
            await guard(scope, receive, send)
        return [message["status"] for message in sent if "status" in message]

    assert awaited(asked()) == [401] * 5


def test_only_the_server_itself_asks_in_its_own_name(guard: Guard, keys: dict[str, str]) -> None:
    async def asked() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=guard), base_url="http://localhost") as client:
            inner = {INNER: INNER_KEY}
            as_ada = inner | {"Authorization": f"Bearer {keys['ada']}"}
            return [
                await client.get(f"{API}/startup-events"),  # Gradio's own first request
                await client.get(f"{API}/startup-events"),
                await client.get("/config", headers={INNER: "guessed"}),
                await client.get("/config", headers=inner),
                await client.post(f"{API}/queue/join", headers=as_ada, json={"session_hash": "inner"}),
            ]

    first, again, guessed, own, join = awaited(asked())
    assert [answer.status_code for answer in (first, again, guessed, own)] == [200, 401, 401, 200]
    assert (own.json()["person"], join.json()["person"]) == ("", "ada")


def test_a_key_for_metrics_opens_nothing_else_and_no_other_opens_them(guard: Guard, keys: dict[str, str]) -> None:
    answers = ask(
        guard,
        ("GET", "/metrics", keys["metrics"], None),
        ("GET", "/", keys["metrics"], None),
        ("GET", "/metrics", keys["ada"], None),
        ("GET", "/metrics", None, None),
        ("GET", "/healthz", None, None),
    )
    assert [answer.status_code for answer in answers] == [200, 403, 403, 401, 200]


def test_a_damaged_file_of_users_lets_nobody_in(tmp_path: Path) -> None:
    (file := tmp_path / "users.json").write_text("{")
    logins = Logins(Directory(file))
    guard = Guard(behind, Directory(file), logins, LoginForm(logins, Languages(), embedded=False), INNER_KEY)
    (answer,) = ask(guard, ("GET", "/", None, None))
    assert answer.status_code == 503 and "READONCE_USERS" in answer.text


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b'{"session_hash": 5}', b"\xff{", b"[" * 100_000])
def test_no_body_makes_the_search_for_names_fail(body: bytes) -> None:
    assert list(names_in({"path": f"{API}/cancel", "query_string": b"a=%FF"}, body)) == []


def test_a_name_is_its_first_users() -> None:
    claims = Claims()
    assert [claims.claim(["a"], person) for person in ("ada", "bert", "ada")] == [True, False, True]
    assert not claims.claim(["b", "a"], "bert")
    assert claims.claim(["b"], "ada")  # a request that was refused has claimed nothing


def test_a_browsers_cookie_says_nothing_where_there_are_users(guard: Guard, keys: dict[str, str]) -> None:
    """What the server uploads in its own name for an MCP client can be named by whoever is told its path."""
    seen: list[str] = []

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(browser_of(Request(scope)))
        await behind(scope, receive, send)

    guard._app = noting
    cookie = {"Cookie": f"{COOKIE}={'a' * 43}"}

    async def asked() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=guard), base_url="http://localhost") as client:
            await client.get("/config", headers=cookie | {"Authorization": f"Bearer {keys['ada']}"})
            await client.get("/config", headers=cookie | {INNER: INNER_KEY})

    awaited(asked())
    assert seen == ["person ada", ""]
