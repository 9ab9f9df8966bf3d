"""A process that is killed at any moment loses nothing that was added, and leaves nothing behind."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="fork is needed")
@pytest.mark.parametrize(("what", "kills"), [("killed_library", "20"), ("killed_commands", "8")])
def test_kill_9_at_random_moments(tmp_path: Path, what: str, kills: str) -> None:
    """Of the library's own methods, and of the commands that use them."""
    command = [sys.executable, "-m", f"tests.helpers.{what}", str(tmp_path / "home"), kills, "11"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert "nothing was lost" in ran.stdout
