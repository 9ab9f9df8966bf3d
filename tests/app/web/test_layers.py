"""The layers of the gate by themselves: names, proxies, bodies, and the files of the web server."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from app.temporary import temporary_folder
from app.web.bodies import SMALL_BYTES, Pace, WholeBodies, bounded
from app.web.folder import SETTING, private_folder
from app.web.hosts import Hosts
from app.web.proxies import Proxies, ProxyHeaders
from app.web.refusals import RequestRefused
from app.web.uploads import ANYONE, Caller, Uploads
from tests.helpers.awaited import awaited

HOSTS = Hosts(names=frozenset({"docs.example"}))
POST: Scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": []}
LABELS = st.from_regex(r"[a-z][a-z0-9-]{0,10}[a-z]", fullmatch=True)


@given(st.lists(LABELS, min_size=1, max_size=4).map(".".join), st.sampled_from(["", ":80", ":7860"]))
def test_a_name_is_answered_only_if_it_was_given(name: str, port: str) -> None:
    given_or_loopback = name == "localhost" or name.endswith(".localhost") or name == "docs.example"
    assert HOSTS.allow(name + port) is given_or_loopback


@given(st.text(max_size=30))
def test_no_text_makes_the_rules_fail(text: str) -> None:
    for host in (text, f"docs.example{text}", f"{text}docs.example", f"[{text}]"):
        HOSTS.allow(host)
        HOSTS.allow_origin(text, host)
    assert not HOSTS.allow_origin(text, "127.0.0.1:7860") or "127.0.0.1" in text or "docs.example" in text.lower()


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        ("http://localhost:7860", "localhost:7860", True),
        ("http://localhost", "localhost:80", True),
        ("https://10.0.0.1", "10.0.0.1:443", True),
        ("https://docs.example", "127.0.0.1:7860", True),
        ("https://docs.example:8443", "127.0.0.1:7860", True),
        ("http://localhost:3000", "localhost:7860", False),
        ("http://127.0.0.1:7860", "localhost:7860", False),
        ("http://6.6.6.6", "127.0.0.1:7860", False),
        ("null", "localhost:7860", False),
        ("", "", False),
    ],
)
def test_a_page_may_ask_the_server_that_it_came_from(origin: str, host: str, allowed: bool) -> None:
    assert HOSTS.allow_origin(origin, host) is allowed


async def _seen(proxies: Proxies, peer: str, **headers: str) -> dict[str, Any]:
    """What stands behind `ProxyHeaders` is told of a request from this address."""
    seen: dict[str, Any] = {}

    async def app(scope: Any, *_: Any) -> None:
        seen.update(scope)

    async def nothing(*_: Any) -> Any:
        raise AssertionError

    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "scheme": "http", "client": (peer, 1234), "headers": sent}
    await ProxyHeaders(app, proxies, HOSTS)(scope, nothing, nothing)
    return seen | {name.decode(): value.decode() for name, value in seen["headers"]}


@pytest.mark.parametrize("peer", ["10.1.2.3", "127.0.0.1"])
def test_a_proxy_that_was_named_is_believed(peer: str) -> None:
    proxies = Proxies(named=("10.0.0.0/8", "127.0.0.1/32"))
    said = {"host": "10.9.9.9", "x_forwarded_for": "1.2.3.4", "x_forwarded_proto": "https"}
    seen = awaited(_seen(proxies, peer, **said, x_forwarded_host="docs.example, inner"))
    assert (seen["client"][0], seen["scheme"], seen["host"]) == ("1.2.3.4", "https", "docs.example")
    seen = awaited(_seen(proxies, peer, **said, x_forwarded_host="evil.example"))
    assert seen["host"] == "10.9.9.9" and "x-forwarded-host" not in seen


@pytest.mark.parametrize("peer", ["127.0.0.1", "192.168.1.1", "::1", ""])
def test_nobody_else_is_believed(peer: str) -> None:
    said = {
        "x_forwarded_for": "1.2.3.4", "x_forwarded_proto": "https", "x_forwarded_host": "docs.example",
        "forwarded": "for=1.2.3.4", "x_real_ip": "1.2.3.4", "x_gradio_server": "http://docs.example",
    }  # fmt: skip
    seen = awaited(_seen(Proxies(named=("10.0.0.0/8",)), peer, host="localhost", **said))
    assert (seen["client"][0], seen["scheme"], seen["headers"]) == (peer, "http", [(b"host", b"localhost")])


def receiving(*bodies: bytes, end: bool = True) -> Callable[[], Awaitable[Any]]:
    """What a server gives of a body that comes in these pieces; without its end it is waited for."""
    waiting = [{"type": "http.request", "body": body, "more_body": True} for body in bodies]
    if end:
        waiting[-1]["more_body"] = False

    async def receive() -> Any:
        return waiting.pop(0) if waiting else await asyncio.Event().wait()

    return receive


async def whole_of(receive: Receive) -> bytes:
    """What stands behind `WholeBodies` gets first of a body."""
    got: list[bytes] = []

    async def behind(_: Scope, receive: Receive, __: Send) -> None:
        got.append((await receive())["body"])

    await WholeBodies(behind)(POST, receive, sent_nowhere)
    return got[0]


async def sent_nowhere(_: Message) -> None:
    pass


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=6), st.integers(0, 100))
def test_a_body_comes_whole_or_not_at_all(bodies: list[bytes], most: int) -> None:
    async def read() -> bytes:
        return await whole_of(bounded(receiving(*bodies), most=most, pace=Pace()))

    whole = b"".join(bodies)
    if len(whole) <= most:
        assert awaited(read()) == whole
    else:
        with pytest.raises(RequestRefused, match=f"the limit here is {most:,}") as refused:
            awaited(read())
        assert refused.value.status == 413


def test_a_body_that_stops_is_not_waited_for() -> None:
    async def read() -> None:
        await whole_of(bounded(receiving(b"half", end=False), most=100, pace=Pace(grace_seconds=0.05)))

    with pytest.raises(RequestRefused, match="too slowly: 4 bytes") as refused:
        awaited(read())
    assert refused.value.status == 408


def test_all_bodies_together_take_so_much_memory_while_they_are_used() -> None:
    async def tried() -> list[str]:
        said, going_on = [], asyncio.Event()

        async def behind(_: Scope, receive: Receive, __: Send) -> None:
            said.append(f"{len((await receive())['body'])} in")
            await going_on.wait()

        bodies = WholeBodies(behind, most_bytes=3 * SMALL_BYTES)

        async def send(*parts: int, declared: int = 0) -> None:
            head = [(b"content-length", b"%d" % declared)] if declared else []
            try:
                await bodies({**POST, "headers": head}, receiving(*(bytes(part) for part in parts)), sent_nowhere)
            except RequestRefused as refusal:
                said.append(f"{refusal.status}")

        first = asyncio.create_task(send(SMALL_BYTES, SMALL_BYTES))
        await asyncio.sleep(0)
        await send(SMALL_BYTES, SMALL_BYTES)  # of no said size: it is refused when it does not fit
        await send(0, declared=2 * SMALL_BYTES)  # before a byte of it is read
        small = asyncio.create_task(send(SMALL_BYTES))  # an event of the page
        await asyncio.sleep(0)
        going_on.set()
        await asyncio.gather(first, small)
        await send(SMALL_BYTES, 2 * SMALL_BYTES)  # what others took is free again
        return said

    assert awaited(tried()) == [f"{2 * SMALL_BYTES} in", "503", "503", f"{SMALL_BYTES} in", f"{3 * SMALL_BYTES} in"]


def test_more_bytes_may_take_more_time() -> None:
    pace = Pace(grace_seconds=10, bytes_a_second=1_000)
    assert pace.deadline(5.0, 0) == 15.0 and pace.deadline(5.0, 200_000) == 215.0


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path, hosts=HOSTS, capacity_bytes=2_000_000, keep_seconds=60, clock=os_clock)


def os_clock() -> float:
    return 1_000_000.0


def uploaded(uploads: Uploads, data: bytes = b"data", browser: str = ANYONE) -> str:
    with uploads.folder_for(len(data), browser) as folder:
        path = folder / "a.pdf"
        path.write_bytes(data)
        return uploads.receive(path, browser)


def test_there_is_room_for_so_many_bytes_and_for_those_on_their_way(uploads: Uploads) -> None:
    with uploads.folder_for(800_000, "one"), uploads.folder_for(800_000, "two"):
        with (
            pytest.raises(RequestRefused, match="the limit is 2,000,000") as refused,
            uploads.folder_for(800_000, "three"),
        ):
            pass
        assert refused.value.status == 503
    with uploads.folder_for(800_000, "three"):
        pass


def test_one_browser_takes_half_of_the_room_at_most(uploads: Uploads) -> None:
    lying = [uploaded(uploads, bytes(300_000), "one") for _ in range(2)]
    with uploads.folder_for(300_000, "one"):  # on its way
        with pytest.raises(RequestRefused, match="the limit is 1,000,000"), uploads.folder_for(300_000, "one"):
            pass
        uploaded(uploads, bytes(300_000), "two")
    Path(lying[0]).unlink()  # the page has read it
    uploaded(uploads, bytes(300_000), "one")


def test_so_many_small_files_and_no_more_are_taken(uploads: Uploads, tmp_path: Path) -> None:
    with pytest.raises(RequestRefused, match="of uploads are here"):
        for _ in range(1_000):
            uploaded(uploads, b"")
    assert len(list(tmp_path.iterdir())) < 20


def test_a_request_without_a_file_leaves_no_folder(uploads: Uploads, tmp_path: Path) -> None:
    with uploads.folder_for(100, ANYONE):
        pass
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_arrive_leaves_nothing_and_frees_its_room(uploads: Uploads, tmp_path: Path) -> None:
    for _ in range(5):
        with pytest.raises(ConnectionError), uploads.folder_for(900_000, ANYONE) as folder:
            (folder / "half").write_bytes(b"half")
            raise ConnectionError
    assert list(tmp_path.iterdir()) == []


def test_an_old_file_goes_and_a_new_one_stays(uploads: Uploads) -> None:
    old, new = uploaded(uploads), uploaded(uploads)
    os.utime(old, (os_clock() - 100,) * 2)
    os.utime(Path(old).parent, (os_clock() - 100,) * 2)
    os.utime(new, (os_clock() - 10,) * 2)
    uploads.sweep()
    assert not Path(old).parent.exists() and Path(new).exists()
    uploads.take({"path": new}, Caller(browser=ANYONE, session="a"))
    with pytest.raises(RequestRefused, match="is not a file that was uploaded"):
        uploads.take({"path": old}, Caller(browser=ANYONE, session="a"))


def test_what_is_handed_out_is_no_upload_and_may_be_of_several_browsers(uploads: Uploads, tmp_path: Path) -> None:
    path = tmp_path / "made.md"
    path.write_text("made")
    for browser in ("one", "two"):
        uploads.hand_out(path, browser)
        assert uploads.readable(str(path), browser).path == path
    with pytest.raises(RequestRefused):
        uploads.readable(str(path), "three")
    with pytest.raises(RequestRefused):
        uploads.take({"path": str(path)}, Caller(browser="one", session="a"))
    with pytest.raises(RequestRefused, match="does not lie where"):
        uploads.hand_out(Path(__file__), "one")


KEYS = st.sampled_from(["path", "url", "meta", "root"]) | st.text()
LEAVES = st.none() | st.booleans() | st.floats() | st.text() | st.just("/etc/passwd")


@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner)))
def test_no_value_at_all_names_a_file_that_was_not_uploaded(value: Any) -> None:
    uploads = Uploads(Path("/nowhere"), hosts=HOSTS, capacity_bytes=1, keep_seconds=1)
    with pytest.raises(RequestRefused):
        uploads.take(value, Caller(browser=ANYONE, session=""))


def test_the_folder_is_private_and_goes_with_its_start(tmp_path: Path) -> None:
    named = tmp_path / "named"
    environment = {SETTING: str(named)}
    with private_folder(environment) as folder:
        assert environment[SETTING] == str(folder) and folder.parent == named.resolve()
        assert folder.stat().st_mode & 0o077 == 0
        (folder / "inner").mkdir()
    assert list(named.iterdir()) == [] and environment == {SETTING: str(named)}


def test_without_a_named_folder_it_lies_in_the_persons_own() -> None:
    environment: dict[str, str] = {}
    with private_folder(environment) as folder:
        assert folder.parent == temporary_folder().resolve()
    assert environment == {}
