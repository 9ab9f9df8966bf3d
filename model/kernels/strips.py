"""Matrices in int8 as native code multiplies them by tiles: `strips.h`."""

from __future__ import annotations

import torch

from model.kernels.library import INT8_TILE_ROW
from model.network.int8 import quantized_pieces

STRIP = 16  # rows: those of a tile


def as_tiles(matrix: torch.Tensor, row: int) -> torch.Tensor:
    """matrix (out, in) as tiles of 16 rows of `row` numbers, behind each other: (out / 16, in / row, 16, row)."""
    return matrix.unflatten(0, (-1, STRIP)).unflatten(2, (-1, row)).transpose(1, 2).contiguous()


@torch.inference_mode()
def int8_strips(weight: torch.Tensor) -> torch.Tensor:
    """weight (out, in) in int8 with a scale a row: strips of 16 rows, tiles of 16 rows of 64, then the 16 scales."""
    size = weight.shape[1]
    strips = torch.empty(len(weight) // STRIP, STRIP * size + 4 * STRIP, dtype=torch.int8)
    for piece, rows, scales in quantized_pieces(weight):
        part = strips[piece.start // STRIP : piece.stop // STRIP]
        part[:, : STRIP * size] = as_tiles(rows, INT8_TILE_ROW).flatten(1)
        part[:, STRIP * size :] = scales.view(torch.int8).unflatten(0, (-1, 4 * STRIP))
    return strips
