"""Many documents are many open files: what a shell allows at first is not what bounds them."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
from app.open_files import raise_open_files_limit
raise_open_files_limit()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
@pytest.mark.parametrize(("soft", "hard", "then"), [(64, 2_000, 2_000), (256, 256, 256), (100, 300, 300)])
def test_the_soft_limit_becomes_the_hard_one(soft: int, hard: int, then: int) -> None:
    program = [sys.executable, "-c", PROGRAM.format(soft=soft, hard=hard)]
    ran = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [str(then), str(hard)]


@pytest.mark.skipif(sys.platform != "linux", reason="documents have no name there, but open files")
def test_more_documents_than_a_shell_allows_files_are_copied() -> None:
    """They go when the program ends."""
    program = (
        PROGRAM.format(soft=64, hard=1_000)
        + "from app.documents.copies import private_copy\n"
        + "print(len({private_copy(b'text', 'a.txt').descriptor for _ in range(500)}))\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.split()[-1] == "500"
