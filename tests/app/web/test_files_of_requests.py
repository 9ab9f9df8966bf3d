"""No shape of request reads a file that was not uploaded on that connection: every endpoint of the running server."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.stand_ins import pdf
from tests.helpers.web_client import META, WebClient
from tests.helpers.web_server import elsewhere

LETTER = pdf("Dear Clara, the lamp will be lit on Friday.")
SECRET = "only the owner of this computer may read this"
MOST_INPUTS = 6


def shapes(path: str, app: str = "") -> dict[str, Any]:
    """Values that name a file, each in its own way."""
    file, served = {"path": path, **META}, f"{app}/gradio_api/file={path}"
    return {
        "dictionary": {"path": path},
        "dictionary with meta": file,
        "all fields": {"url": None, "size": 5, "orig_name": "a.pdf", "mime_type": "", "is_stream": False, **file},
        "stream": {"is_stream": True, **file},
        "url beside it": {"url": served, **file},
        "file url": {"path": f"file://{path}", **META},
        "file url as url": {"path": "a.pdf", "url": f"file://{path}", **META},
        "served address": {"path": served, **META},
        "served path": {"path": f"/gradio_api/file={path}", **META},
        "no path": {"url": served, **META},
        "path in a list": {"path": [path], **META},
        "path in a dictionary": {"path": file, **META},
        "list": [file],
        "list without meta": [{"path": path}],
        "list of lists": [[file]],
        "root": {"root": [file], **META},
        "value": {"value": file},
        "update": {"__type__": "update", "value": file},
        "string": path,
        "list of strings": [path],
        "string with a scheme": f"file://{path}",
    }


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "private.txt"
    path.write_text(SECRET)
    return path


@pytest.fixture
def targets(secret: Path, folder: Path, tmp_path: Path) -> Iterator[list[str]]:
    """Files that nobody uploaded: of the system, of the person, in the server's own folder, and what is no file."""
    inside = folder / "not-uploaded"
    inside.mkdir()
    (inside / "private.txt").write_text(SECRET)
    (inside / "link.txt").symlink_to(secret)
    os.mkfifo(inside / "pipe")  # whoever opened it would wait for ever
    yield [
        "/etc/passwd", "/dev/zero", "/proc/self/environ", str(secret), str(tmp_path),
        *(str(path) for path in inside.iterdir()), str(inside), f"{inside}/../not-uploaded/private.txt",
        os.path.relpath(secret), "private.txt", "", ".", "~/.netrc", f"{secret}\0.pdf", "a" * 5_000,
    ]  # fmt: skip
    for path in inside.iterdir():
        path.unlink()
    inside.rmdir()


@pytest.mark.parametrize("shape", shapes(""))
@pytest.mark.parametrize("endpoint", ["encode", "caption"])
def test_no_endpoint_takes_a_file_that_was_not_uploaded(
    app: str, program: WebClient, targets: list[str], endpoint: str, shape: str
) -> None:
    for target in targets:
        said = program.call(endpoint, shapes(target, app)[shape], "", "")
        assert said.event == "error", target
        assert re.search("[Uu]pload (it|one)|too long", said.text)
        assert SECRET not in said.text


def test_no_function_of_the_page_takes_one_in_any_place(app: str, program: WebClient, secret: Path) -> None:
    """Whatever function, input and shape: a value in which a file could be named is refused, and a text is a text."""
    hostile = [value for value in shapes(str(secret), app).values() if not _is_plain(value)]
    functions = [one for one in program.functions() if one["inputs"] and one["backend_fn"]]
    components = {one["id"]: one for one in program.http.get("/config").json()["components"]}
    assert len(functions) > 20
    for function in functions:
        for place, component in enumerate(function["inputs"][:MOST_INPUTS]):
            if components[component]["type"] == "state":  # the server has its value, whatever a request says
                continue
            for value in hostile:
                data: list[Any] = [None] * len(function["inputs"])
                data[place] = value
                answer = program.run(function["id"], data)
                assert answer.status_code in (404, 500), (function["api_name"], place, value)
                assert SECRET not in answer.text
                if answer.status_code == 404:  # it waits in a queue: there is no direct way
                    assert program.call(function["api_name"], *data).event == "error"


