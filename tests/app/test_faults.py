"""Errors in words: ours say what to do, a full disk is nobody's mistake, and any other is logged without its text."""

import errno
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.faults import in_words
from model.errors import DocumentError

ROOT = Path(__file__).resolve().parents[2]
FULL = Path("/dev/full")  # Linux's disk on which there is never room
PROGRAM = """
import sys
from app.cli.command_line import OneLineParser, run
parser = OneLineParser()
parser.set_defaults(run=lambda _: print("an answer"))
sys.exit(run(parser, []))
"""


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_no_fault(number: int, caplog: pytest.LogCaptureFixture) -> None:
    assert in_words(OSError(number, os.strerror(number), "/some/file")).startswith("The disk of this computer is full.")
    assert caplog.text == ""


def test_a_fault_is_logged_with_its_kind_and_without_what_it_says(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        assert "through a fault in Readonce (PermissionError)" in in_words(PermissionError("a secret"))
    assert "PermissionError" in caplog.text and "a secret" not in caplog.text
    assert in_words(DocumentError("Give its password.")) == "Give its password."


@pytest.mark.skipif(not FULL.exists(), reason="no full disk")
def test_the_command_line_says_in_one_line_that_its_output_has_no_room() -> None:
    with FULL.open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ran.returncode == 2
    assert ran.stderr == "error: The disk of this computer is full. Free space on it and try again.\n"
