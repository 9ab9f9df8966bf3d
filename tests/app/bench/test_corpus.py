"""The corpus benchmark: what becomes of each file of a folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from app.bench.__main__ import build_parser
from app.bench.corpus import Reading, is_unmapped, reason, summary, words_of
from app.cli.command_line import run
from tests.helpers.stand_ins import pdf


def test_messages_that_differ_in_names_and_figures_are_one_reason() -> None:
    first = reason("'a.pdf' is damaged (object 17 0 R); export or download it again.")
    assert first == reason("'a b.pdf' is damaged (xref 4); export or download it again.")
    assert first != reason("'a.pdf' is empty (0 bytes): choose a file with content.")


def test_words_are_compared_in_one_form() -> None:
    assert words_of("The ﬁrst Café") == words_of("the first cafe\N{COMBINING ACUTE ACCENT}")


def test_characters_that_a_font_does_not_name_are_counted() -> None:
    assert [is_unmapped(character) for character in "a\N{REPLACEMENT CHARACTER}\ue000\n"] == [False, True, True, False]


def test_the_figures_name_what_poppler_reads_and_we_do_not() -> None:
    readings = [
        Reading(file="a.pdf", seconds=1, pages=2, words=90, unmapped=3, poppler_words=100, words_in_both=80),
        Reading(file="b.pdf", seconds=30, refused="'b.pdf' is damaged.", poppler_words=10, words_in_both=0),
        Reading(file="c.pdf", seconds=1, refused="'c.pdf' is locked.", needs_password=True, poppler_words=10),
        Reading(file="d.pdf", seconds=1, refused="'d.pdf' ended the process that reads it (exit status -11)."),
    ]
    found = summary(readings)
    assert (found["read"], found["refused"], found["pages"], found["unmapped_characters"]) == (1, 3, 2, 3)
    assert found["refused_but_read_by_poppler"] == ["b.pdf"]
    assert (found["slow"], found["crashed"]) == (["b.pdf"], ["d.pdf"])
    assert found["poppler_words_found_percent"] == 80
    assert found["fewest_of_popplers_words"] == ["80% of a.pdf"]


def test_every_file_of_a_folder_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "letter.pdf").write_bytes(pdf("The lamp was lit in 1871."))
    (tmp_path / "note.txt").write_text("The ferry leaves at nine.")
    (tmp_path / "empty.pdf").write_bytes(b"")
    assert run(build_parser(), ["corpus", str(tmp_path), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["files"], result["read"], result["refused"]) == (3, 2, 1)
    assert [Path(one["file"]).name for one in result["files_read"]] == ["letter.pdf", "empty.pdf", "note.txt"]
    assert result["crashed"] == result["not_drawn"] == []
    if shutil.which("pdftotext"):
        assert result["poppler_words_found_percent"] == 100
    assert run(build_parser(), ["corpus", str(tmp_path)]) == 0
    assert "refused by reason:" in capsys.readouterr().out


def test_what_is_no_folder_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(build_parser(), ["corpus", str(tmp_path / "none")]) == 2
    assert "is no folder" in capsys.readouterr().err
