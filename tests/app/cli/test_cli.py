"""The command line as a person and a program meet it: real documents, a tiny random model."""

import json
import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest

from app.cli.progress import ERASE_LINE, LOG_SECONDS, ProgressLine
from model.errors import Cancelled
from model.types import Progress
from tests.helpers.command import Run
from tests.helpers.crafted import crafted, unchanged, with_field, with_tensor

ROOT = Path(__file__).resolve().parents[3]


def test_ask_prints_the_object_that_programs_read(command: Run, letter: Path) -> None:
    ran = command("ask", letter, "-q", "Who?", "-q", "When?", "--json")
    assert (ran.status, ran.err) == (0, "")
    result = json.loads(ran.out)
    assert list(result) == ["documents", "answers"]
    (document,) = result["documents"]
    assert list(document) == ["name", "pages", "tokens", "cache_bytes", "encode_seconds"]
    assert (document["name"], document["pages"]) == ("letter.txt", 1)
    assert document["tokens"] > 0 and document["cache_bytes"] > 0 and document["encode_seconds"] > 0
    assert [answer["question"] for answer in result["answers"]] == ["Who?", "When?"]
    for answer in result["answers"]:
        names = ["question", "answer", "found", "confidence", "doubtful", "seconds", "first_token_seconds", "evidence"]
        assert list(answer) == names
        assert isinstance(answer["found"], bool) and isinstance(answer["doubtful"], bool)
        assert 0 <= answer["confidence"] <= 1
        assert answer["seconds"] >= answer["first_token_seconds"] > 0
        for place in answer["evidence"]:
            assert list(place) == ["document", "page", "label", "quote", "score", "hidden"]
            assert place["hidden"] is False
            assert place["document"] == "letter.txt" and place["page"] == 1
            assert place["quote"] in letter.read_text(encoding="utf-8") and 0 <= place["score"] <= 1


