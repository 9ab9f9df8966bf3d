"""The compiled library, and which weights its functions can work with."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import torch

from model.errors import KernelError
from model.kernels.build import NATIVE, Build, compile_library
from model.kernels.structs import check_layouts

LANES = 16  # numbers of a vector: rows are multiples of it
TILE = 16  # rows and columns of a matrix tile
TILE_K = 32  # bfloat16 numbers of a tile's row
INT8_TILE_K = 64  # int8 numbers of a tile's row
_DTYPES = (torch.bfloat16, torch.float32)


def load_library(folder: Path, build: Build = NATIVE) -> ctypes.CDLL:
    """The library, compiled into the folder where it is not there yet.

    Raises KernelError where it cannot be compiled or loaded.
    """
    path = compile_library(folder, build)
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        raise KernelError(
            "Native code was compiled and cannot be loaded ({why}). Delete {file}: the next start compiles it anew.",
            why=error,
            file=path,
        ) from error
    check_layouts(library)
    return library


def has_matrix_tiles(library: ctypes.CDLL) -> bool:
    """Whether the library was compiled for matrix tiles (AMX), and the system lets this process use them."""
    return bool(library.has_matrix_tiles())


def function(library: ctypes.CDLL, name: str, dtype: torch.dtype | None, *arguments: Any) -> Any:
    """The library's function of that name, with the types of its arguments; it returns nothing.

    dtype: which one, of a function that there is for several types of numbers.
    """
    found = getattr(library, name if dtype is None else f"{name}_{str(dtype).removeprefix('torch.')}")
    found.argtypes, found.restype = arguments, None
    return found


def tiles_support(layers: torch.nn.Module) -> bool:
    """Whether native code by tiles can work with these layers, if the processor has tiles."""
    in_bfloat16 = all(supports(weight) and weight.dtype == torch.bfloat16 for weight in layers.parameters())
    return in_bfloat16 and are_multiples(layers, TILE_K)


def are_multiples(layers: torch.nn.Module, size: int) -> bool:
    """Whether all sizes of the layers' weights are multiples of that size."""
    return not any(found % size for weight in layers.parameters() for found in weight.shape)


def supports(weight: torch.Tensor) -> bool:
    """Whether native code can work with a layer's weight: its device, its type, the size of its rows."""
    on_cpu = weight.device.type == "cpu" and weight.is_contiguous()
    return on_cpu and weight.dtype in _DTYPES and not weight.shape[-1] % LANES
