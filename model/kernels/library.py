"""Compiles the C++ of this folder for the processor at hand, once, into the user's cache folder."""

from __future__ import annotations

import ctypes
import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

_SOURCES = Path(__file__).parent / "src"
_OPTIONS = ("-std=c++17", "-O3", "-march=native", "-fopenmp", "-fPIC", "-shared")
_DTYPES = (torch.bfloat16, torch.float32)
_LANES = 16
TILE_ROW = 32  # bfloat16 numbers of a row of a matrix tile
INT8_TILE_ROW = 64
_PATIENCE = 120  # seconds: it takes two


def load_library(cache_folder: Path) -> ctypes.CDLL | None:
    """The compiled library; None where it cannot be made: no C++ compiler, or one without OpenMP."""
    compiler = find_compiler()
    if compiler is None:
        return None
    try:
        return ctypes.CDLL(str(_compiled(compiler, cache_folder)))
    except (OSError, subprocess.SubprocessError):
        return None


def find_compiler() -> str | None:
    """The C++ compiler's path. Elsewhere than on Linux, PyTorch and the compiler bring a kind of threads each."""
    found = (shutil.which(name) for name in ("c++", "g++", "clang++"))
    return next(filter(None, found), None) if sys.platform == "linux" else None


def _compiled(compiler: str, cache_folder: Path) -> Path:
    """Named by all that it depends on; written beside its place and renamed: a start cut off leaves nothing half done.

    Raises OSError or SubprocessError.
    """
    path = cache_folder / f"native-{_key(compiler)}.so"
    if not path.is_file():
        cache_folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache_folder, prefix="compiling-") as name:
            part = Path(name) / path.name
            command = [compiler, *_OPTIONS, *map(str, sorted(_SOURCES.glob("*.cpp"))), "-o", str(part)]
            subprocess.run(command, check=True, capture_output=True, timeout=_PATIENCE)
            for outdated in cache_folder.glob("native-*.so"):
                outdated.unlink(missing_ok=True)
            part.rename(path)
    return path


def _key(compiler: str) -> str:
    """Of the sources, the compiler and the processor: a cache folder may be shared by machines."""
    hashed = hashlib.sha256()
    for source in sorted(_SOURCES.glob("*.[ch]*")):
        hashed.update(source.read_bytes())
    hashed.update(f"{compiler} {Path(compiler).resolve()} {_OPTIONS} {platform.machine()} {_processor()}".encode())
    return hashed.hexdigest()[:16]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return " ".join(sorted({line for line in lines if line.startswith(("flags", "Features", "model name"))}))


def function(library: ctypes.CDLL, name: str, dtype: torch.dtype | None, *arguments: Any) -> Any:
    """The library's function of that name, which takes such arguments and gives nothing; of one that there is for
    several types of numbers, that for `dtype`.
    """
    found = getattr(library, name if dtype is None else f"{name}_{str(dtype).removeprefix('torch.')}")
    found.argtypes, found.restype = arguments, None
    return found


def tiles_suit(layers: torch.nn.Module) -> bool:
    """Whether native code by tiles can work with these layers, if the processor has tiles."""
    in_bfloat16 = all(suits(weight) and weight.dtype == torch.bfloat16 for weight in layers.parameters())
    return in_bfloat16 and are_whole(layers, TILE_ROW)


def are_whole(layers: torch.nn.Module, row: int) -> bool:
    """Whether all sizes of the layers' weights are whole rows of so many numbers."""
    return not any(size % row for weight in layers.parameters() for size in weight.shape)


def suits(weight: torch.Tensor) -> bool:
    """Whether native code can work with a layer's weight: where it lies, of which type, in rows of which size."""
    on_cpu = weight.device.type == "cpu" and weight.is_contiguous()
    return on_cpu and weight.dtype in _DTYPES and not weight.shape[-1] % _LANES
