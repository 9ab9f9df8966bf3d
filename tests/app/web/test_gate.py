"""Who may ask the running server, how much, and how fast; and what it tells browsers."""

from __future__ import annotations

import json
import re
import socket
import time
from pathlib import Path

import httpx
import pytest

from tests.helpers.awaited import PATIENCE, wait_until
from tests.helpers.web_client import API, WebClient, raw, status_of

OURS = [
    "127.0.0.1",
    "127.0.0.1:{port}",
    "localhost",
    "LOCALHOST:{port}",
    "localhost.:{port}",
    "[::1]:{port}",
    "a.localhost",
]
OURS += ["192.168.1.20:8080", "[fe80::1]"]  # an address cannot be rebound
FOREIGN = ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "localhost.evil.example", "evil-localhost"]
FOREIGN += ["", "a b", "user@127.0.0.1", "127.0.0.1:{port}@evil.example", "[::1", "reader.hf.space", "0x7f.1", "[evil]"]
ROUTES = [
    ("GET", "/"), ("GET", "/config"), ("GET", "/theme.css"), ("GET", f"{API}/info"), ("GET", f"{API}/queue/status"),
    ("GET", "/static/img/logo.svg"), ("GET", f"{API}/file=/etc/passwd"), ("GET", f"{API}/mcp/schema"),
    ("POST", f"{API}/call/encode"), ("POST", f"{API}/run/predict"), ("POST", f"{API}/queue/join"),
    ("POST", f"{API}/upload"), ("POST", f"{API}/mcp/"), ("OPTIONS", f"{API}/call/encode"), ("HEAD", "/"),
]  # fmt: skip
SHUT = [
    ("GET", f"{API}/proxy=http://127.0.0.1/"), ("GET", f"{API}/file/etc/passwd"), ("POST", f"{API}/component_server"),
    ("POST", f"{API}/process_recording"), ("GET", f"{API}/deep_link?session_hash=a"), ("POST", f"{API}/vibe-edit"),
    ("GET", f"{API}/stream/a/b/1/playlist-file"), ("GET", "/monitoring"), ("GET", "/monitoring/summary"),
    ("POST", "/login"), ("GET", "/logout"), ("GET", f"{API}/runs"), ("GET", f"{API}/run-history/buckets"),
    ("GET", f"{API}/custom_component/a/client/component/b"), ("GET", f"{API}/dev/reload"), ("GET", f"{API}/token"),
    ("GET", "/docs"), ("GET", "/openapi.json"), ("TRACE", "/"), ("PUT", f"{API}/upload"), ("GET", "/healthz/x"),
]  # fmt: skip


def port_of(app: str) -> str:
    return app.rpartition(":")[2]


@pytest.mark.parametrize("host", OURS)
def test_addresses_and_loopback_names_are_answered(app: str, host: str) -> None:
    assert status_of(app, "GET", "/theme.css", f"Host: {host.format(port=port_of(app))}")[0] == 200


@pytest.mark.parametrize("host", FOREIGN)
def test_another_name_is_refused_and_the_setting_named(app: str, host: str) -> None:
    status, text = status_of(app, "GET", "/theme.css", f"Host: {host.format(port=port_of(app))}")
    assert status == 403 and "READONCE_HOSTS" in text