def test_the_page_receives_no_file_that_was_not_uploaded(app: str, program: WebClient, targets: list[str]) -> None:
    for elem_id in ("drop", "csv"):
        component = program.component(elem_id)
        (function,) = [one["id"] for one in program.functions() if [component, "upload"] in one["targets"]]
        for target in targets:
            for value in shapes(target, app).values():
                answer = program.run(function, [None, value, ""])
                assert answer.status_code == 500, (target, answer.text)
                assert SECRET not in answer.text


def _is_plain(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(one, str) for one in value))


@pytest.mark.parametrize("meta", [META, {}])
def test_an_upload_can_be_named_by_who_sent_it(program: WebClient, meta: dict[str, Any]) -> None:
    path = program.upload("letter.pdf", LETTER)
    for _ in range(2):
        said = program.call("encode", {"path": path, **meta}, "", "")
        assert said.event == "complete" and said.data[0]["name"] == "letter.pdf"


def test_an_upload_can_be_named_as_the_page_does_it(app: str, browser_client: WebClient) -> None:
    path = browser_client.upload("letter.pdf", LETTER)
    url = f"{app}/gradio_api/file={path}"
    file = {"path": path, "url": url, "orig_name": "letter.pdf", "size": len(LETTER), "mime_type": "", **META}
    assert browser_client.call("encode", file, "", "").event == "complete"
    assert browser_client.http.get(url).content == LETTER
    assert browser_client.call("encode", {"path": url, **META}, "", "").event == "complete"


@pytest.mark.parametrize(
    "change",
    [
        lambda path: f"{path}/", lambda path: f"{path}/.", lambda path: f"/{path}", lambda path: f"{path} ",
        lambda path: path.replace("/letter", "/../x/letter"), lambda path: path.upper(), lambda path: f"{path}\0",
        lambda path: str(Path(path).parent), lambda path: f"http://evil.example/gradio_api/file={path}",
    ],
)  # fmt: skip
def test_only_the_path_itself_names_an_upload(program: WebClient, change: Any) -> None:
    path = program.upload("letter.pdf", LETTER)
    assert program.call("encode", {"path": change(path), **META}, "", "").event == "error"
    assert program.call("encode", {"path": path, **META}, "", "").event == "complete"


def test_each_upload_has_a_path_of_its_own(program: WebClient) -> None:
    """Even of the same content: who has the content does not know the path."""
    paths = [program.upload("letter.pdf", LETTER) for _ in range(3)]
    assert len(set(paths)) == 3


@pytest.mark.parametrize(
    "name", ["{x} {name}.pdf", "$1! `a` <b>|c?*.pdf", 'the "new" one.pdf', "שלום (2).pdf", "é" * 120 + ".pdf"]
)
def test_an_upload_keeps_its_name_letter_by_letter(program: WebClient, name: str) -> None:
    path = program.upload(name, LETTER)
    assert Path(path).name == name
    said = program.call("encode", {"path": path, **META}, "", "")
    assert said.event == "complete" and said.data[0]["name"] == name


@pytest.mark.parametrize("name", ["..", "../../up.pdf", "C:\\x\\up.pdf", "a\r\nb.pdf"])
def test_no_name_leads_an_upload_out_of_its_folder(program: WebClient, name: str) -> None:
    own = Path(program.upload("letter.pdf", LETTER)).parents[2]
    path = Path(program.upload(name, LETTER))
    assert (
        path.parents[2] == own and path == path.resolve() and path.name in ("_", "up.pdf", "a__b.pdf", "a%0D%0Ab.pdf")
    )


def test_who_knows_the_path_of_another_browser_gets_nothing(app: str, browser_client: WebClient) -> None:
    path = browser_client.upload("letter.pdf", LETTER)
    for as_browser in (True, False):
        with WebClient(app, as_browser=as_browser) as stranger:
            assert stranger.call("encode", {"path": path, **META}, "", "").event == "error"
            assert stranger.http.get(f"/gradio_api/file={path}").status_code == 404
    assert browser_client.call("encode", {"path": path, **META}, "", "").event == "complete"


