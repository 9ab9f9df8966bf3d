"""Symmetric int8 quantization with one scale a row: for the adapter file, memories and weight matrices."""

from collections.abc import Iterator

import torch

LARGEST = 127
_ROWS_AT_ONCE = 8192  # of a large matrix, while it is quantized: they stay in the cache


def quantize(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Quantize (N, M) to int8; returns it with one float32 scale a row, (N,)."""
    scale = rows.abs().amax(dim=1).clamp(min=1e-12) / LARGEST
    return (rows / scale[:, None]).round().to(torch.int8), scale.float()


def quantized_pieces(matrix: torch.Tensor) -> Iterator[tuple[slice, torch.Tensor, torch.Tensor]]:
    """Quantize a large matrix (N, M) piece by piece; yields the slice of rows, the rows in int8, and their scales."""
    for first in range(0, len(matrix), _ROWS_AT_ONCE):
        piece = slice(first, min(first + _ROWS_AT_ONCE, len(matrix)))
        yield piece, *quantize(matrix[piece].float())
