"""Locks on files: one has the sole use at a time, and a killed process keeps nobody waiting."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from model.storage.locks import sole_use
from tests.helpers.awaited import PATIENCE

HOLD = """
import sys, time
from pathlib import Path
from model.storage.locks import sole_use
with sole_use(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(1_000)
"""
ROOT = Path(__file__).resolve().parents[3]


def test_what_a_killed_process_held_is_free(tmp_path: Path) -> None:
    file = tmp_path / "made" / "users.json"
    with subprocess.Popen([sys.executable, "-c", HOLD, file], cwd=ROOT, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        waiting = subprocess.Popen([sys.executable, "-c", HOLD, file], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        with waiting:
            assert waiting.stdout is not None
            assert waiting.poll() is None
            holder.send_signal(signal.SIGKILL)
            assert holder.wait(PATIENCE) == -signal.SIGKILL
            assert waiting.stdout.readline() == "held\n"
            waiting.kill()
    with sole_use(file):
        assert [one.name for one in file.parent.iterdir()] == [".users.json.lock"]
