"""What lies between the matrices of an encoder layer, in native code: `src/row_ops.cpp`."""

from __future__ import annotations

import ctypes
from ctypes import c_float, c_int32, c_int64, c_void_p
from typing import Any

import torch

from model.kernels.library import function, supports
from model.kernels.pointers import pointer
from model.network.row_ops import RowOps
from model.network.t5gemma2 import Rotary, T5Gemma2


class NativeRowOps(RowOps):
    """`RowOps` of one model's encoder, each in one pass over its numbers."""

    def __init__(self, library: ctypes.CDLL, model: T5Gemma2) -> None:
        size, at = c_int32, c_void_p
        self._dtype = model.dtype
        self._rms_norm = function(library, "rms_norm", model.dtype, at, at, size, size, c_float, at, size)
        heads = at, at, at, at, size, size, size, c_float, at, c_int64
        self._norm_and_rotate = function(library, "norm_and_rotate", model.dtype, *heads)
        self._gelu_gated = function(library, "gelu_gated", model.dtype, at, at, c_int64)

    @staticmethod
    def supports(model: T5Gemma2) -> bool:
        """Whether native code can work between the matrices of the model's encoder layers."""
        layers = model.model.encoder.text_model.layers
        on_cpu = model.device.type == "cpu"
        return on_cpu and all(supports(weight) for weight in layers.parameters() if not weight.is_meta)

    def normed(self, norm: Any, x: torch.Tensor) -> torch.Tensor:
        y = torch.empty_like(x)
        self._norm(norm, x, y, add=False)
        return y

    def add_normed(self, norm: Any, x: torch.Tensor, to: torch.Tensor) -> None:
        self._norm(norm, x, to, add=True)

    def _norm(self, norm: Any, x: torch.Tensor, to: torch.Tensor, *, add: bool) -> None:
        (rows, size), gain = x.shape, _gain(norm)
        read, written = pointer(x, self._dtype, rows, size), pointer(to, self._dtype, rows, size)
        self._rms_norm(read, pointer(gain, torch.float32, size), rows, size, norm.eps, written, add)

    def heads(self, norm: Any, x: torch.Tensor, rotary: Rotary, to: torch.Tensor) -> None:
        gain, (cos, sin), (heads, tokens, size) = _gain(norm), rotary, to.shape
        self._norm_and_rotate(
            pointer(x, self._dtype, tokens, heads * size),
            pointer(gain, torch.float32, size),
            pointer(cos, self._dtype, tokens, size),
            pointer(sin, self._dtype, tokens, size),
            tokens,
            heads,
            size,
            norm.eps,
            pointer(to[0], self._dtype, tokens, size),  # other heads are further apart where it is a part of all tokens
            to.stride(0),
        )

    def feed_forward(self, mlp: Any, x: torch.Tensor) -> torch.Tensor:
        gate, up = mlp.gate_proj(x), mlp.up_proj(x)
        self._gelu_gated(pointer(gate, self._dtype, *up.shape), pointer(up, self._dtype, *up.shape), gate.numel())
        down: torch.Tensor = mlp.down_proj(gate)
        return down


def _gain(norm: Any) -> torch.Tensor:
    return 1.0 + norm.weight.float()
