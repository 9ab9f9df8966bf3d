"""The library's commands, with real documents and a tiny random model."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from tests.helpers.command import Run
from tests.helpers.stand_ins import pdf

LAMP, HARBOUR = "The lamp of Lindau was lit in 1871.", "The harbour of Bregenz opened in 1920."


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two documents, one of them deeper, and what is none."""
    monkeypatch.setenv("READONCE_LIBRARY", str(tmp_path / "library"))
    folder = tmp_path / "papers"
    (folder / "old").mkdir(parents=True)
    (folder / "lamp.txt").write_text(LAMP, encoding="utf-8")
    (folder / "old" / "harbour.pdf").write_bytes(pdf(HARBOUR))
    (folder / "old" / "program.bin").write_bytes(b"\0\1")
    (folder / ".hidden.txt").write_text("hidden", encoding="utf-8")
    return folder


def encoded_tokens(out: str) -> list[str]:
    return re.findall(r"re-read: ([\d,]+)", out)


def test_a_folder_is_added_once_and_asked_for_good(command: Run, folder: Path) -> None:
    ran = command("add", folder)
    assert (ran.status, ran.err) == (0, "")
    assert (
        ran.out.count("added   ") == 2 and "2 added, 0 there already, 0 failed; the library has 2 documents" in ran.out
    )
    assert "0 added, 2 there already, 0 failed" in command("add", folder).out
    everything = command("ask", "--all", "-q", "When was the lamp lit?")
    assert everything.status == 0 and "asked 2 documents of the library" in everything.out
    part = command("ask", "--in", folder / "old", "-q", "When did the harbour open?", "--json")
    assert [one["name"] for one in json.loads(part.out)["documents"]] == ["harbour.pdf"]


def test_a_file_of_the_library_is_not_read_again(command: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "old" / "harbour.pdf"
    before = command("ask", path, "-q", "When?", "--json")
    command("add", path)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("it was read again")

    monkeypatch.setattr("app.documents.reader.DocumentReader.read", never)
    monkeypatch.setattr("model.engine.Engine.encode", never)
    after = command("ask", path, "-q", "When?", "--json")
    ours, theirs = (json.loads(ran.out)["answers"][0] for ran in (after, before))
    assert after.status == 0 and ours["evidence"][0]["quote"] == theirs["evidence"][0]["quote"] == HARBOUR


def test_what_cannot_be_read_is_named_and_the_rest_goes_on(command: Run, folder: Path) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 broken")
    ran = command("add", folder)
    assert ran.status == 0 and "2 added, 0 there already, 1 failed" in ran.out
    assert re.search(r"^failed  .*broken\.pdf: .+", ran.out, re.M)


def test_what_is_no_regular_file_is_left_out_and_refused_by_its_name(command: Run, folder: Path) -> None:
    """Whoever opened a pipe would wait for ever, and a device may have no end."""
    os.mkfifo(folder / "pipe.txt")
    (folder / "device.csv").symlink_to("/dev/zero")
    ran = command("add", folder)
    assert ran.out.count("added   ") == 2 and "2 added, 0 there already, 0 failed" in ran.out
    for name in ("pipe.txt", "device.csv"):
        ran = command("add", folder / name)
        assert ran.status == 2 and "is not a file: name a document" in ran.out


def test_a_protected_file_is_added_with_its_password(command: Run, folder: Path) -> None:
    path = folder / "locked.pdf"
    path.write_bytes(pdf("The code is 4711.", password="secret"))
    assert command("add", path).status == 2
    assert "1 added" in command("add", path, "--password", "secret").out
    assert "1 there already" in command("add", path).out


def test_an_edited_file_replaces_its_earlier_version(command: Run, folder: Path) -> None:
    command("add", folder)
    (folder / "lamp.txt").write_text("The lamp of Lindau was lit in 1900.", encoding="utf-8")
    command("add", folder)
    (lamp,) = json.loads(command("list", "--in", folder, "--json").out)["documents"][:1]
    assert lamp["name"] == "lamp.txt"
    assert len(json.loads(command("list", "--json").out)["documents"]) == 2


def test_removing_and_having_back(command: Run, folder: Path) -> None:
    command("add", folder)
    assert "1 document removed" in command("remove", "lamp.txt").out
    assert "harbour.pdf" in (listed := command("list").out) and "lamp.txt" not in listed
    assert "1 document back" in command("remove", "--undo").out
    assert "2 documents removed" in command("remove", folder).out
    assert "no document or folder 'none.txt'" in command("remove", "none.txt").complaint
    assert "The library is empty." in command("remove", "--everything").out
    assert "add some first" in command("ask", "--all", "-q", "Who?").complaint


def test_a_moved_file_is_listed_and_removed_where_it_is_now(command: Run, folder: Path) -> None:
    command("add", folder)
    moved = (folder / "lamp.txt").rename(folder / "zz.txt")
    assert "2 there already" in command("add", folder).out
    listed = command("list").out
    assert str(moved) in listed and "lamp.txt" not in listed
    assert "1 document removed" in command("remove", moved).out
    command("remove", "--undo")
    assert "1 document removed" in command("remove", "zz.txt").out


def test_a_library_goes_elsewhere_as_one_file(
    command: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("add", folder)
    bundle = tmp_path / "mine.zip"
    assert "2 documents" in command("export", "-o", bundle).out
    monkeypatch.setenv("READONCE_LIBRARY", str(tmp_path / "other"))
    assert "2 documents imported" in command("import", bundle).out
    assert "2 there already" in command("add", folder).out
    assert "asked 2 documents" in command("ask", "--all", "-q", "When was the lamp lit?").out


def test_a_bundle_with_other_bytes_is_refused(command: Run, folder: Path, tmp_path: Path) -> None:
    command("add", folder / "lamp.txt")
    bundle = tmp_path / "mine.zip"
    command("export", "-o", bundle)
    bundle.write_bytes(bundle.read_bytes().replace(LAMP.encode(), LAMP.replace("1871", "1872").encode()))
    assert "mine.zip is not an exported library, or damaged" in command("import", bundle).complaint


def test_without_a_library_its_commands_say_why(command: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READONCE_LIBRARY", "off")
    assert "There is no library" in command("add", folder).complaint
    assert "--all and --in FOLDER" in command("ask", "-q", "Who?").complaint