def test_a_refusal_speaks_the_persons_language(app: str) -> None:
    headers = {"Host": "evil.example", "Accept-Language": "de-CH,de"}
    assert "antwortet nicht auf den Namen „evil.example“" in httpx.get(app, headers=headers).text


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_no_route_answers_to_another_name_or_to_another_site(app: str, method: str, path: str) -> None:
    here = f"Host: 127.0.0.1:{port_of(app)}"
    assert status_of(app, method, path, "Host: evil.example")[0] == 403
    assert status_of(app, method, path, here, "Host: evil.example")[0] == 400
    for origin in (
        "http://evil.example",
        "null",
        "http://127.0.0.1:1",
        "https://6.6.6.6",
        "file://",
        f"http://evil.example:{port_of(app)}",
    ):
        status, text = status_of(app, method, path, here, f"Origin: {origin}")
        assert status == 403, origin
        assert method == "HEAD" or "READONCE_HOSTS" in text
    assert status_of(app, method, path, here, f"Origin: {app}")[0] != 403 or "file=" in path
    assert status_of(app, method, path, here, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors")[0] == 403


def test_a_link_from_another_site_opens_the_page(app: str) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Referer": "http://evil.example/"}
    assert httpx.get(app, headers=headers).status_code == 200


def test_a_health_check_needs_no_name_and_tells_nothing_else(app: str) -> None:
    def is_ready() -> bool:
        status, text = status_of(app, "GET", "/healthz", "Host: evil.example")
        assert (status, text) in ((200, "ok\n"), (503, "loading\n"))
        return status == 200

    wait_until(is_ready)


@pytest.mark.parametrize(("method", "path"), SHUT)
def test_what_the_page_does_not_need_is_shut(app: str, method: str, path: str) -> None:
    assert status_of(app, method, path, "Host: localhost", "Content-Type: application/json", body=b"{}")[0] == 404


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-Host: evil.example", "X-Gradio-Server: http://evil.example/", "Forwarded: host=evil.example"],
)
def test_nobody_else_says_where_the_server_is(app: str, header: str) -> None:
    status, text = status_of(app, "GET", "/config", "Host: localhost", header)
    assert status == 200 and "evil.example" not in text
    assert json.loads(text)["root"] == "http://localhost"


