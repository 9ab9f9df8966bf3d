"""A server with users: without a login or a key nothing is given, and nobody gets what is another's."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AuthenticationError
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from openai import AuthenticationError as NoKey
from openai import NotFoundError, OpenAI

from app.people.directory import Directory
from tests.helpers.awaited import PATIENCE, awaited
from tests.helpers.browser import running_app
from tests.helpers.stand_ins import pdf
from tests.helpers.web_client import API, META, WebClient

PASSWORD = "a lamp in the window"
LETTER = pdf("Dear Clara, the lamp will be lit on Friday.", "Yours, Peter Holm")
WAYS = [
    ("GET", "/config"), ("GET", "/theme.css"), ("GET", f"{API}/info"), ("GET", f"{API}/queue/status"),
    ("GET", f"{API}/queue/data?session_hash=a"), ("GET", f"{API}/heartbeat/a"), ("GET", f"{API}/call/ask/a"),
    ("GET", f"{API}/file=/etc/passwd"), ("GET", f"{API}/upload_progress?upload_id=a"), ("POST", f"{API}/upload"),
    ("POST", f"{API}/call/encode"), ("POST", f"{API}/run/predict"), ("POST", f"{API}/queue/join"),
    ("POST", f"{API}/cancel"), ("POST", f"{API}/reset"), ("POST", f"{API}/mcp/"), ("GET", f"{API}/mcp/schema"),
    ("GET", f"{API}/openapi.json"), ("GET", f"{API}/startup-events"), ("GET", "/v1/models"), ("GET", "/v1/files"),
    ("POST", "/v1/files"), ("POST", "/v1/chat/completions"), ("GET", "/v1/files/file-a/content"),
    ("DELETE", "/v1/files/file-a"), ("GET", "/metrics"), ("GET", "/static/img/logo.svg"),
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A server and the keys to it; `folder`: of all libraries."""

    address: str
    folder: Path
    ada: str
    bert: str
    metrics: str

    def http(self, key: str = "") -> httpx.Client:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.Client(base_url=self.address, headers=headers, timeout=PATIENCE)

    def web(self, key: str) -> WebClient:
        client = WebClient(self.address)
        client.http.headers["Authorization"] = f"Bearer {key}"
        return client

    def openai(self, key: str) -> OpenAI:
        return OpenAI(base_url=f"{self.address}/v1", api_key=key, max_retries=0)

    def gradio(self, key: str) -> Client:
        return Client(
            self.address,
            headers=bearer(key),
            verbose=False,
            analytics_enabled=False,
            httpx_kwargs={"timeout": PATIENCE},
        )


