"""MCP tools of the running server, asked in plain JSON: no value of an argument names a file that was not uploaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.stand_ins import pdf
from tests.helpers.web_client import API, META, WebClient
from tests.helpers.web_server import elsewhere

LETTER = pdf("Dear Clara, the lamp will be lit on Friday.")
SECRET = "only the owner of this computer may read this"
TOOLS = {
    "encode": {"file": "", "pages": "", "password": ""},
    "caption": {"file": "", "task": "caption", "question": ""},
    "ask": {"questions": ["Who?"], "documents": ["a"], "turns": []},
    "forget": {"document": "a"},
}


def ask(client: WebClient, method: str, **parameters: Any) -> Any:
    """The result of a call, as the server sends it."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
    answer = client.http.post(f"{API}/mcp/", json=body, headers={"Accept": "application/json, text/event-stream"})
    answer.raise_for_status()
    (message,) = (line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: "))
    return json.loads(message)["result"]


def call(client: WebClient, tool: str, **arguments: Any) -> Any:
    return ask(client, "tools/call", name=tool, arguments=arguments)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "private.txt"
    path.write_text(SECRET)
    return path


def test_tools_take_texts_and_lists_of_texts_only(program: WebClient) -> None:
    """Gradio's MCP server would read and upload a file of this computer that a dictionary names."""
    tools = {tool["name"]: tool["inputSchema"]["properties"] for tool in ask(program, "tools/list")["tools"]}
    assert {name: list(properties) for name, properties in tools.items()} == {n: list(a) for n, a in TOOLS.items()}
    for properties in tools.values():
        for schema in properties.values():
            while schema["type"] == "array":
                schema = schema["items"]  # noqa: PLW2901 - turns are lists of lists
            assert schema["type"] == "string"


@pytest.mark.parametrize("tool", TOOLS)
def test_no_tool_takes_a_dictionary_anywhere(program: WebClient, secret: Path, tool: str) -> None:
    file = {"path": str(secret), **META}
    for name in TOOLS[tool]:
        for value in (
            file,
            {"path": str(secret)},
            [file],
            [[file]],
            {"value": file},
            {"root": [file]},
            [str(secret), file],
        ):
            said = call(program, tool, **TOOLS[tool] | {name: value})
            assert said["isError"], (name, value)
            assert SECRET not in json.dumps(said)


@pytest.mark.parametrize("tool", ["encode", "caption"])
@pytest.mark.parametrize(
    "shape", ["{path}", "file://{path}", "{app}/gradio_api/file={path}", "/gradio_api/file={path}", ""]
)
def test_no_text_names_a_file_that_was_not_uploaded(
    app: str, program: WebClient, secret: Path, folder: Path, tool: str, shape: str
) -> None:
    inside = folder / "private.txt"
    inside.write_text(SECRET)
    for path in (secret, inside, "/etc/passwd", "/dev/zero"):
        said = call(program, tool, file=shape.format(path=path, app=app))
        assert said["isError"] and SECRET not in json.dumps(said)
    inside.unlink()


def test_nothing_is_fetched(program: WebClient) -> None:
    with elsewhere() as (address, asked):
        for url in (f"{address}/letter.pdf", f"{address}/gradio_api/file=/etc/passwd"):
            assert call(program, "encode", file=url)["isError"]
        assert asked == []


def test_an_upload_can_be_named_by_its_address_and_a_browsers_own_cannot(app: str, program: WebClient) -> None:
    """`gradio upload-mcp` keeps no cookies; what a person has dropped on the page is theirs alone."""
    path = program.upload("letter.pdf", LETTER)
    assert not call(program, "encode", file=f"{app}/gradio_api/file={path}")["isError"]
    assert call(program, "encode", file=f"http://evil.example/gradio_api/file={path}")["isError"]
    with WebClient(app, as_browser=True) as browser:
        theirs = browser.upload("letter.pdf", LETTER)
        for client in (program, browser):
            assert call(client, "encode", file=f"{app}/gradio_api/file={theirs}")["isError"]
