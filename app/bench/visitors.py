"""Clients of a running Readonce over HTTP, as a browser and as a program speak to it: for the load benchmark.

Gradio's protocol: `run` calls what answers at once, `stream` joins the queue and listens to its events. Of an event's
outputs only the first are whole; those that follow are differences.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Any, cast

import httpx
from gradio_client.utils import apply_diff

API = "/gradio_api"
PATIENCE = httpx.Timeout(30.0, read=900.0)  # seconds; an answer may wait for many others
_RECEIPT = re.compile(r"this answer: ([\d.]+) s")
_EXCHANGE = re.compile(r'<article class="exchange (\w+)">(.*?)</article>', re.DOTALL)
_PROBLEM = re.compile(r'<p class="problem" role="alert">(?:<span[^>]*>)?(.*?)(?:</span>)?</p>')
_MESSAGE = re.compile(r"<li>(?:<span[^>]*>)?(.*?)(?:</span>)?</li>")


class Refused(Exception):
    """What the server says instead of doing what was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """Where on the page which function listens, from the page's own configuration."""

    named: dict[str, int]
    follower: dict[int, int]  # function -> the queued one that runs after it
    outputs: dict[int, dict[str, int]]  # function -> where its outputs stand, by the element's id

    @classmethod
    def of(cls, config: dict[str, Any]) -> Wiring:
        elements = {one["id"]: one["props"].get("elem_id") for one in config["components"]}
        functions = config["dependencies"]
        queued = [one for one in functions if one["queue"] and one.get("trigger_after") is not None]
        return cls(
            named={one["api_name"]: one["id"] for one in reversed(functions)},
            follower={one["trigger_after"]: one["id"] for one in reversed(queued)},
            outputs={
                one["id"]: {elements[output]: place for place, output in enumerate(one["outputs"])} for one in functions
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """An answer: when it was asked for and when it was there, and the seconds that the engine took for it."""

    asked: float
    answered: float
    engine_seconds: float


class Connection:
    """One client's connection, with cookies of its own; see `connected`."""

    def __init__(self, http: httpx.AsyncClient, wiring: Wiring) -> None:
        self.wiring = wiring
        self._http = http
        self._session = secrets.token_hex(8)

    async def run(self, function: int, *data: Any) -> list[Any]:
        """Call a function that is not queued."""
        answer = await self._http.post(f"{API}/run/predict", json=self._body(function, data))
        return list(_checked(answer)["data"])

    async def stream(self, function: int, *data: Any) -> AsyncIterator[list[Any]]:
        """Call a queued function; each yield is all of its outputs. Raises Refused."""
        joined = await self._http.post(f"{API}/queue/join", json=self._body(function, data))
        event = _checked(joined)["event_id"]
        outputs: list[Any] = []
        async for message in self._messages():
            if message.get("event_id") != event:
                continue
            if message["msg"] == "process_generating" and message["success"]:
                change = message["output"]["data"]
                outputs = (
                    [apply_diff(old, new) for old, new in zip(outputs, change, strict=True)] if outputs else change
                )
                yield outputs
            elif message["msg"] == "process_completed":
                if not message["success"]:
                    raise Refused(str(message["output"].get("error")))
                if message["output"]["data"]:
                    yield message["output"]["data"]
                return
        raise Refused("The stream of events ended early.")

    async def upload(self, name: str, data: bytes) -> dict[str, Any]:
        """What names an uploaded file to a function."""
        answer = await self._http.post(f"{API}/upload", files={"files": (name, data, "application/pdf")})
        (path,) = _checked(answer)
        return {"path": path, "orig_name": name, "size": len(data), "meta": {"_type": "gradio.FileData"}}

    @contextlib.asynccontextmanager
    async def alive(self) -> AsyncIterator[None]:
        """Hold the heartbeat open, as a tab and a program do: when it closes, the server frees what is theirs."""
        async with (
            self._http.stream("GET", f"{API}/heartbeat/{self._session}") as beat,
            # Without a reader it would be closed; httpx types the generator as an iterator.
            contextlib.aclosing(cast(AsyncGenerator[str, None], beat.aiter_lines())) as lines,
        ):
            await anext(lines)
            yield

    async def get_page(self) -> None:
        """The page itself, as a browser loads it first."""
        (await self._http.get("/")).raise_for_status()

    async def _messages(self) -> AsyncIterator[dict[str, Any]]:
        where = {"session_hash": self._session}
        async with self._http.stream("GET", f"{API}/queue/data", params=where) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("data:"):
                    yield json.loads(line[5:])

    def _body(self, function: int, data: tuple[Any, ...]) -> dict[str, Any]:
        return {"fn_index": function, "data": data, "session_hash": self._session, "trigger_id": None}


class Program:
    """A program: it encodes a file, and asks about it by its handle."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._handle = ""

    async def read(self, name: str, data: bytes) -> None:
        file = await self._connection.upload(name, data)
        last = [output async for output in self._connection.stream(self._function("encode"), file, "", "")][-1]
        self._handle = last[0]["document"]

    async def ask(self, question: str) -> Timed:
        asked = time.monotonic()
        stream = self._connection.stream(self._function("ask"), [question], [self._handle], [])
        last = [output async for output in stream][-1]
        (answer,) = last[0]["answers"]
        return Timed(asked=asked, answered=time.monotonic(), engine_seconds=answer["seconds"])

    async def forget(self) -> None:
        async for _ in self._connection.stream(self._function("forget"), self._handle):
            pass

    def _function(self, name: str) -> int:
        return self._connection.wiring.named[name]


class Person:
    """A person at the page: they drop a file, and type questions about it. What they see comes from watching."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._seen: dict[str, str] = {}

    async def open(self) -> None:
        """Open the page, up to where a question can be typed."""
        enter = self._connection.wiring.named["enter"]
        await self._connection.run(enter, "")
        async for _ in self._watch(enter):
            return

    async def read(self, name: str, data: bytes) -> None:
        file = await self._connection.upload(name, data)
        await self._command("receive", None, [file], "")
        if problem := _MESSAGE.search(self._seen.get("messages-panel", "")):
            raise Refused(problem[1])

    async def ask(self, question: str) -> Timed:
        asked = time.monotonic()
        await self._command("pose", None, question)
        exchanges = _EXCHANGE.findall(self._seen.get("conversation-panel", ""))
        status, shown = exchanges[-1] if exchanges else ("", self._seen.get("problem-panel", ""))
        receipt, problem = _RECEIPT.search(shown), _PROBLEM.search(shown)
        if status != "done" or receipt is None:
            raise Refused(problem[1] if problem else f"The question was left {status or 'unasked'}.")
        return Timed(asked=asked, answered=time.monotonic(), engine_seconds=float(receipt[1]))

    async def _command(self, name: str, *data: Any) -> None:
        """Do something, and watch until all that it begins is done."""
        command = self._connection.wiring.named[name]
        self._note(command, await self._connection.run(command, *data))
        async for _ in self._watch(command):
            pass

    async def _watch(self, command: int) -> AsyncIterator[None]:
        watch = self._connection.wiring.follower[command]
        async for outputs in self._connection.stream(watch, None):
            self._note(watch, outputs)
            yield

    def _note(self, function: int, outputs: list[Any]) -> None:
        for element, place in self._connection.wiring.outputs[function].items():
            if isinstance(outputs[place], str):
                self._seen[element] = outputs[place]


def _checked(answer: httpx.Response) -> Any:
    if answer.is_error:
        raise Refused(f"Status {answer.status_code}: {answer.text[:200]}")
    return answer.json()


@contextlib.asynccontextmanager
async def connected(address: str, wiring: Wiring) -> AsyncIterator[Connection]:
    """A connection to the server at this address, alive meanwhile."""
    async with _http(address) as http:
        connection = Connection(http, wiring)
        async with connection.alive():
            yield connection


async def wiring_of(address: str) -> Wiring:
    async with _http(address) as http:
        return Wiring.of(_checked(await http.get("/config")))


def _http(address: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=address, timeout=PATIENCE, trust_env=False)
