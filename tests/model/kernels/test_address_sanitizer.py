"""Law: native code stays within the tensors that it is given, whatever their shapes.

Python refuses tensors of another shape than it tells native code (`pointers.py`); AddressSanitizer shows that with the
shapes that it does tell, nothing beside them is read or written.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from model.kernels.build import find_compiler
from model.kernels.pointers import pointer
from tests.helpers import native_fuzz

ROOT = Path(__file__).resolve().parents[3]
ROUNDS = 3


def sanitizer() -> str:
    """The sanitizer's library, which must be there before any other; skips where the compiler has none."""
    compiler = find_compiler()
    found = ""
    if compiler is not None:
        asked = subprocess.run([compiler, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
        found = asked.stdout.strip()
    if not Path(found).is_absolute():
        assert os.environ.get("CI") != "true", "CI has a compiler with AddressSanitizer"
        pytest.skip("no C++ compiler with AddressSanitizer")
    return found


def run(program: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    options = {
        "LD_PRELOAD": sanitizer(),
        "ASAN_OPTIONS": "detect_leaks=0",  # Python and torch keep what they have to the end
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.run(
        [sys.executable, *program],
        env=os.environ | options | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_native_code_stays_within_its_tensors(tmp_path: Path) -> None:
    ran = run(["-m", "tests.helpers.native_fuzz", str(tmp_path), str(ROUNDS)])
    assert ran.returncode == 0 and ran.stdout.endswith("all shapes are sound\n"), (
        f"{ran.stdout[-500:]}{ran.stderr[-5000:]}"
    )


def test_the_sanitizer_sees_what_it_is_there_for() -> None:
    """A copy of too many numbers is told, or the test above would prove nothing."""
    program = (
        "import ctypes, torch; to, of = torch.zeros(64), torch.zeros(64); "
        "ctypes.memmove(to.data_ptr(), of.data_ptr(), 260)"
    )
    ran = run(["-c", program])
    assert ran.returncode != 0 and "heap-buffer-overflow" in ran.stderr


def test_a_fence_ends_a_program_that_reads_beyond_it() -> None:
    program = (
        "import ctypes, torch; from tests.helpers.native_fuzz import fenced\n"
        "ctypes.string_at(fenced(torch.zeros(10)).data_ptr(), 41)"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=False)
    assert ran.returncode < 0
    assert torch.equal(native_fuzz.fenced(torch.arange(10)), torch.arange(10))


@pytest.mark.parametrize(
    "tensor",
    [
        torch.zeros(2, 3, dtype=torch.bfloat16),
        torch.zeros(3, 2),
        torch.zeros(6),
        torch.zeros(2, 3, 1),
        torch.zeros(3, 2).T,
        torch.zeros(2, 3, device="meta"),
        None,
    ],
)
def test_no_address_is_given_for_another_shape_than_is_read(tensor: torch.Tensor | None) -> None:
    with pytest.raises(ValueError, match=r"native code needs torch.float32 \(2, 3\)"):
        pointer(tensor, torch.float32, 2, 3)
    assert pointer(torch.zeros(2, 3), torch.float32, 2, 3)
