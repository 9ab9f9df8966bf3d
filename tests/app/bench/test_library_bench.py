"""The library's benchmark on a few made-up documents: what it counts, and that it leaves nothing behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.bench.__main__ import build_parser
from app.bench.library import parts_of
from app.cli.command_line import run


@pytest.fixture
def data(tmp_path: Path) -> Path:
    texts = {"lamp": "The lamp of Lindau was lit in 1871.", "harbour": "The harbour of Bregenz opened in 1920."}
    rows = [{"document": name, "pages": {"1": "A title page.", "7": text}} for name, text in texts.items()]
    (tmp_path / "pages.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    about = {"id": "lamp", "file": "lamp.txt", "split": "train", "pages": 7, "title": "The lamp of Lindau"}
    (tmp_path / "documents.jsonl").write_text(json.dumps(about) + "\n")
    question = {
        "id": "1", "doc": "lamp", "split": "train", "kind": "number", "question": "When was the lamp of Lindau lit?",
        "answers": ["1871"], "pages": [7],
    }  # fmt: skip
    unnamed = {**question, "id": "2", "question": "When was it lit?"}  # which a library cannot be asked
    (tmp_path / "questions.jsonl").write_text(f"{json.dumps(question)}\n{json.dumps(unnamed)}\n")
    return tmp_path


def test_long_documents_are_cut_between_pages(data: Path) -> None:
    assert [len(part.document.pages) for part in parts_of(data / "pages.jsonl", 8000)] == [2, 2]
    parts = list(parts_of(data / "pages.jsonl", 1))
    assert [(part.source, part.document.pages[0].number) for part in parts] == [
        ("lamp", 1), ("harbour", 1), ("lamp", 7), ("harbour", 7),
    ]  # fmt: skip


@pytest.mark.parametrize("more", [[], ["--synthetic"]])
def test_what_is_asked_finds_its_page(
    data: Path, tiny_folder: Path, more: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READONCE_CACHE", str(data / "cache"))
    arguments = ["library", "--data", str(data), "--pages", str(data / "pages.jsonl"), "--model", str(tiny_folder)]
    assert run(build_parser(), [*arguments, "--json", *more]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["documents"], figures["questions"]) == (2, 1)
    assert figures["right_document_shown"] == figures["right_page_shown"] == 1
    assert figures["tokens"] > 0 and figures["bytes_a_token"] > 0 and figures["first_token_seconds_median"] > 0
