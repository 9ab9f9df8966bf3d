"""Matrices in int8 as native code multiplies them by tiles: `int8_product.h`."""

from __future__ import annotations

import ctypes
from ctypes import c_int32, c_void_p

import torch

from model.int8 import quantised_pieces
from model.native.library import INT8_TILE_ROW

_STRIP = 16  # rows: those of a tile


def as_tiles(matrix: torch.Tensor, row: int) -> torch.Tensor:
    """matrix (out, in) as tiles of 16 rows of `row` numbers, behind each other: (out / 16, in / row, 16, row)."""
    return matrix.unflatten(0, (-1, _STRIP)).unflatten(2, (-1, row)).transpose(1, 2).contiguous()


@torch.inference_mode()
def int8_strips(weight: torch.Tensor) -> torch.Tensor:
    """weight (out, in) in int8 with a scale a row: strips of 16 rows, tiles of 16 rows of 64, then the 16 scales."""
    size = weight.shape[1]
    strips = torch.empty(len(weight) // _STRIP, _STRIP * size + 4 * _STRIP, dtype=torch.int8)
    for piece, rows, scales in quantised_pieces(weight):
        part = strips[piece.start // _STRIP : piece.stop // _STRIP]
        part[:, : _STRIP * size] = as_tiles(rows, INT8_TILE_ROW).flatten(1)
        part[:, _STRIP * size :] = scales.view(torch.int8).unflatten(0, (-1, 4 * _STRIP))
    return strips


class Int8Matrix:
    """A matrix (out, in) in int8. Its product with up to `MOST_ROWS` rows takes less time than in bfloat16."""

    MOST_ROWS = 16

    def __init__(self, library: ctypes.CDLL, weight: torch.Tensor) -> None:
        self._multiply = library.int8_rows
        self._multiply.argtypes = [c_void_p, c_int32, c_int32, c_void_p, c_int32, c_void_p, c_int32]
        self._multiply.restype = None
        self._shape = weight.shape
        self._strips = int8_strips(weight)

    @staticmethod
    def fit(library: ctypes.CDLL, weight: torch.Tensor) -> bool:
        """Whether the processor has tiles, and the matrix is whole ones."""
        whole = not weight.shape[0] % (2 * _STRIP) and not weight.shape[1] % INT8_TILE_ROW
        on_cpu = weight.device.type == "cpu" and weight.dtype == torch.bfloat16
        return whole and on_cpu and bool(library.multiplies_tiles())

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        """rows (N, in) -> (N, out), float32."""
        out, size = self._shape
        rows = rows.float().contiguous()
        made = rows.new_empty(len(rows), out)
        threads = torch.get_num_threads()
        self._multiply(self._strips.data_ptr(), size, out, rows.data_ptr(), len(rows), made.data_ptr(), threads)
        return made
