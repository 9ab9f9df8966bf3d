"""Processors that native code is compiled for in tests, by the names of the compiler's `-march`."""

from __future__ import annotations

import platform
import subprocess

import pytest
import torch

from model.kernels.build import Build, find_compiler

# GCC 12 warns of uninitialized values in its own header of AVX-512 (bug 105593).
_WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wno-maybe-uninitialized", "-Wno-uninitialized")
AMX, AVX512, AVX2 = "sapphirerapids", "x86-64-v4", "x86-64-v3"

needs_compiler = pytest.mark.skipif(find_compiler() is None, reason="no C++ compiler")
needs_x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="x86-64 processors alone have these instructions")


def without_warnings(target: str) -> Build:
    """A build for the target that fails where the compiler warns."""
    return Build(target=target, options=_WARNINGS)


def needs_target(target: str) -> None:
    """Skips the test where the compiler is too old to know the target."""
    command = [find_compiler() or "", f"-march={target}", "-E", "-x", "c++", "/dev/null"]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip(f"the compiler does not know {target}")


def needs_processor(target: str) -> None:
    """Skips the test where this processor cannot run what is compiled for the target (not for AMX)."""
    if target == AVX512 and torch.backends.cpu.get_cpu_capability() != "AVX512":
        pytest.skip("the processor has no AVX-512")
    if torch.backends.cpu.get_cpu_capability() not in ("AVX512", "AVX2"):
        pytest.skip("the processor has no AVX2")
