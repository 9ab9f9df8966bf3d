"""Compiles the C++ of this folder for the processor at hand, once, into the user's cache folder."""

from __future__ import annotations

import ctypes
import hashlib
import logging
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from model.storage.durable import place_durably
from model.storage.owned_folder import owned_folder

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
    except (OSError, subprocess.SubprocessError) as error:
        logging.getLogger("readonce").warning("Native code is not used: %s", error)
        return None


def find_compiler() -> str | None:
    """The C++ compiler's path. Elsewhere than on Linux, PyTorch and the compiler bring a kind of threads each."""
    found = (shutil.which(name) for name in ("c++", "g++", "clang++"))
    return next(filter(None, found), None) if sys.platform == "linux" else None


def _compiled(compiler: str, cache_folder: Path) -> Path:
    """The library's path. Its name has a hash of all that it depends on, and one of its content: where the content is
    another, it is compiled anew.

    Raises OSError or SubprocessError.
    """
    name = f"native-{_key(compiler)}"
    for path in cache_folder.glob(f"{name}-*.so"):
        if path.name == f"{name}-{_content_hash(path)}.so":
            return path
    with owned_folder(cache_folder, "compiling") as folder:
        part = folder / "native.so"
        command = [compiler, *_OPTIONS, *map(str, sorted(_SOURCES.glob("*.cpp"))), "-o", str(part)]
        subprocess.run(command, check=True, capture_output=True, timeout=_PATIENCE)
        path = cache_folder / f"{name}-{_content_hash(part)}.so"
        for outdated in cache_folder.glob("native-*.so"):
            outdated.unlink(missing_ok=True)
        place_durably(part, path)
    return path


def _content_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


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
