"""A tab is there from its first heartbeat on, whatever else is asked of the server."""

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from app.page.heartbeats import Heartbeats


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
    told: list[str] = []
    site = Starlette(routes=[Route("/{rest:path}", lambda _: PlainTextResponse("there"))])
    with TestClient(Heartbeats(site, told.append)) as client:
        assert client.get(path).text == "there"
    assert told == tabs
