"""What is being made has an owner: it goes with it, or at the next start, and never under a live owner's hands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from model.storage.owned_folder import owned_folder, sweep
from tests.helpers.awaited import PATIENCE

ROOT = Path(__file__).resolve().parents[3]
MAKES_AND_WAITS = """
import sys
from pathlib import Path
from model.storage.owned_folder import owned_folder
with owned_folder(Path(sys.argv[1]), "test") as folder:
    (folder / "half").write_bytes(b"half of something")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path: Path) -> subprocess.Popen[str]:
    """Another process that makes something in the same place."""
    process = subprocess.Popen(
        [sys.executable, "-c", MAKES_AND_WAITS, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert Path(process.stdout.readline().strip()).is_dir()
    return process


def ended(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=PATIENCE)


def test_a_folder_is_gone_afterwards_with_all_that_is_in_it(tmp_path: Path) -> None:
    with owned_folder(tmp_path / "cache", "test") as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_text("half")
        assert folder.parent == tmp_path / "cache"
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("error", [FileNotFoundError, BlockingIOError, OSError, KeyError])
def test_what_goes_wrong_meanwhile_is_told_as_it_is(tmp_path: Path, error: type[Exception]) -> None:
    with pytest.raises(error, match="meanwhile"), owned_folder(tmp_path, "test"):
        raise error("meanwhile")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_swept(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    other.kill()
    ended(other)
    assert list(tmp_path.iterdir()) != []
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_another_process_still_makes_stays(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    before = sorted(path.name for path in tmp_path.iterdir())
    sweep(tmp_path)
    with owned_folder(tmp_path, "mine"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    ended(other)
    assert list(tmp_path.iterdir()) == []


def test_two_folders_of_one_process_do_not_sweep_each_other(tmp_path: Path) -> None:
    with owned_folder(tmp_path, "one") as one, owned_folder(tmp_path, "two") as two:
        sweep(tmp_path)
        assert one.is_dir() and two.is_dir()


def test_files_of_others_with_such_names_stay(tmp_path: Path) -> None:
    for name in ("readonce-notes.lock", ".readonce", "letter.pdf"):
        (tmp_path / name).write_text("mine")
    sweep(tmp_path)
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_where_nothing_can_be_made_the_error_says_so(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError), owned_folder(tmp_path, "test"):
        pass
