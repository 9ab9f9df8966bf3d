"""A program that asks the running server in plain HTTP, so that no library makes a request harmless."""

from __future__ import annotations

import json
import secrets
import socket
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import httpx

from tests.helpers.awaited import PATIENCE

API = "/gradio_api"
META = {"meta": {"_type": "gradio.FileData"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """How a call has ended."""

    event: str  # complete or error
    text: str  # all that the server has sent

    @property
    def data(self) -> Any:
        return json.loads(self.text.partition(f"event: {self.event}\ndata: ")[2].partition("\n")[0])


class WebClient:
    """One connection: a session of its own, and the cookies that it is given. `as_browser`: it opens the page first."""

    def __init__(self, address: str, *, as_browser: bool = False) -> None:
        self.address = address
        self.session = secrets.token_hex(8)
        self.http = httpx.Client(base_url=address, timeout=PATIENCE)
        if as_browser:
            self.http.get("/").raise_for_status()

    def __enter__(self) -> WebClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()

    def upload(self, name: str, data: bytes) -> str:
        """The path that names the upload."""
        answer = self.http.post(f"{API}/upload", files={"files": (name, data)})
        answer.raise_for_status()
        return str(answer.json()[0])

    def call(self, name: str, *data: Any) -> Said:
        """Call an endpoint that waits in the queue, to its end."""
        body = {"data": data, "session_hash": self.session}
        begun = self.http.post(f"{API}/call/{name}", json=body)
        if begun.is_error:
            return Said(event="error", text=begun.text)
        said = self.http.get(f"{API}/call/{name}/{begun.json()['event_id']}").text
        return Said(event="complete" if "event: complete" in said else "error", text=said)

    def run(self, function: int, data: list[Any]) -> httpx.Response:
        """Call a function of the page that does not wait in the queue."""
        body = {"data": data, "fn_index": function, "session_hash": self.session}
        return self.http.post(f"{API}/run/predict", json=body)

    def functions(self) -> list[dict[str, Any]]:
        """All functions that the server has, private ones, too."""
        return list(self.http.get("/config").json()["dependencies"])

    def component(self, elem_id: str) -> int:
        found = self.http.get("/config").json()["components"]
        return int(next(one["id"] for one in found if one["props"].get("elem_id") == elem_id))


def raw(address: str, request: bytes) -> socket.socket:
    """A connection on which these bytes were sent."""
    host, _, port = address.removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)), timeout=PATIENCE)
    connection.sendall(request)
    return connection


def status_of(address: str, method: str, path: str, *headers: str, body: bytes = b"") -> tuple[int, str]:
    """The status and the text of an answer to a request with exactly these headers."""
    head = "\r\n".join([f"{method} {path} HTTP/1.1", *headers, f"Content-Length: {len(body)}", "Connection: close"])
    with raw(address, head.encode("latin-1") + b"\r\n\r\n" + body) as connection:
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, text = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), text.decode(errors="replace")