@pytest.fixture(scope="module")
def served(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    directory = Directory(folder / "users.json")
    for name in ("ada", "bert"):
        directory.add_person(name, PASSWORD)
    keys = {name: directory.add_key(f"{name}s-notebook", name) for name in ("ada", "bert")}
    metrics = directory.add_key("prometheus", "")
    settings = {"READONCE_USERS": str(folder / "users.json"), "READONCE_LIBRARY": str(folder / "library")}
    with running_app(folder / "log.txt", "--model", str(tiny_folder), OMP_NUM_THREADS="1", **settings) as address:
        yield Served(address=address, folder=folder / "library", metrics=metrics, **keys)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def sign_in(client: httpx.Client, name: str, password: str = PASSWORD) -> httpx.Response:
    return client.post("/login", data={"name": name, "password": password})


@pytest.mark.parametrize(("method", "path"), WAYS)
def test_without_a_key_or_login_every_way_in_is_shut(served: Served, method: str, path: str) -> None:
    for headers in ({}, bearer("rk-" + "a" * 43), {"Cookie": "readonce_login=abc"}, {"x-readonce-inner": ""}):
        with served.http() as client:
            answer = client.request(method, path, headers=headers)
        assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
        assert served.address not in answer.text


def test_the_page_shows_its_form_and_health_is_open(served: Served) -> None:
    with served.http() as client:
        page, health = client.get("/"), client.get("/healthz")
        assert page.status_code == 401 and "<form" in page.text and "gradio" not in page.text.lower()
        assert "script" not in page.text and "form-action 'self'" in page.headers["content-security-policy"]
        german = client.get("/login", headers={"Accept-Language": "de"})
        assert german.status_code == 200 and "Anmelden" in german.text
        assert (health.status_code, health.text) in ((200, "ok\n"), (503, "loading\n"))


def test_a_person_signs_in_and_out(served: Served) -> None:
    with served.http() as client:
        for name, password in (("ada", "a wrong one"), ("clara", PASSWORD), ("", "")):
            refused = sign_in(client, name, password)
            assert refused.status_code == 401 and "The name or the password is wrong." in refused.text
        assert sign_in(client, "ada").status_code == 303
        cookie = client.cookies.jar
        assert all(one.has_nonstandard_attr("HttpOnly") for one in cookie if one.name == "readonce_login")
        assert client.get("/config").status_code == 200
        assert "ada" in client.get("/login").text
        assert client.get("/metrics").status_code == 403
        token = client.cookies["readonce_login"]
        assert client.post("/logout").status_code == 303
        assert client.get("/config", headers={"Cookie": f"readonce_login={token}"}).status_code == 401


def test_another_sites_page_cannot_sign_anybody_in(served: Served) -> None:
    with served.http() as client:
        answer = client.post("/login", data={"name": "ada"}, headers={"Origin": "http://evil.example"})
        assert answer.status_code == 403


def test_a_key_for_metrics_reads_them_and_nothing_else(served: Served) -> None:
    with served.http(served.metrics) as client:
        assert "readonce_answers" in client.get("/metrics").text
        assert client.get("/v1/files").status_code == client.get("/config").status_code == 403
    with served.http(served.ada) as client:
        assert client.get("/metrics").status_code == 403
        assert client.get(f"{API}/queue/status").status_code == 404  # how busy others are


def test_gradio_client_comes_in_with_a_key_and_documents_are_its_persons(served: Served, tmp_path: Path) -> None:
    (path := tmp_path / "letter.pdf").write_bytes(LETTER)
    with pytest.raises(AuthenticationError):
        Client(served.address, verbose=False, analytics_enabled=False, httpx_kwargs={"timeout": PATIENCE})
    client = served.gradio(served.ada)
    read = client.predict(handle_file(path), api_name="/encode")
    assert client.predict(["Who?"], [read["document"]], api_name="/ask")["answers"]
    with served.web(served.bert) as bert:
        bert.session = client.session_hash  # over the same connection, even
        assert bert.call("ask", ["Who?"], [read["document"]], []).event == "error"
    client.close()


def test_no_upload_event_or_connection_is_anothers(served: Served) -> None:
    with served.web(served.ada) as ada, served.web(served.bert) as bert:
        path = ada.upload("letter.pdf", LETTER)
        said = bert.call("encode", {"path": path, **META}, "", "")
        assert said.event == "error" and "is not a file that was uploaded" in said.text
        assert bert.http.get(f"{API}/file={path}").status_code == 404
        assert ada.http.get(f"{API}/file={path}").status_code == 200
        body = {"data": [{"path": path, **META}, "", ""], "session_hash": ada.session}
        event = ada.http.post(f"{API}/call/encode", json=body).json()["event_id"]
        theirs = {"session_hash": ada.session, "event_id": event, "fn_index": 0}
        assert bert.http.get(f"{API}/call/encode/{event}").status_code == 404
        for name in ("cancel", "reset"):
            assert bert.http.post(f"{API}/{name}", json=theirs).status_code == 404
        for way in (f"queue/data?session_hash={ada.session}", f"heartbeat/{ada.session}"):
            assert bert.http.get(f"{API}/{way}").status_code == 404
        joined = bert.http.post(f"{API}/queue/join", json={"data": [], **theirs})
        assert joined.status_code == 404
        assert "event: complete" in ada.http.get(f"{API}/call/encode/{event}").text


def test_no_session_of_the_page_is_anothers_whatever_a_browser_remembers(served: Served) -> None:
    """A session's id is what the page's first call gives, and takes again after a reload."""
    with served.web(served.ada) as ada, served.web(served.bert) as bert:
        enter = next(one["id"] for one in ada.functions() if one["targets"] and one["targets"][0][1] == "load")
        mine = ada.run(enter, [""]).json()["data"]
        session = next(value for value in mine if isinstance(value, str) and len(value) > 20)
        assert ada.run(enter, [session]).json()["data"].count(session) == mine.count(session)
        assert session not in json.dumps(bert.run(enter, [session]).json())


def test_an_exported_conversation_is_not_anothers(served: Served) -> None:
    with served.web(served.ada) as ada, served.web(served.bert) as bert:
        components, functions = ada.http.get("/config").json()["components"], ada.functions()
        (button,) = [one["id"] for one in components if "Export as Markdown" in str(one["props"].get("value"))]
        enter = next(one["id"] for one in functions if one["targets"] and one["targets"][0][1] == "load")
        (export,) = [one["id"] for one in functions if [button, "click"] in one["targets"]]
        ada.run(enter, [""]).raise_for_status()
        (file,) = [one for one in ada.run(export, [None]).json()["data"] if isinstance(one, dict) and "path" in one]
        assert ada.http.get(f"{API}/file={file['path']}").text.startswith("# Conversation")
        assert bert.http.get(f"{API}/file={file['path']}").status_code == 404


async def with_tools(served: Served, key: str, use: Any) -> Any:
    async with (
        httpx.AsyncClient(headers=bearer(key), timeout=PATIENCE, follow_redirects=True) as http,
        streamable_http_client(f"{served.address}{API}/mcp/", http_client=http) as (read, write, *_),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        return await use(session)


def test_mcp_comes_in_with_a_key_and_a_handle_is_its_persons(served: Served) -> None:
    data = "data:application/pdf;base64," + base64.b64encode(LETTER).decode()

    async def encode(session: ClientSession) -> Any:
        return await session.call_tool("encode", {"file": data})

    read = awaited(with_tools(served, served.ada, encode))
    assert not read.isError, read.content
    handle = re.search(r"'document': '([\w-]+)'", read.content[0].text)
    assert handle is not None

    async def ask(session: ClientSession) -> Any:
        return await session.call_tool("ask", {"questions": ["Who wrote?"], "documents": [handle[1]]})

    assert not awaited(with_tools(served, served.ada, ask)).isError
    refused = awaited(with_tools(served, served.bert, ask))
    assert refused.isError and "There is no document" in refused.content[0].text


def test_files_and_answers_of_v1_are_their_persons(served: Served) -> None:
    ada, bert = served.openai(served.ada), served.openai(served.bert)
    file = ada.files.create(file=("letter.pdf", LETTER), purpose="user_data")
    assert [one.id for one in ada.files.list().data] == [file.id] and bert.files.list().data == []
    assert ada.files.content(file.id).read() == LETTER
    model = ada.models.list().data[0].id
    asked: Any = [{"type": "text", "text": "Who wrote?"}, {"type": "file", "file": {"file_id": file.id}}]
    with pytest.raises(NotFoundError):
        bert.chat.completions.create(model=model, messages=[{"role": "user", "content": asked}])
    for refused in (bert.files.retrieve, bert.files.content, bert.files.delete):
        with pytest.raises(NotFoundError):
            refused(file.id)
    answer = ada.chat.completions.create(model=model, messages=[{"role": "user", "content": asked}])
    assert answer.choices[0].message.content is not None
    library = ada.chat.completions.create(model=model, messages=[{"role": "user", "content": "When is the lamp lit?"}])
    assert library.model_extra is not None
    assert library.model_extra["readonce"]["documents"][0]["name"] == "letter.pdf"
    with pytest.raises(NoKey):
        served.openai("rk-wrong").models.list()
    names = {path.parent.name: path for path in served.folder.glob("people/*/library.sqlite")}
    assert names["ada"].parent.stat().st_mode & 0o077 == 0
    assert len(list((served.folder / "people" / "ada" / "files").iterdir())) == 1
    assert not list((served.folder / "people" / "bert" / "files").iterdir())


def test_nobody_changes_the_checkpoint_for_everybody(served: Served) -> None:
    """Though the server listens to this computer alone, as behind a proxy."""
    with served.http(served.ada) as client:
        components = client.get("/config").json()["components"]
    said = [one["props"] for one in components]
    assert not [one for one in said if one.get("label") == "Checkpoint" or "embedded" in str(one.get("choices"))]


def test_a_file_of_v1_is_saved_under_its_own_name(served: Served) -> None:
    ada = served.openai(served.ada)
    file = ada.files.create(file=('Straße "日本".txt', b"Nobody was there."), purpose="user_data")
    saved = ada.files.with_raw_response.content(file.id).headers["content-disposition"]
    assert saved == f"attachment; filename*=utf-8''{quote(file.filename)}" and "日本" in file.filename


def test_who_is_removed_is_out_at_once(served: Served) -> None:
    directory = Directory(served.folder.parent / "users.json")
    directory.add_person("clara", PASSWORD)
    key = directory.add_key("claras-notebook", "clara")
    with served.http(key) as program, served.http() as browser:
        for _ in range(100):  # the file is looked at once a second
            if program.get("/v1/models").status_code == 200 and sign_in(browser, "clara").status_code == 303:
                break
        directory.remove_person("clara")
        statuses = {(program.get("/v1/models").status_code, browser.get("/config").status_code) for _ in range(300)}
    assert (401, 401) in statuses
