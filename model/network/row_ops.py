"""What lies between the matrices of an encoder layer, row by row, with PyTorch's operations.

`native/encoder_rows.py` does the same in native code, where there is a compiler for it.
"""

from __future__ import annotations

from typing import Any

import torch

from model.network.linear import feed_forward
from model.network.t5gemma2 import Rotary, rotated


class RowOps:
    """S rows of a piece of a document, (S, H) in their dtype, each contiguous."""

    def normed(self, norm: Any, x: torch.Tensor) -> torch.Tensor:
        """`norm` of x (S, H)."""
        normed: torch.Tensor = norm(x)
        return normed

    def add_normed(self, norm: Any, x: torch.Tensor, to: torch.Tensor) -> None:
        """Increase `to` (S, H) by `norm` of x."""
        to += norm(x)

    def heads(self, norm: Any, x: torch.Tensor, rotary: Rotary, to: torch.Tensor) -> None:
        """Put the heads of x (S, heads * D), normed and turned by cos and sin (S, D), into `to` (heads, S, D)."""
        cos, sin = rotary
        normed = norm(x.unflatten(-1, (len(to), -1))).transpose(0, 1)
        to.copy_(rotated(normed[None], (cos[None], sin[None]))[0])

    def feed_forward(self, mlp: Any, x: torch.Tensor) -> torch.Tensor:
        """The layer's feed-forward of x (S, H)."""
        return feed_forward(mlp, x)
