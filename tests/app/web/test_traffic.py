"""What is under way when a server stops: it goes on, and nothing new is begun."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from app.web.routes import API
from app.web.traffic import Traffic, TrafficLayer, route_of
from tests.helpers.awaited import awaited, wait_until


async def behind(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("done")(scope, receive, send)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 503),
        ("POST", f"{API}/upload", 503),
        ("POST", f"{API}/call/ask", 503),
        ("POST", f"{API}/call/v2/encode", 503),
        ("POST", f"{API}/mcp/", 503),
        ("POST", "/v1/chat/completions", 503),
        ("GET", "/v1/models", 503),
        ("GET", "/healthz", 200),
        ("GET", "/metrics", 200),
        ("GET", "/theme.css", 200),
        ("POST", f"{API}/queue/join", 200),  # a page asks for the answer to the question that it has sent
        ("GET", f"{API}/queue/data", 200),
        ("GET", f"{API}/call/ask/event", 200),
    ],
)
def test_a_server_that_stops_takes_no_new_work(method: str, path: str, status: int) -> None:
    traffic = Traffic()

    async def asked() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=TrafficLayer(behind, traffic))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            before = await client.request(method, path)
            traffic.stop()
            return [before, await client.request(method, path)]

    before, after = awaited(asked())
    assert (before.status_code, after.status_code) == (200, status)
    assert status == 200 or after.headers["retry-after"]


def test_an_answer_under_way_is_waited_for_and_a_heartbeat_is_not() -> None:
    traffic = Traffic()

    async def asked() -> None:
        held = asyncio.Event()

        async def slow(scope: Scope, receive: Receive, send: Send) -> None:
            await held.wait()
            await behind(scope, receive, send)

        transport = httpx.ASGITransport(app=TrafficLayer(slow, traffic))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            endless = [asyncio.create_task(client.get(path)) for path in (f"{API}/heartbeat/a", f"{API}/mcp/")]
            answer = asyncio.create_task(client.get(f"{API}/call/ask/event"))
            while not traffic.under_way:
                await asyncio.sleep(0)
            traffic.stop()
            assert traffic.under_way == 1 and not traffic.is_settled()
            held.set()
            assert (await answer).text == "done"
            await asyncio.gather(*endless)
        assert traffic.under_way == 0

    awaited(asked())
    wait_until(traffic.is_settled)


def test_a_request_that_fails_has_ended() -> None:
    traffic = Traffic()

    async def failing(*_: object) -> None:
        raise ValueError

    async def asked() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=TrafficLayer(failing, traffic))) as client:
            with pytest.raises(ValueError):
                await client.get("http://localhost/theme.css")

    awaited(asked())
    assert traffic.under_way == 0


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/", "/"),
        ("/a-persons-words", "other"),
        (f"{API}/file=/tmp/a-name.pdf", f"{API}/file"),
        (f"{API}/call/ask/an-event", f"{API}/call"),
        ("/v1/files/file-abc/content", "/v1/files"),
        ("/v1/chat/completions", "/v1/chat"),
        ("/static/img/logo.svg", "/static"),
    ],
)
def test_a_log_names_routes_and_nothing_that_was_put_into_them(path: str, route: str) -> None:
    assert route_of(path) == route
