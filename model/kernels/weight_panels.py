"""Packs matrices as native code reads them: as tiles, or as weight panels of int8 (`src/weight_panels.h`)."""

from __future__ import annotations

import torch

from model.kernels.library import INT8_TILE_K, TILE
from model.network.int8 import quantized_pieces


def pack_tiles(matrix: torch.Tensor, tile_k: int) -> torch.Tensor:
    """matrix (out, in) as tiles behind each other, (out / 16, in / tile_k, 16, tile_k)."""
    return matrix.unflatten(0, (-1, TILE)).unflatten(2, (-1, tile_k)).transpose(1, 2).contiguous()


@torch.inference_mode()
def pack_int8_panels(weight: torch.Tensor) -> torch.Tensor:
    """weight (out, in), quantized to int8 with a scale a row, as panels of 16 rows: (out / 16, 16 * in + 64) int8.

    A panel is its rows as tiles of (16, 64), and then the bits of their 16 scales.
    """
    size = weight.shape[1]
    panels = torch.empty(len(weight) // TILE, TILE * size + 4 * TILE, dtype=torch.int8)
    for piece, rows, scales in quantized_pieces(weight):
        part = panels[piece.start // TILE : piece.stop // TILE]
        part[:, : TILE * size] = pack_tiles(rows, INT8_TILE_K).flatten(1)
        part[:, TILE * size :] = scales.view(torch.int8).unflatten(0, (-1, 4 * TILE))
    return panels
