"""Readonce as other programs use it: the served app, a real gradio_client and a real MCP client."""

from __future__ import annotations

import base64
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from PIL import Image, ImageDraw
from safetensors.torch import save

from tests.helpers.awaited import PATIENCE, awaited
from tests.helpers.stand_ins import pdf
from tests.helpers.web_server import elsewhere

LETTER = pdf("Dear Clara, the lamp will be lit on Friday.", "Yours, Peter Holm")
SECRET = "only the owner of this computer may read this"


@pytest.fixture
def client(app: str) -> Iterator[Client]:
    client = connect(app)
    yield client
    client.close()


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    path = tmp_path / "letter.pdf"
    path.write_bytes(LETTER)
    return path


def connect(app: str) -> Client:
    return Client(app, verbose=False, analytics_enabled=False, httpx_kwargs={"timeout": PATIENCE})


def encode(client: Client, path: Path, **arguments: str) -> dict[str, Any]:
    return client.predict(handle_file(path), api_name="/encode", **arguments)


def test_a_document_is_read_once_and_asked_many_times(client: Client, letter: Path) -> None:
    read = encode(client, letter)
    assert (read["name"], read["pages"]) == ("letter.pdf", 2)
    assert read["tokens"] > 0
    for questions in (["Who wrote?"], ["When?", "Which lamp?"]):
        result = client.predict(questions, [read["document"]], api_name="/ask")
        assert [answer["question"] for answer in result["answers"]] == questions
        assert result["documents"][0]["name"] == "letter.pdf"


def test_earlier_turns_come_as_pairs(client: Client, letter: Path) -> None:
    documents = [encode(client, letter)["document"]]
    said = client.predict(["And when?"], documents, [["Who wrote?", "Peter Holm"]], api_name="/ask")
    assert [answer["question"] for answer in said["answers"]] == ["And when?"]
    for turns in ([["Who wrote?"]], [["a", "b", "c"]], ["Who wrote?"]):
        with pytest.raises(AppError, match=r"Give a list of pairs, \[\[question, answer\], ...\]"):
            client.predict(["And when?"], documents, turns, api_name="/ask")


def test_answers_stream_and_the_questions_come_in_their_order(client: Client, letter: Path) -> None:
    read = encode(client, letter, pages="2")
    assert read["pages"] == 1
    questions = [f"Question {number}?" for number in range(20)]
    job = client.submit(questions, [read["document"]], api_name="/ask")
    assert [answer["question"] for answer in job.result()["answers"]] == questions
    assert len(job.outputs()) > 1


def test_only_the_named_endpoints_are_published_with_their_types(client: Client) -> None:
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(endpoints) == {"/encode", "/ask", "/caption", "/forget"}
    parameters = {one["parameter_name"]: one["type"] for one in endpoints["/ask"]["parameters"]}
    assert parameters == {
        "questions": {"type": "array", "items": {"type": "string"}},
        "documents": {"type": "array", "items": {"type": "string"}},
        "turns": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}},
    }
    assert set(endpoints["/ask"]["returns"][0]["type"]["properties"]) == {"documents", "answers"}
    assert "answer" in endpoints["/ask"]["returns"][0]["type"]["properties"]["answers"]["items"]["properties"]


def test_a_document_belongs_to_the_session_that_sent_it(app: str, client: Client, letter: Path) -> None:
    read = encode(client, letter)
    stranger = connect(app)
    with pytest.raises(AppError, match="There is no document"):
        stranger.predict(["Who?"], [read["document"]], api_name="/ask")
    stranger.predict(read["document"], api_name="/forget")
    assert client.predict(["Who?"], [read["document"]], api_name="/ask")["answers"]
    client.predict(read["document"], api_name="/forget")
    with pytest.raises(AppError, match=r"it was freed, or never here\. Encode it again\."):
        client.predict(["Who?"], [read["document"]], api_name="/ask")
    stranger.close()


@pytest.mark.parametrize(
    ("questions", "words"),
    [
        ([], "The list has 0 questions. Write one a line."),
        (["Who?", "x" * 3_000], "Line 2 of the list cannot be asked. The question has 3,000 characters"),
        (["Who?"] * 10_000, "The list has 10,000 questions; the limit is 500 at once."),
        ("Who?", "questions is 'Who?': send a list of strings."),
    ],
)
def test_questions_that_cannot_be_asked_are_refused_in_words(client: Client, questions: Any, words: str) -> None:
    with pytest.raises(AppError) as refused:
        client.predict(questions, [], api_name="/ask")
    assert words in str(refused.value)


def test_without_a_document_there_is_nothing_to_ask(client: Client) -> None:
    with pytest.raises(AppError, match="No document is chosen"):
        client.predict(["Who?"], [], api_name="/ask")


