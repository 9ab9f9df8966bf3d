"""Addresses of tensors for native code, each only with the shape that is going to be read there.

Native code believes what it is told: a tensor of fewer numbers, or of others, would be read beyond its end.
"""

from __future__ import annotations

from collections.abc import Iterable
from ctypes import c_void_p
from typing import Any

import torch


def pointer(tensor: torch.Tensor | None, dtype: torch.dtype, *shape: int) -> int:
    """Where the numbers of a contiguous tensor of this type and shape lie, on the CPU.

    Raises ValueError for any other tensor. It must live as long as the address is used.
    """
    if tensor is None:
        raise ValueError(f"native code needs {dtype} {shape}, and there is no tensor")
    if tensor.dtype is dtype and tensor.shape == shape and tensor.is_cpu and tensor.is_contiguous():
        return tensor.data_ptr()
    strides = "" if tensor.is_contiguous() else f" with strides {tensor.stride()}"
    given = f"{tensor.dtype} {tuple(tensor.shape)}{strides} on {tensor.device}"
    raise ValueError(f"native code needs {dtype} {shape}, contiguous on the CPU, and got {given}")


def pointer_array(addresses: Iterable[int]) -> Any:
    """As native code takes several."""
    listed = list(addresses)
    return (c_void_p * len(listed))(*listed)
