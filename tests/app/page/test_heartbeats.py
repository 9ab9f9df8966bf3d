"""A tab is there from its first heartbeat to the end of its last, whatever else is asked of the server."""

import contextlib
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from app.page.heartbeats import Heartbeats
from tests.helpers.awaited import awaited

TAB: Scope = {"type": "http", "path": "/gradio_api/heartbeat/tab"}


@pytest.mark.parametrize(
    ("path", "tabs"),
    [
        ("/gradio_api/heartbeat/abc-123_x", ["abc-123_x"]),
        ("/gradio_api/heartbeat/abc/", ["abc"]),
        ("/gradio_api/queue/data", []),
        ("/gradio_api/heartbeat/", []),
        ("/gradio_api/heartbeat/a%20b", []),
        (f"/gradio_api/heartbeat/{'x' * 101}", []),
    ],
)
def test_only_a_heartbeat_tells_of_its_tab(path: str, tabs: list[str]) -> None:
    connected: list[str] = []
    left: list[str] = []
    site = Starlette(routes=[Route("/{rest:path}", lambda _: PlainTextResponse("there"))])
    with TestClient(Heartbeats(site, connected.append, left.append)) as client:
        assert client.get(path).text == "there"
    assert connected == left == tabs


def test_a_browser_that_connects_anew_has_not_left() -> None:
    left: list[str] = []

    async def run() -> None:
        ends = [anyio.Event(), anyio.Event()]
        beating = iter(ends)

        async def beat(_scope: Scope, _receive: Receive, _send: Send) -> None:
            await next(beating).wait()

        heartbeats = Heartbeats(beat, lambda _: None, left.append)
        async with anyio.create_task_group() as tasks:
            for _ in ends:
                tasks.start_soon(heartbeats, TAB, _nothing, _nothing)
            for end in ends:
                await anyio.wait_all_tasks_blocked()
                assert left == []
                end.set()

    awaited(run())
    assert left == ["tab"]


@pytest.mark.parametrize("error", [ConnectionResetError, anyio.EndOfStream])
def test_a_tab_leaves_however_its_heartbeat_ends(error: type[Exception]) -> None:
    left: list[str] = []

    async def beat(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise error

    async def run() -> None:
        with contextlib.suppress(error):
            await Heartbeats(beat, lambda _: None, left.append)(TAB, _nothing, _nothing)

    awaited(run())
    assert left == ["tab"]


async def _nothing(*_: Any) -> Any:
    return None
