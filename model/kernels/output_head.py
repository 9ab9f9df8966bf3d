"""The output head's matrix in four bits a number, its largest logits exact: `src/output_head.cpp`."""

from __future__ import annotations

import ctypes
from ctypes import c_int32, c_void_p

import torch

from model.kernels.huge_pages import HugePages
from model.kernels.library import INT8_TILE_K, TILE, function, has_matrix_tiles
from model.kernels.pointers import pointer

_PIECE = 2**13  # rows whose squares are added up at once: they stay in the cache


class NativeOutputHead:
    """A matrix (out, in). Its product with up to `MOST_ROWS` rows takes less time than PyTorch's."""

    MOST_ROWS = 16

    def __init__(self, library: ctypes.CDLL, weight: torch.Tensor) -> None:
        size, at = c_int32, c_void_p
        self._multiply = function(library, "output_head", None, at, at, at, size, size, at, size, at, size)
        self._weight = weight.contiguous()
        self._columns = _root_mean_squares(weight)
        self._panels = self._packed(library)

    @staticmethod
    def supports(library: ctypes.CDLL, weight: torch.Tensor) -> bool:
        """Whether the processor has tiles, and the matrix is whole ones."""
        whole = not weight.shape[0] % (2 * TILE) and not weight.shape[1] % INT8_TILE_K
        on_cpu = weight.device.type == "cpu" and weight.dtype == torch.bfloat16
        return whole and on_cpu and has_matrix_tiles(library)

    @property
    def nbytes(self) -> int:
        """What a product reads of the matrix, but for the rows that give the largest logits."""
        return self._panels.nbytes

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        """rows (N, in) -> (N, out), float32: nearly the product, the largest of each row exactly."""
        out, size = self._weight.shape
        rows = rows.float().contiguous()
        logits = rows.new_empty(len(rows), out)
        self._multiply(
            pointer(self._weight, torch.bfloat16, out, size),
            pointer(self._panels, torch.int8, *self._panels_shape),
            pointer(self._columns, torch.float32, size),
            size,
            out,
            pointer(rows, torch.float32, len(rows), size),
            len(rows),
            pointer(logits, torch.float32, len(rows), out),
            torch.get_num_threads(),
        )
        return logits

    @property
    def _panels_shape(self) -> tuple[int, int]:
        """Panels of 16 rows: their codes, two a byte, and the bits of 16 scales."""
        out, size = self._weight.shape
        return out // TILE, TILE * size // 2 + 4 * TILE

    def _packed(self, library: ctypes.CDLL) -> torch.Tensor:
        (out, size), shape = self._weight.shape, self._panels_shape
        panels = HugePages(shape[0] * shape[1]).empty(shape, torch.int8)
        arguments = c_void_p, c_int32, c_int32, c_void_p, c_void_p, c_int32
        pack = function(library, "output_head_panels", None, *arguments)
        matrix, columns = pointer(self._weight, torch.bfloat16, out, size), pointer(self._columns, torch.float32, size)
        pack(matrix, size, out, columns, pointer(panels, torch.int8, *shape), torch.get_num_threads())
        return panels


@torch.inference_mode()
def _root_mean_squares(weight: torch.Tensor) -> torch.Tensor:
    """Of each column of weight (out, in): (in,) float32, nowhere 0."""
    squares = sum(piece.float().square().sum(0) for piece in weight.split(_PIECE))
    return (torch.as_tensor(squares) / len(weight)).sqrt().clamp(min=torch.finfo(torch.bfloat16).tiny)