def test_a_file_that_cannot_be_read_says_why(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "program.exe"
    path.write_bytes(b"MZ\x90\x00" + bytes(200))
    with pytest.raises(AppError, match=r"program\.exe.*Windows program"):
        encode(client, path)


def test_an_encoding_is_no_document(client: Client, tmp_path: Path) -> None:
    """Those of somebody else are opened for a person only; here it is the handle that stands for what was read."""
    path = tmp_path / "letter.safetensors"
    path.write_bytes(save({"memory.hidden": torch.zeros(1, 8)}, {"format": "readonce-encoding", "version": "2"}))
    with pytest.raises(AppError, match=r"letter\.safetensors.* is no document that can be read here"):
        encode(client, path)


def test_a_picture_is_read_and_each_caption_says_what_it_comes_from(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "sign.png"
    image = Image.new("RGB", (640, 200), "white")
    ImageDraw.Draw(image).text((40, 60), "HARBOUR 1871", fill="black", font_size=64)
    image.save(path)
    said = client.predict(handle_file(path), "read", api_name="/caption")
    assert said["name"] == "sign.png"
    (caption,) = said["captions"]
    assert (caption["task"], caption["by"]) == ("read", "text recognition")
    assert "1871" in caption["text"]


@pytest.mark.parametrize("arguments", [("dance",), ("question", " ")])
def test_a_caption_that_cannot_be_made_says_why(client: Client, letter: Path, arguments: tuple[str, ...]) -> None:
    with pytest.raises(AppError, match="send one of caption, detailed, read, question"):
        client.predict(handle_file(letter), *arguments, api_name="/caption")


def call(app: str, name: str, *data: Any) -> str:
    """What the server says to a request that no library has made harmless."""
    body = json.dumps({"data": data}).encode()
    request = urllib.request.Request(f"{app}/gradio_api/call/{name}", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        event = json.loads(answer.read())["event_id"]
    with urllib.request.urlopen(f"{app}/gradio_api/call/{name}/{event}", timeout=PATIENCE) as stream:
        return str(stream.read().decode())


@pytest.mark.parametrize("shape", ["{path}", "{address}/gradio_api/file={path}", "file://{path}"])
def test_no_path_of_the_server_can_be_read(app: str, tmp_path: Path, shape: str) -> None:
    path = tmp_path / "private.txt"
    path.write_text(SECRET)
    file = {"path": shape.format(path=path, address=app), "meta": {"_type": "gradio.FileData"}}
    said = call(app, "encode", file, "", "")
    assert "event: error" in said
    assert SECRET not in said
    assert "document" not in said.partition("data:")[2].partition("error")[0]


def test_a_url_is_refused_and_not_fetched(app: str) -> None:
    with elsewhere() as (address, asked):
        said = call(app, "encode", {"path": f"{address}/letter.pdf", "meta": {"_type": "gradio.FileData"}}, "", "")
    assert "is not a file that was uploaded" in said
    assert asked == []


async def with_tools(app: str, use: Any) -> Any:
    async with (
        streamable_http_client(f"{app}/gradio_api/mcp/") as (read, write, *_),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        return await use(session)


def test_the_same_as_mcp_tools(app: str) -> None:
    data = "data:application/pdf;base64," + base64.b64encode(LETTER).decode()

    async def use(session: ClientSession) -> tuple[Any, ...]:
        tools = (await session.list_tools()).tools
        read = await session.call_tool("encode", {"file": data})
        handle = handle_of(read)
        answered = await session.call_tool("ask", {"questions": ["Who wrote?", "When?"], "documents": [handle]})
        strange = await session.call_tool("ask", {"questions": ["Who wrote?"], "documents": ["a" * 32]})
        dictionary = await session.call_tool("encode", {"file": {"path": "/etc/hostname"}})
        return tools, read, answered, strange, dictionary

    tools, read, answered, strange, dictionary = awaited(with_tools(app, use))
    assert {tool.name for tool in tools} == {"encode", "ask", "caption", "forget"}
    assert all(tool.description and tool.inputSchema["properties"] for tool in tools)
    assert not read.isError
    assert not answered.isError
    assert "Who wrote?" in answered.content[0].text
    assert strange.isError
    assert "There is no document" in strange.content[0].text
    assert dictionary.isError


def test_an_mcp_client_can_name_what_it_has_uploaded_here(app: str, letter: Path, client: Client) -> None:
    """As `gradio upload-mcp` does it: the upload's URL on this server is the tool's argument."""
    with urllib.request.urlopen(upload_request(app, letter), timeout=PATIENCE) as answer:
        (path,) = json.loads(answer.read())

    async def use(session: ClientSession) -> Any:
        return await session.call_tool("encode", {"file": f"{app}/gradio_api/file={path}"})

    read = awaited(with_tools(app, use))
    assert not read.isError, read.content
    assert handle_of(read)
    with pytest.raises(AppError, match="There is no document"):
        client.predict(["Who?"], [handle_of(read)], api_name="/ask")


def handle_of(result: Any) -> str:
    import ast

    return str(ast.literal_eval(result.content[0].text)["document"])


def upload_request(app: str, path: Path) -> urllib.request.Request:
    head = f'--edge\r\nContent-Disposition: form-data; name="files"; filename="{path.name}"\r\n\r\n'
    body = head.encode() + path.read_bytes() + b"\r\n--edge--\r\n"
    return urllib.request.Request(
        f"{app}/gradio_api/upload", body, {"Content-Type": "multipart/form-data; boundary=edge"}
    )
