"""Rows of numbers in int8: what the adapter file, kept memories and matrices read in int8 share."""

from collections.abc import Iterator

import torch

LARGEST = 127
_ROWS_AT_ONCE = 8192  # of a large matrix, while it is quantised: they stay in the cache


def quantize(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows (N, M) as int8 and one float32 scale a row, (N,)."""
    scale = rows.abs().amax(dim=1).clamp(min=1e-12) / LARGEST
    return (rows / scale[:, None]).round().to(torch.int8), scale.float()


def quantized_pieces(matrix: torch.Tensor) -> Iterator[tuple[slice, torch.Tensor, torch.Tensor]]:
    """Piece by piece of a matrix (N, M): which rows they are, the rows as int8 and their scales."""
    for first in range(0, len(matrix), _ROWS_AT_ONCE):
        piece = slice(first, min(first + _ROWS_AT_ONCE, len(matrix)))
        yield piece, *quantize(matrix[piece].float())