def test_an_upload_belongs_to_the_first_session_that_names_it(app: str, program: WebClient) -> None:
    path = program.upload("letter.pdf", LETTER)
    assert program.call("encode", {"path": path, **META}, "", "").event == "complete"
    with WebClient(app) as stranger:
        assert stranger.call("encode", {"path": path, **META}, "", "").event == "error"


@pytest.mark.parametrize("becomes", ["link", "folder", "pipe", "another file", "longer", "nothing"])
def test_an_upload_that_was_exchanged_is_refused(program: WebClient, secret: Path, becomes: str) -> None:
    path = Path(program.upload("letter.pdf", LETTER))
    if becomes == "longer":
        path.write_bytes(LETTER + b"more")
    else:
        path.unlink()
    if becomes == "link":
        path.symlink_to(secret)
    elif becomes == "folder":
        path.mkdir()
    elif becomes == "pipe":
        os.mkfifo(path)
    elif becomes == "another file":
        path.write_text(SECRET)
    said = program.call("encode", {"path": str(path), **META}, "", "")
    assert said.event == "error" and SECRET not in said.text
    assert program.http.get(f"/gradio_api/file={path}").status_code == 404


@pytest.mark.parametrize("address", ["{}", "{}/../private.txt", "%2e%2e{}", "http:/{}", "file://{}"])
def test_nothing_else_is_served_as_a_file(program: WebClient, secret: Path, folder: Path, address: str) -> None:
    inside = folder / "private.txt"
    inside.write_text(SECRET)
    for path in (secret, inside, "/etc/passwd", Path(__file__).resolve()):
        answer = program.http.get(f"/gradio_api/file={address.format(path)}")
        assert answer.status_code in (403, 404) and SECRET not in answer.text
    inside.unlink()


def test_what_is_served_is_saved_and_never_shown(program: WebClient) -> None:
    path = program.upload("page.html", b"<script>alert(1)</script>")
    answer = program.http.get(f"/gradio_api/file={path}")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_is_handed_out_is_its_browsers_alone(app: str, browser_client: WebClient) -> None:
    """A conversation as a file: who asked for it can take it, nobody else can, and it is no upload."""
    config = browser_client.http.get("/config").json()
    (button,) = [one["id"] for one in config["components"] if "Export as Markdown" in str(one["props"].get("value"))]
    (enter,) = [one["id"] for one in config["dependencies"] if [None, "load"] in [[None, t[1]] for t in one["targets"]]]
    (export,) = [one["id"] for one in config["dependencies"] if [button, "click"] in one["targets"]]
    browser_client.run(enter, [""]).raise_for_status()
    (file,) = [
        one for one in browser_client.run(export, [None]).json()["data"] if isinstance(one, dict) and "path" in one
    ]
    assert browser_client.http.get(f"/gradio_api/file={file['path']}").text.startswith("# Conversation")
    for as_browser in (True, False):
        with WebClient(app, as_browser=as_browser) as stranger:
            assert stranger.http.get(f"/gradio_api/file={file['path']}").status_code == 404
    assert browser_client.call("encode", file, "", "").event == "error"


@pytest.mark.parametrize("endpoint", ["encode", "caption"])
def test_nothing_is_ever_fetched(program: WebClient, endpoint: str) -> None:
    with elsewhere() as (address, asked):
        url, mine = f"{address}/letter.pdf", program.upload("letter.pdf", LETTER)
        values = [
            {"path": url, **META}, {"path": "letter.pdf", "url": url, **META}, {"url": url, **META},
            {"path": mine, "url": url}, {"path": f"{address}/gradio_api/file={mine}x", **META}, url, [url],
            [{"path": url, **META}], {"path": "", "url": f"{address}/gradio_api/file={mine}", **META},
        ]  # fmt: skip
        for value in values:
            assert program.call(endpoint, value, "", "").event == "error"
        for path in (f"/gradio_api/file={url}", f"/gradio_api/proxy={url}", f"/gradio_api/file/{url}"):
            assert program.http.get(path).status_code == 404
        assert asked == []
