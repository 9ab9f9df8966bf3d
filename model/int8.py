"""Rows of numbers in int8: what the adapter file and kept memories share."""

import torch

LARGEST = 127


def quantise(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows (N, M) as int8 and one float32 scale a row, (N,)."""
    scale = rows.abs().amax(dim=1).clamp(min=1e-12) / LARGEST
    return (rows / scale[:, None]).round().to(torch.int8), scale.float()