def test_ask_is_pleasant_to_read(command: Run, letter: Path) -> None:
    ran = command("ask", letter, "-q", "Who?")
    assert (ran.status, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == "Q: Who?" and lines[1].startswith("A: ")
    assert re.search(r"^   \(read once: 1 page, \d+ tokens, .* - this answer: .* s, re-read: 0\)$", ran.out, re.M)


def test_turns_come_from_a_file_and_several_questions_follow_them_alone(
    command: Run, letter: Path, tmp_path: Path
) -> None:
    turns = tmp_path / "turns.json"
    turns.write_text('[["Who signed?", "Ada Keller"]]', encoding="utf-8")
    alone, after = (
        json.loads(command("ask", letter, *questions, "--turns", turns, "--json").out)["answers"]
        for questions in (("-q", "When?"), ("-q", "Where?", "-q", "When?"))
    )
    assert alone[0]["answer"] == after[1]["answer"] and alone[0]["confidence"] == after[1]["confidence"]
    without = json.loads(command("ask", letter, "-q", "When?", "--json").out)["answers"]
    assert without[0]["confidence"] != alone[0]["confidence"]
    turns.write_text('{"question": "Who?"}', encoding="utf-8")
    ran = command("ask", letter, "-q", "When?", "--turns", turns)
    assert ran.status == 2 and ran.err.count("\n") == 1 and "[[question, answer], ...]" in ran.err


def test_several_documents_are_asked_together(command: Run, letter: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.md"
    other.write_text("# Notes\n\nCall Ms Okafor.", encoding="utf-8")
    ran = command("ask", letter, other, "-q", "Who?", "--json")
    assert [one["name"] for one in json.loads(ran.out)["documents"]] == ["letter.txt", "other.md"]


def test_an_encoding_takes_the_place_of_its_document(command: Run, letter: Path, tmp_path: Path) -> None:
    encoding = tmp_path / "letter.safetensors"
    made = command("encode", letter, "-o", encoding)
    assert (made.status, made.err) == (0, "")
    assert made.out.startswith(f"{encoding}: 1 page, ")
    from_document = json.loads(command("ask", letter, "-q", "Who?", "--json").out)
    letter.unlink()
    from_encoding = json.loads(command("ask", encoding, "-q", "Who?", "--json").out)
    assert from_encoding["answers"][0]["answer"] == from_document["answers"][0]["answer"]
    assert from_encoding["documents"][0]["tokens"] == from_document["documents"][0]["tokens"]


def test_an_encoding_of_another_checkpoint(command: Run, letter: Path, tmp_path: Path, tiny_folder: Path) -> None:
    encoding = tmp_path / "letter.safetensors"
    command("encode", letter, "-o", encoding)
    other = tmp_path / "other"
    other.mkdir()
    for path in tiny_folder.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    (other / "config.json").write_text((tiny_folder / "config.json").read_text() + "\n")
    assert "another checkpoint" in command("ask", encoding, "-q", "Who?", "--model", other).complaint


@pytest.mark.parametrize("question", ["", "   "])
def test_an_empty_question(question: str, command: Run, letter: Path) -> None:
    assert "question is empty" in command("ask", letter, "-q", question).complaint


def test_a_question_that_is_too_long(command: Run, letter: Path) -> None:
    complaint = command("ask", letter, "-q", "x" * 10_000).complaint
    assert "10,000" in complaint and "2,000" in complaint


@pytest.mark.parametrize(
    ("name", "content"), [("empty.pdf", b""), ("broken.pdf", b"%PDF-1.7 broken"), ("program.exe", b"MZ\0\1\2")]
)
def test_a_file_that_is_no_document(name: str, content: bytes, command: Run, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert name in command("ask", tmp_path / name, "-q", "Who?").complaint


def test_a_file_that_is_not_there(command: Run, tmp_path: Path) -> None:
    assert "none.pdf" in command("ask", tmp_path / "none.pdf", "-q", "Who?").complaint


def test_pages_that_the_document_does_not_have(command: Run, letter: Path) -> None:
    assert "'7-9'" in command("ask", letter, "-q", "Who?", "--pages", "7-9").complaint


def test_pages_of_an_encoding_cannot_be_picked(command: Run, tmp_path: Path) -> None:
    assert "--pages" in command("ask", tmp_path / "a.safetensors", "-q", "Who?", "--pages", "1").complaint


@pytest.mark.parametrize(("how", "pictures"), [(["text"], 0), (["image"], 1), (["1", "both"], 1)])
def test_pages_say_how_they_enter(how: list[str], pictures: int, command: Run, letter: Path) -> None:
    options = [word for given in how for word in ("--pages", given)]
    ran = command("ask", letter, "-q", "Who?", "--json", *options)
    (document,) = json.loads(ran.out)["documents"]
    assert (document["tokens"] > 256) == bool(pictures)
    assert f"({pictures} seen as pictures)" in command("ask", letter, "-q", "Who?", *options).out or not pictures


def test_a_damaged_encoding(command: Run, tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"not one")
    assert "a.safetensors" in command("ask", tmp_path / "a.safetensors", "-q", "Who?").complaint


def test_crafted_encodings_are_refused_in_one_line(command: Run, letter: Path, tmp_path: Path) -> None:
    encoding = tmp_path / "letter.safetensors"
    command("encode", letter, "-o", encoding)
    data = encoding.read_bytes()
    for change, words in (
        (with_tensor("memory.key_scales", lambda scales: scales[:, :0]), "not a readable encoding"),
        (with_tensor("memory.hidden", lambda states: states[:, :16]), "but the checkpoint in use has"),
        (with_field("\x1b[2J<b>", "document", "pages", 0, "number"), "not a readable encoding"),
        (with_field([], "document", "pages"), "not a readable encoding"),
    ):
        encoding.write_bytes(crafted(data, change))
        complaint = command("ask", encoding, "-q", "Who?").complaint
        assert words in complaint and "\x1b" not in complaint
    encoding.write_bytes(crafted(data, unchanged, version="1"))
    assert command("ask", encoding, "-q", "Who?").complaint.endswith(
        "letter.safetensors has format version 1, this program reads 2: read the document again."
    )


def test_a_checkpoint_that_is_not_there(command: Run, letter: Path) -> None:
    assert "'no such one'" in command("ask", letter, "-q", "Who?", "--model", "no such one").complaint


@pytest.mark.parametrize("output", ["letter.enc", "missing/letter.safetensors"])
def test_encode_says_early_that_it_cannot_save(output: str, command: Run, tmp_path: Path) -> None:
    assert output in command("encode", tmp_path / "not even there.pdf", "-o", tmp_path / output).complaint


@pytest.mark.parametrize("arguments", [[], ["ask"], ["ask", "a.pdf"], ["sing"], ["ask", "a", "-q", "b", "--loud"]])
def test_wrong_arguments_are_one_line(arguments: list[str], command: Run) -> None:
    assert command(*arguments).complaint.endswith("--help)")


def test_info_names_what_a_bug_report_needs(command: Run, tiny_folder: Path) -> None:
    ran = command("info")
    assert ran.status == 0
    labels = [line.split("  ")[0] for line in ran.out.splitlines()]
    assert {"python", "torch", "transformers", "device", "threads", "checkpoints found", "cache folder"} <= set(labels)
    assert str(tiny_folder) in ran.out


def test_ctrl_c_ends_quietly(command: Run, letter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("app.cli.ask.ask", interrupted)
    ran = command("ask", letter, "-q", "Who?")
    assert (ran.status, ran.out, ran.err) == (130, "", "")


def test_a_message_of_several_lines_is_told_in_one(command: Run, letter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: object) -> None:
        raise Cancelled("one\n  two")

    monkeypatch.setattr("app.cli.ask.ask", fails)
    assert command("ask", letter, "-q", "Who?").complaint == "error: one two"


def test_python_m_app_is_the_command_line() -> None:
    ran = subprocess.run([sys.executable, "-m", "app", "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert all(name in ran.stdout for name in ("ask", "encode", "info"))


@pytest.mark.parametrize(
    ("given", "taken"),
    [({}, "10000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "active"}, "None")],
)
def test_waiting_threads_soon_leave_their_core_to_others(given: dict[str, str], taken: str) -> None:
    """Unless the person wants it otherwise; before PyTorch is loaded, which reads it once."""
    script = "import app, os, sys; print(os.environ.get('GOMP_SPINCOUNT'), 'torch' in sys.modules)"
    chosen = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
    environment = {name: value for name, value in os.environ.items() if name not in chosen} | given
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert output.stdout.split() == [taken, "False"]


def test_text_from_outside_cannot_drive_the_terminal() -> None:
    stream = Terminal()
    ProgressLine(stream, clock=lambda: 1.0).say("reading \x1b[2Ja\x9b1m.pdf\r\nb")
    assert stream.getvalue() == f"{ERASE_LINE}reading \ufffd[2Ja\ufffd1m.pdf\ufffd b"


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_on_a_terminal_is_one_line_that_goes_away() -> None:
    stream, seconds = Terminal(), iter([1.0, 2.0])
    line = ProgressLine(stream, clock=lambda: next(seconds))
    line.of("a.pdf")(Progress(stage="reading", done=1, total=1200, unit="pages"))
    line.loading("loading x", 0.5)
    line.clear()
    first, second = "reading a.pdf: 1 of 1,200 pages", "loading x: 50%"
    assert stream.getvalue() == ERASE_LINE + first + ERASE_LINE + second + ERASE_LINE


def test_progress_in_a_log_is_sparse() -> None:
    stream, now = StringIO(), [0.0]
    line = ProgressLine(stream, clock=lambda: now[0])
    for tick in range(25):
        now[0] = tick * LOG_SECONDS / 10
        line.say(f"step {tick}")
    line.clear()
    assert stream.getvalue() == "step 10\nstep 20\n"