def head_of(path: str, *headers: str) -> bytes:
    """The head of a request whose body may come or not."""
    lines = [
        f"POST {API}/{path} HTTP/1.1",
        "Host: localhost",
        "Content-Type: multipart/form-data; boundary=x",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


@pytest.mark.parametrize(("path", "size"), [("upload", 10**12), ("call/encode", 5_000_000), ("mcp/", 5_000_000)])
def test_a_body_is_refused_by_its_size_before_it_is_read(app: str, path: str, size: int) -> None:
    """The size is said, and nothing is sent: the answer comes all the same, and the connection is closed."""
    with raw(app, head_of(path, f"Content-Length: {size}")) as connection:
        answer = b"".join(iter(lambda: connection.recv(1_000), b""))
    assert answer.startswith(b"HTTP/1.1 413 ") and b"the limit here is" in answer


def test_a_body_of_no_said_size_ends_at_the_limit(app: str) -> None:
    piece = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    with raw(app, head_of("call/encode", "Transfer-Encoding: chunked")) as connection, pytest.raises(ConnectionError):
        for _ in range(10_000):
            connection.sendall(piece)
    assert httpx.get(f"{app}/theme.css").status_code == 200


def test_a_file_over_the_limit_leaves_nothing(program: WebClient, folder: Path) -> None:
    before = set(folder.iterdir())
    answer = program.http.post(f"{API}/upload", files={"files": ("big.pdf", bytes(3_200_000))})
    assert answer.status_code == 413 and "3000000 bytes" in answer.text
    assert set(folder.iterdir()) == before


@pytest.mark.slow
def test_what_stops_coming_is_ended(app: str, folder: Path) -> None:
    """Half a head, half a body, a trickling one, half an upload whose sender leaves; others are served meanwhile."""
    before = set(folder.iterdir())
    begun = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.pdf"\r\n\r\n%PDF'
    upload = head_of("upload", "Content-Length: 5000") + begun
    call = head_of("call/encode", "Content-Length: 5000") + b"{"
    half = raw(app, b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ")
    silent = raw(app, b"")
    stalled, trickling, posted = (raw(app, request) for request in (upload, upload, call))
    raw(app, upload).close()
    open_connections = {"half": half, "silent": silent, "stalled": stalled, "trickling": trickling, "posted": posted}
    answers: dict[str, bytes] = {}
    deadline = time.monotonic() + PATIENCE
    while open_connections and time.monotonic() < deadline:
        if "trickling" in open_connections:
            trickling.send(b"x")
        for name, connection in list(open_connections.items()):
            if (answer := _arrived(connection)) is not None:
                answers[name] = answer
                open_connections.pop(name).close()
        assert httpx.get(f"{app}/theme.css", timeout=PATIENCE).status_code == 200
        time.sleep(1)
    assert {name: answer[:12] for name, answer in answers.items()} == {
        "half": b"", "silent": b"", "stalled": b"HTTP/1.1 408", "trickling": b"HTTP/1.1 408", "posted": b"HTTP/1.1 408",
    }  # fmt: skip
    assert set(folder.iterdir()) == before


def _arrived(connection: socket.socket) -> bytes | None:
    """What the server has sent, or b"" where it has closed the connection; None where neither is so."""
    connection.setblocking(False)
    try:
        return connection.recv(1_000)
    except BlockingIOError:
        return None
    except ConnectionError:
        return b""
    finally:
        connection.setblocking(True)


def directives(policy: str) -> dict[str, set[str]]:
    parts = [part.split() for part in policy.split(";")]
    return {name: set(values) for name, *values in parts}


@pytest.mark.parametrize(
    "path", ["/", "/config", "/static/img/logo.svg", f"{API}/info", "/nothing", f"{API}/file=/etc/passwd"]
)
def test_every_answer_tells_browsers_what_they_may_do(app: str, path: str) -> None:
    headers = httpx.get(app + path).headers
    policy = directives(headers["content-security-policy"])
    assert policy["default-src"] == {"'none'"} and policy["frame-ancestors"] == {"'none'"}
    assert policy["connect-src"] == {"'self'"} and policy["base-uri"] == {"'self'"}
    assert "'unsafe-inline'" not in policy["script-src"]
    assert not [value for values in policy.values() for value in values if value.startswith("http")]
    assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin" and headers["cross-origin-resource-policy"] == "same-origin"


def test_each_page_has_a_nonce_of_its_own_and_all_its_scripts_carry_it(app: str) -> None:
    pages = [httpx.get(app) for _ in range(2)]
    nonces = [re.findall(r"'nonce-([\w-]+)'", page.headers["content-security-policy"]) for page in pages]
    assert len({nonce for found in nonces for nonce in found}) == 2
    for page, (nonce,) in zip(pages, nonces, strict=True):
        scripts = re.findall(r"<script[^>]*>", page.text)
        assert scripts and all(f'nonce="{nonce}"' in script for script in scripts)


def test_a_browser_gets_a_name_once_and_no_script_can_read_it(app: str) -> None:
    with httpx.Client(base_url=app) as client:
        cookie = client.get("/").headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Secure" not in cookie
        assert "set-cookie" not in client.get("/").headers
    assert "set-cookie" not in httpx.get(f"{app}/theme.css").headers


def test_a_space_may_be_framed_by_its_site_and_by_nobody_else(public_app: str) -> None:
    headers = httpx.get(public_app).headers
    assert directives(headers["content-security-policy"])["frame-ancestors"] == {"https://huggingface.co"}
    assert "x-frame-options" not in headers
    assert "SameSite=None; Secure; Partitioned" in headers["set-cookie"]


@pytest.mark.parametrize(("host", "status"), [("reader.hf.space", 200), ("docs.example", 200), ("evil.hf.space", 403)])
def test_the_names_that_were_given_are_answered(public_app: str, host: str, status: int) -> None:
    assert status_of(public_app, "GET", "/theme.css", f"Host: {host}")[0] == status
    assert status_of(public_app, "GET", "/theme.css", "Host: 127.0.0.1", f"Origin: https://{host}")[0] == status


def test_the_platform_says_where_a_space_is(public_app: str) -> None:
    said = ["X-Forwarded-Host: reader.hf.space", "X-Forwarded-Proto: https"]
    status, text = status_of(public_app, "GET", "/config", "Host: 10.1.2.3:7860", *said)
    assert status == 200 and json.loads(text)["root"] == "https://reader.hf.space"
    status, text = status_of(public_app, "GET", "/config", "Host: reader.hf.space", "X-Forwarded-Host: evil.example")
    assert status == 200 and "evil.example" not in text


def test_on_a_public_host_nothing_can_change_the_checkpoint(app: str, public_app: str) -> None:
    """The menu is not hidden: there is no menu, and no function behind it."""
    numbers = {}
    for address in (app, public_app):
        config = httpx.get(f"{address}/config").json()
        numbers[address] = len(config["dependencies"])
        menus = [
            one
            for one in config["components"]
            if one["props"].get("label") == "Checkpoint" or "embedded" in str(one["props"].get("choices"))
        ]
        assert bool(menus) == (address == app)
    assert numbers[app] == numbers[public_app] + 1
