"""What an operator asks the running server: its health, its numbers, its log, and to stop without losing an answer."""

from __future__ import annotations

import json
import re
import signal
import threading
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.helpers.awaited import PATIENCE, wait_until
from tests.helpers.browser import running_process
from tests.helpers.metrics import numbers
from tests.helpers.stand_ins import pdf
from tests.helpers.web_client import API, META, WebClient, get, raw

WORDS = "Ada Lovelace has kept the secret of the lamp since Friday."
LETTER = pdf(WORDS, f"Second page. {WORDS}")


def read(client: WebClient, data: bytes = LETTER, name: str = "letter.pdf") -> Any:
    """What `encode` gives for a document."""
    said = client.call("encode", {"path": client.upload(name, data), **META}, "", "")
    assert said.event == "complete", said.text
    return said.data[0]


def health(address: str) -> int:
    return get(f"{address}/healthz").status_code


def until_ready(address: str) -> None:
    wait_until(lambda: health(address) == 200)


@pytest.fixture(scope="module")
def json_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("json") / "log.txt"


@pytest.fixture(scope="module")
def operated(tiny_folder: Path, json_log: Path) -> Iterator[str]:
    """A server that logs in JSON."""
    settings = {"OMP_NUM_THREADS": "1", "READONCE_LOG": "json"}
    with running_process(json_log, "--model", str(tiny_folder), **settings) as (address, _):
        until_ready(address)
        yield address


def test_metrics_are_the_receipts_numbers(operated: str) -> None:
    before = numbers(operated)
    with WebClient(operated) as client:
        made = read(client)
        answers = client.call("ask", ["Who?", "When?", "What lamp?"], [made["document"]], []).data[0]["answers"]
    after = numbers(operated)
    gained = {name: after[name] - before.get(name, 0.0) for name in after}
    assert gained["readonce_read_documents_total"] == 1
    assert gained["readonce_read_pages_total"] == made["pages"]
    assert gained["readonce_read_tokens_total"] == made["tokens"]
    assert gained["readonce_read_seconds_sum"] == pytest.approx(made["encode_seconds"], abs=1e-3)
    assert gained["readonce_answer_seconds_count"] == len(answers)
    assert gained["readonce_answer_seconds_sum"] == pytest.approx(sum(one["seconds"] for one in answers), abs=0.01)
    assert after["readonce_answer_encoder_tokens_total"] == 0
    assert after["readonce_ready"] == 1
    assert after["readonce_memory_bytes"] > 0
    found = sum(gained.get(f'readonce_answers_total{{found="{found}"}}', 0.0) for found in ("true", "false"))
    assert found == len(answers)


def test_the_log_is_json_and_has_no_content(operated: str, json_log: Path) -> None:
    with WebClient(operated, as_browser=True) as client:
        made = read(client, name="strictly-private.pdf")
        client.call("ask", ["What does Lovelace keep?"], [made["document"]], [])
        client.http.get("/theme.css?word=Lovelace")
        client.http.get("/Lovelace")
        client.call("encode", {"path": client.upload("broken-private.exe", b"MZ\x90\x00" + bytes(99)), **META}, "", "")
    text = json_log.read_text().rpartition("\n")[0]  # the last line may still be being written
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert {line["event"] for line in lines} >= {"read", "answered", "request"}
    assert all({"time", "level", "event"} <= set(line) for line in lines)
    (answered,) = [line for line in lines if line["event"] == "answered"][-1:]
    assert answered["encoder_tokens"] == 0 and answered["seconds"] >= answered["first_token_seconds"]
    for content in ("Lovelace", "private", "secret", made["document"], "lamp"):
        assert content not in text


def test_a_health_check_tells_nothing_else(operated: str) -> None:
    answer = get(f"{operated}/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_the_numbers_of_a_public_host_without_users_are_not_for_everybody(public_app: str) -> None:
    answer = get(f"{public_app}/metrics")
    assert answer.status_code == 403 and "READONCE_USERS" in answer.text


def stream(address: str, lines: list[str]) -> None:
    """Ask over `/v1` about a file that is sent along, and note the lines of the stream."""
    file = {"filename": "letter.pdf", "file_data": f"data:application/pdf;base64,{b64encode(LETTER).decode()}"}
    content = [{"type": "text", "text": "Who kept the secret?"}, {"type": "file", "file": file}]
    model = get(f"{address}/v1/models").json()["data"][0]["id"]
    body = {"model": model, "stream": True, "messages": [{"role": "user", "content": content}]}
    with httpx.stream("POST", f"{address}/v1/chat/completions", json=body, timeout=PATIENCE) as answer:
        lines.extend(filter(None, answer.iter_lines()))


def test_a_stop_under_load_loses_no_answer_that_was_begun(tiny_folder: Path, tmp_path: Path) -> None:
    """Questions go on while the server stops; a new visitor is sent away meanwhile; then the process has ended."""
    settings = {"OMP_NUM_THREADS": "1", "READONCE_STOP_SECONDS": "600"}
    with running_process(tmp_path / "log.txt", "--model", str(tiny_folder), **settings) as (address, process):
        until_ready(address)
        questions = [f"What is the secret number {number}?" for number in range(400)]
        said: list[Any] = []
        streamed: list[str] = []
        with WebClient(address) as client:
            made = read(client)
            open_page = raw(address, f"GET {API}/heartbeat/abcdef HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

            def ask() -> None:
                said.append(client.call("ask", questions, [made["document"]], []))

            asking, streaming = threading.Thread(target=ask), threading.Thread(target=stream, args=(address, streamed))
            asking.start()
            while numbers(address)["readonce_questions"] == 0:
                assert asking.is_alive()
            streaming.start()
            while numbers(address)["readonce_questions"] <= 1:
                assert streaming.is_alive()
            process.send_signal(signal.SIGTERM)
            statuses = set()
            while asking.is_alive():
                try:
                    statuses.add((health(address), get(address).status_code))
                except httpx.HTTPError:  # it has answered, and ended
                    break
            asking.join()
            streaming.join()
            open_page.close()
        assert (503, 503) in statuses
        assert process.wait(timeout=PATIENCE) == 0
    answers = said[0].data[0]["answers"]
    assert [one["question"] for one in answers] == questions
    assert streamed[-1] == "data: [DONE]" and json.loads(streamed[-2].removeprefix("data: "))["usage"]["total_tokens"]
    assert not re.search("Traceback", (tmp_path / "log.txt").read_text())
