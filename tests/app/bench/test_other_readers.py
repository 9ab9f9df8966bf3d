"""Pages as other libraries read them, scored like the app's own."""

import json
from pathlib import Path

import pymupdf
import pytest

from app.bench.__main__ import build_parser
from app.bench.other_readers import other_reader
from app.bench.reading import own_reader
from model.errors import DocumentError


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    path = tmp_path / "letter.pdf"
    with pymupdf.open() as document:
        page = document.new_page()
        for number, text in enumerate(("Dear Ms Aalto,", "the pump is repaired.", "Yours, E. Brandt")):
            page.insert_text((60, 100 + 30 * number), text)
        document.save(path)
    return path


def test_a_page_has_the_other_librarys_text_and_all_its_words(letter: Path) -> None:
    page, seconds = other_reader("pymupdf")(letter, 1)

    assert page.text.split() == ["Dear", "Ms", "Aalto,", "the", "pump", "is", "repaired.", "Yours,", "E.", "Brandt"]
    assert [page.text[word.start : word.end] for word in page.words] == page.text.split()
    assert seconds >= 0


def test_a_page_behind_the_last_is_told_by_every_reader(letter: Path) -> None:
    for reader in (other_reader("pymupdf"), own_reader):
        with pytest.raises(DocumentError, match="has 1 pages, and no page 2"):
            reader(letter, 2)


def test_the_command_scores_the_same_pages_as_another_library_reads_them(
    letter: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = letter.parent
    (folder / "files").mkdir()
    letter.rename(folder / "files" / "letter.pdf")
    document = {"id": "a1", "file": "letter.pdf", "split": "check", "scan": False}
    blocks = ["Dear Ms Aalto,", "the pump is repaired.", "Yours, E. Brandt"]
    order = {"doc": "a1", "page": 1, "layout": "text", "blocks": blocks}
    for name, rows in (("documents", [document]), ("order", [order]), ("tables", [])):
        (folder / f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")

    arguments = build_parser().parse_args(["reading", str(folder), "--reader", "pymupdf", "--json"])
    arguments.run(arguments)

    assert json.loads(capsys.readouterr().out)["kinds"]["order, text"] == {
        "pages": 1, "order": 1.0, "words": 1.0, "wrong": 0.0,
    }  # fmt: skip
