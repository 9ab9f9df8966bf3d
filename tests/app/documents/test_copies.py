"""Copies of documents: nobody else opens them, and nothing of them stays, in whatever way a process ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

from app.documents.copies import PrivateCopy, documents_folder, private_copy
from app.documents.images import PageImages
from app.documents.messages import DrawJob, Drawn
from app.documents.pool import WorkerPool
from model.errors import DocumentError

ROOT = Path(__file__).resolve().parents[3]
LINUX_ONLY = pytest.mark.skipif(
    sys.platform != "linux", reason="files without a name can be opened again on Linux only"
)
PROGRAM = """
import os, signal
from pathlib import Path
from app.documents.copies import documents_folder, private_copy
copies = [private_copy(b"text", "a.txt", keep_name={keep_name}) for _ in range(3)]
print(sum(path.is_file() and path.suffix != ".lock" for path in documents_folder().rglob("*")))
if {killed}:
    os.kill(os.getpid(), signal.SIGKILL)
for copy in copies:
    copy.close()
print(len(list(documents_folder().iterdir())))
"""


def ran(folder: Path, *, keep_name: bool, killed: bool) -> tuple[int, list[str]]:
    """How a process ended that has made three copies, and how many files it saw, then and after it let go of them."""
    program = PROGRAM.format(keep_name=keep_name, killed=killed)
    environment = os.environ | {"TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"}
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    return run.returncode, run.stdout.split()


@pytest.mark.skipif(sys.platform != "linux", reason="files without a name are opened again on Linux only")
def test_a_copy_has_no_name(tmp_path: Path) -> None:
    assert ran(tmp_path, keep_name=False, killed=True) == (-signal.SIGKILL, ["0"])
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_copies_that_a_killed_process_has_left_go_with_the_next_one(tmp_path: Path) -> None:
    assert ran(tmp_path, keep_name=True, killed=True) == (-signal.SIGKILL, ["3"])
    assert ran(tmp_path, keep_name=True, killed=False) == (0, ["3", "0"])


def test_one_that_cannot_be_copied_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(DocumentError, match=r"'a.txt' cannot be copied \(No such file or directory\)"):
        private_copy(tmp_path / "nowhere", "a.txt")
    assert list(documents_folder().iterdir()) == []


@LINUX_ONLY
def test_what_is_drawn_is_the_own_copy_though_that_is_closed_meanwhile() -> None:
    """The number of a file that is closed is the next file's, which may be somebody else's."""
    seen: list[bytes] = []

    class Late:
        """Workers that are free only after the document was let go of, and another one has come."""

        def reply(self, _job: DrawJob, copy: PrivateCopy, _expected: type[Drawn], *, caller: str) -> Drawn:  # noqa: ARG002
            images.close()
            others = [private_copy(b"theirs", "b.txt") for _ in range(3)]
            assert copy.descriptor is not None
            seen.append(os.pread(copy.descriptor, 10, 0))
            for other in others:
                other.close()
            return Drawn(image=b"\xff\xd8\xff", width=1, height=1)

    copy = private_copy(b"mine", "a.txt", keep_name=False)
    images = PageImages(copy, name="a.txt", password=None, drawing=cast(WorkerPool, Late()), caller="")
    images.image(1, width=1)
    assert seen == [b"mine"]
    with pytest.raises(DocumentError, match="was closed"):
        images.image(1, width=1)
