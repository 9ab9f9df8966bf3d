"""A linear layer for the few rows that a step of decoding has.

With one to some twenty rows a product takes as long as reading the weights. In bfloat16 on a CPU the kernel for
`weight @ rows.T` reads them as they lie; the one for `rows @ weight.T` packs them anew for every product. Measured on a
Sapphire Rapids with AMX, weights of 2,048 x 640 out of memory: 140 us instead of 210. In float32 it is the other way.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

MOST_ROWS = 24


def linear(module: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    """`module(x)`: x (..., in) -> (..., out)."""
    rows = x.numel() // x.shape[-1]
    if rows > MOST_ROWS or x.dtype != torch.bfloat16 or x.device.type != "cpu" or type(module) is not nn.Linear:
        return module(x)
    return (module.weight @ x.reshape(rows, -1).mT).mT.contiguous().view(*x.shape[:-1], -1)


def feed_forward(mlp: Any, x: torch.Tensor) -> torch.Tensor:
    """Gated, with GELU's tanh approximation: x (..., H) -> (..., H)."""
    gate, up = linear(mlp.gate_proj, x), linear(mlp.up_proj, x)
    return linear(mlp.down_proj, nn.functional.gelu(gate, approximate="tanh") * up)
