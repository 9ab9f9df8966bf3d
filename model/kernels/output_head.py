"""The output head's matrix in four bits a number, and the largest logits by the matrix itself: `output_head.cpp`."""

from __future__ import annotations

import ctypes
from ctypes import c_int32, c_void_p

import torch

from model.kernels.large_pages import LargePages
from model.kernels.library import INT8_TILE_ROW, function
from model.kernels.pointers import pointer
from model.kernels.strips import STRIP

_PIECE = 2**13  # rows whose squares are added up at once: they stay in the cache


class NativeOutputHead:
    """A matrix (out, in). Its product with up to `MOST_ROWS` rows takes less time than PyTorch's."""

    MOST_ROWS = 16

    def __init__(self, library: ctypes.CDLL, weight: torch.Tensor) -> None:
        size, at = c_int32, c_void_p
        self._multiply = function(library, "output_head", None, at, at, at, size, size, at, size, at, size)
        self._weight = weight.contiguous()
        self._columns = _root_mean_squares(weight)
        self._strips = self._made_strips(library)

    @staticmethod
    def supports(library: ctypes.CDLL, weight: torch.Tensor) -> bool:
        """Whether the processor has tiles, and the matrix is whole ones."""
        whole = not weight.shape[0] % (2 * STRIP) and not weight.shape[1] % INT8_TILE_ROW
        on_cpu = weight.device.type == "cpu" and weight.dtype == torch.bfloat16
        return whole and on_cpu and bool(library.multiplies_tiles())

    @property
    def nbytes(self) -> int:
        """What a product reads of the matrix, but for the rows that give the largest logits."""
        return self._strips.nbytes

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        """rows (N, in) -> (N, out), float32: nearly the product, the largest of each row exactly."""
        out, size = self._weight.shape
        rows = rows.float().contiguous()
        made = rows.new_empty(len(rows), out)
        self._multiply(
            pointer(self._weight, torch.bfloat16, out, size),
            pointer(self._strips, torch.int8, *self._strips_shape),
            pointer(self._columns, torch.float32, size),
            size,
            out,
            pointer(rows, torch.float32, len(rows), size),
            len(rows),
            pointer(made, torch.float32, len(rows), out),
            torch.get_num_threads(),
        )
        return made

    @property
    def _strips_shape(self) -> tuple[int, int]:
        out, size = self._weight.shape
        return out // STRIP, STRIP * size // 2 + 4 * STRIP

    def _made_strips(self, library: ctypes.CDLL) -> torch.Tensor:
        out, size = self._weight.shape
        shape = self._strips_shape
        strips = LargePages(shape[0] * shape[1]).empty(shape, torch.int8)
        arguments = c_void_p, c_int32, c_int32, c_void_p, c_void_p, c_int32
        make = function(library, "output_head_strips", None, *arguments)
        matrix, columns = pointer(self._weight, torch.bfloat16, out, size), pointer(self._columns, torch.float32, size)
        make(matrix, size, out, columns, pointer(strips, torch.int8, *shape), torch.get_num_threads())
        return strips


@torch.inference_mode()
def _root_mean_squares(weight: torch.Tensor) -> torch.Tensor:
    """Of each column of weight (out, in): (in,) float32, nowhere 0."""
    squares = sum(piece.float().square().sum(0) for piece in weight.split(_PIECE))
    return (torch.as_tensor(squares) / len(weight)).sqrt().clamp(min=torch.finfo(torch.bfloat16).tiny)
