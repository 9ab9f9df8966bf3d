"""A process that is killed at any moment loses nothing that was added, and leaves nothing behind."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
KILLS = 20


@pytest.mark.skipif(sys.platform == "win32", reason="fork is needed")
def test_kill_9_at_random_moments(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.helpers.killed_library", str(tmp_path / "home"), str(KILLS), "11"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert "nothing was lost" in ran.stdout
