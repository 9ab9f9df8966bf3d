"""The old file or the new one, whole; and nothing beside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from model.storage.durable import place_durably, write_durably
from model.storage.seal import is_whole, seal


def test_a_file_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("old")
    write_durably(path, lambda part: part.write_text("new"))
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_where_writing_fails_the_old_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("old")

    def half(part: Path) -> None:
        part.write_text("ne")
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_durably(path, half)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_flushed_is_the_file_that_gets_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library may write elsewhere and rename: then what was opened before is a file without a name."""
    flushed: list[int] = []
    flush = os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: (flushed.append(os.fstat(file).st_ino), flush(file)))

    def renames(part: Path) -> None:
        part.write_text("first")
        other = part.with_suffix(".other")
        other.write_text("second")
        other.replace(part)

    path = tmp_path / "letter.txt"
    write_durably(path, renames)
    assert flushed == [path.stat().st_ino, tmp_path.stat().st_ino]


def test_a_folder_is_placed_with_all_its_files(tmp_path: Path) -> None:
    made = tmp_path / "made"
    (made / "deep").mkdir(parents=True)
    (made / "deep" / "file").write_text("content")
    place_durably(made, tmp_path / "placed")
    assert (tmp_path / "placed" / "deep" / "file").read_text() == "content"


@pytest.mark.parametrize("damage", ["flip", "cut", "lose", "add", "break the seal"])
def test_a_sealed_folder_tells_every_damage(tmp_path: Path, damage: str) -> None:
    for name in ("a.bin", "b.bin"):
        (tmp_path / name).write_bytes(bytes(1_000))
    seal(tmp_path)
    assert is_whole(tmp_path)
    file = tmp_path / "b.bin"
    if damage == "flip":
        file.write_bytes(bytes(500) + b"\x01" + bytes(499))
    elif damage == "cut":
        file.write_bytes(bytes(999))
    elif damage == "lose":
        file.unlink()
    elif damage == "add":
        (tmp_path / "c.bin").write_bytes(b"")
    else:
        (tmp_path / "readonce.json").write_text("[]")
    assert not is_whole(tmp_path)
