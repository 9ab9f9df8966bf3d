"""`/v1` of the running server, asked with the real `openai` client, and the same answer by every other way."""

from __future__ import annotations

import ast
import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from openai import APIError, BadRequestError, NotFoundError, OpenAI, PermissionDeniedError

from app.documents.names import file_name
from tests.helpers.awaited import PATIENCE, awaited, wait_until
from tests.helpers.command import Run
from tests.helpers.metrics import numbers
from tests.helpers.stand_ins import pdf

LETTER = pdf("Dear Clara, the lamp will be lit on Friday.", "Yours, Peter Holm, Lindau")
QUESTION = "Who wrote from Lindau?"


@pytest.fixture(scope="module")
def client(app: str) -> OpenAI:
    # From then on the same code answers all questions: until then PyTorch's operations round otherwise.
    wait_until(lambda: numbers(app)["readonce_settled"] == 1)
    return OpenAI(base_url=f"{app}/v1", api_key="none", max_retries=0)


@pytest.fixture(scope="module")
def model(client: OpenAI) -> str:
    (model,) = client.models.list().data
    return client.models.retrieve(model.id).id


def about(question: str, *files: dict[str, Any]) -> Any:
    return {"role": "user", "content": [{"type": "text", "text": question}, *files]}


def by_id(file_id: str) -> dict[str, Any]:
    return {"type": "file", "file": {"file_id": file_id}}


def at(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def inline(data: bytes, name: str = "letter.pdf") -> dict[str, Any]:
    url = "data:application/pdf;base64," + base64.b64encode(data).decode()
    return {"type": "file", "file": {"filename": name, "file_data": url}}


def test_an_answer_about_an_uploaded_file_streams_with_its_page(client: OpenAI, model: str) -> None:
    file = client.files.create(file=("letter.pdf", LETTER), purpose="user_data")
    assert (file.filename, file.bytes, file.status) == ("letter.pdf", len(LETTER), "processed")
    assert file.expires_at is not None and file.expires_at > file.created_at
    messages = [about(QUESTION, by_id(file.id))]
    chunks = list(client.chat.completions.create(model=model, messages=messages, stream=True))
    assert len({chunk.id for chunk in chunks}) == 1 and chunks[0].choices[0].delta.role == "assistant"
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    (streamed,) = [
        found for chunk in chunks if (found := (chunk.choices[0].delta.model_extra or {}).get("annotations"))
    ]
    whole = client.chat.completions.create(model=model, messages=messages)
    choice = whole.choices[0]
    assert text == choice.message.content
    assert chunks[-1].choices[0].finish_reason == choice.finish_reason
    for annotation, other in zip(choice.message.annotations or [], streamed, strict=True):
        cited = (annotation.model_extra or {})["file_citation"]
        assert cited == other["file_citation"]
        assert cited["file_id"] == file.id and cited["page"] in (1, 2) and cited["quote"]
        assert annotation.url_citation.url == f"/v1/files/{file.id}/content#page={cited['page']}"
        assert annotation.url_citation.title == f"letter.pdf, page {cited['page']}"
    assert choice.message.annotations
    assert whole.usage is not None and whole.usage.prompt_tokens_details is not None
    assert whole.usage.prompt_tokens == whole.usage.prompt_tokens_details.cached_tokens > 0
    client.files.delete(file.id)
    with pytest.raises(NotFoundError, match="was deleted, has expired, or was never here"):
        client.chat.completions.create(model=model, messages=messages)


def test_a_file_in_the_message_is_read_once_however_often_it_is_sent(app: str, client: OpenAI, model: str) -> None:
    data, before = pdf("The harbour of Lindau was built in 1871."), numbers(app)["readonce_read_documents_total"]
    first = [about("When was the harbour built?", inline(data, "harbour.pdf"))]
    said = client.chat.completions.create(model=model, messages=first).choices[0].message.content
    turns = [*first, {"role": "assistant", "content": said or "-"}, {"role": "user", "content": "And by whom?"}]
    assert client.chat.completions.create(model=model, messages=turns).choices[0].finish_reason in ("stop", "length")
    assert numbers(app)["readonce_read_documents_total"] - before == 1


def test_every_way_gives_the_same_answer(app: str, client: OpenAI, model: str, command: Run, tmp_path: Path) -> None:
    (path := tmp_path / "letter.pdf").write_bytes(LETTER)
    completion = client.chat.completions.create(model=model, messages=[about(QUESTION, inline(LETTER))])
    answers = {"openai": completion.choices[0].message.content}
    assert completion.model_extra is not None
    answers["openai, beside it"] = completion.model_extra["readonce"]["answers"][0]["answer"]
    program = Client(app, verbose=False, analytics_enabled=False)
    read = program.predict(handle_file(path), api_name="/encode")
    asked = program.predict([QUESTION], [read["document"]], api_name="/ask")
    program.close()
    answers["gradio_client"] = asked["answers"][0]["answer"]
    answers["ask --json"] = json.loads(command("ask", path, "-q", QUESTION, "--json").out)["answers"][0]["answer"]

    async def by_mcp() -> str:
        async with (
            streamable_http_client(f"{app}/gradio_api/mcp/") as (reads, writes, *_),
            ClientSession(reads, writes) as session,
        ):
            await session.initialize()
            url = "data:application/pdf;base64," + base64.b64encode(LETTER).decode()
            sent = await session.call_tool("encode", {"file": url})
            handle = ast.literal_eval(sent.content[0].text)["document"]
            said = await session.call_tool("ask", {"questions": [QUESTION], "documents": [handle]})
            return str(ast.literal_eval(said.content[0].text)["answers"][0]["answer"])

    answers["mcp"] = awaited(by_mcp())
    assert len(set(answers.values())) == 1, answers


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([], "messages cannot be used"),
        ([{"role": "assistant", "content": "Hello"}], "must be the user's question"),
        ([{"role": "user", "content": " "}], "question"),
        ([{"role": "user", "content": "x" * 3_000}], "3,000 characters"),
        ([{"role": "user", "content": "Who?"}], "There is no file to ask"),
        (
            [about("Who?", at("http://127.0.0.1:1/a.png"))],
            "Nothing is fetched",
        ),
        ([about("Who?", at("file:///etc/passwd"))], "Nothing is fetched"),
        ([about("Who?", by_id("/etc/passwd"))], "is no id of a file"),
        ([about("Who?", {"type": "input_audio"})], "input_audio"),
        ([about("Who?", inline(b"MZ\x90\x00" + bytes(99), "a.exe"))], "a.exe"),
        ([about("Who?", inline(bytes(99), "a.safetensors"))], "a.safetensors"),
        ([about("Who?", *(inline(f"Letter {n}".encode(), f"{n}.txt") for n in range(101)))], "101 files"),
        ([about("Who?", *(by_id(f"file-{'0' * 64}") for _ in range(101)))], "101 files"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_words(client: OpenAI, model: str, messages: Any, words: str) -> None:
    with pytest.raises(BadRequestError) as refused:
        client.chat.completions.create(model=model, messages=messages)
    assert words in refused.value.message and isinstance(refused.value.body, dict)


@pytest.mark.parametrize("seed", [2**63, -(2**63) - 1, 10**40])
def test_a_seed_that_is_no_number_of_a_machine_is_refused(client: OpenAI, model: str, seed: int) -> None:
    with pytest.raises(BadRequestError, match="seed cannot be used"):
        client.chat.completions.create(model=model, messages=[about("Who?", inline(LETTER))], seed=seed)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\letters\\of ada.txt", "of ada.txt"),
        ("a\r\nX-Evil: 1\0.txt", "a__X-Evil: 1_.txt"),
        ("n" * 5_000 + ".txt", "n" * 251 + ".txt"),
        ("Straße “日本”.txt", "Straße “日本”.txt"),
    ],
)
def test_a_name_that_a_program_says_is_no_more_than_a_files(
    app: str, client: OpenAI, model: str, said: str, name: str
) -> None:
    text = f"The lamp of {name[:40]} was lit on Friday.".encode()
    question = about("When was the lamp lit?", inline(text, said))
    extra = client.chat.completions.create(model=model, messages=[question]).model_extra
    assert extra is not None and [one["name"] for one in extra["readonce"]["documents"]] == [name]
    sent = httpx.post(f"{app}/v1/files", files={"file": (said[-1_000:], text + b" Again.")}, timeout=PATIENCE).json()
    assert sent["filename"] == file_name(sent["filename"]) and sent["filename"][-4:] == name[-4:]


