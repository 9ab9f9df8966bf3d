"""The operations between an encoder layer's matrix products, token by token: norms, rotary embedding, residuals.

This is PyTorch's implementation; `kernels/row_ops.py` has the one in native code.
"""

from __future__ import annotations

from typing import Any

import torch

from model.network.linear import feed_forward
from model.network.t5gemma2 import Rotary, rotated


class RowOps:
    """Operations on S tokens of a chunk, (S, H), each row contiguous."""

    def normed(self, norm: Any, x: torch.Tensor) -> torch.Tensor:
        """`norm` of x (S, H)."""
        normed: torch.Tensor = norm(x)
        return normed

    def add_normed(self, norm: Any, x: torch.Tensor, to: torch.Tensor) -> None:
        """Add `norm(x)` to the residual stream `to` (S, H), in place."""
        to += norm(x)

    def heads(self, norm: Any, x: torch.Tensor, rotary: Rotary, to: torch.Tensor) -> None:
        """Normalise and rotate the heads of x (S, heads * D); cos and sin are (S, D). Writes `to` (heads, S, D)."""
        cos, sin = rotary
        normed = norm(x.unflatten(-1, (len(to), -1))).transpose(0, 1)
        to.copy_(rotated(normed[None], (cos[None], sin[None]))[0])

    def feed_forward(self, mlp: Any, x: torch.Tensor) -> torch.Tensor:
        """The layer's feed-forward of x (S, H)."""
        return feed_forward(mlp, x)