def test_what_goes_wrong_in_a_stream_is_said_in_it(client: OpenAI, model: str) -> None:
    messages = [about("Who?", by_id(f"file-{'0' * 64}"))]
    with pytest.raises(APIError, match="was deleted, has expired, or was never here"):
        list(client.chat.completions.create(model=model, messages=messages, stream=True))


def test_another_model_and_a_file_that_is_too_large_are_refused(client: OpenAI) -> None:
    with pytest.raises(NotFoundError, match="There is no model 'gpt-5' here"):
        client.chat.completions.create(model="gpt-5", messages=[{"role": "user", "content": "Who?"}])
    with pytest.raises(BadRequestError, match="the limit is 3,000,000"):
        client.files.create(file=("a.txt", b"word " * 700_000), purpose="user_data")
    with pytest.raises(NotFoundError):
        client.files.content("file-../../etc/passwd")


def test_a_front_ends_own_request_is_understood(app: str, model: str) -> None:
    """As chat front ends send it: with fields that mean nothing here, and the events read as they come."""
    body = {
        "model": model, "stream": True, "stream_options": {"include_usage": True}, "tool_ids": [], "features": {},
        "messages": [{"role": "system", "content": "Be nice."}, about(QUESTION, inline(LETTER))],
        "metadata": {"chat_id": "local"}, "params": {},
    }  # fmt: skip
    with httpx.stream("POST", f"{app}/v1/chat/completions", json=body, timeout=PATIENCE) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in answer.iter_lines() if line]
    assert all(line.startswith("data: ") for line in lines) and lines[-1] == "data: [DONE]"
    last = json.loads(lines[-2].removeprefix("data: "))
    assert last["usage"]["total_tokens"] > 0 and last["choices"][0]["finish_reason"] in ("stop", "length")


def test_where_strangers_come_v1_is_shut(public_app: str, public_log: Path) -> None:
    stranger = OpenAI(base_url=f"{public_app}/v1", api_key="none", max_retries=0)
    with pytest.raises(PermissionDeniedError, match="READONCE_USERS"):
        stranger.files.list()
    assert httpx.get(f"{public_app}/metrics").status_code == 403
    assert "whoever does may use it: there are no users" in public_log.read_text()
