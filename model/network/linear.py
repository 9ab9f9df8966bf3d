"""Products with the weights' matrices, by the way that the processor likes best.

In bfloat16 on a CPU two ways beat the plain one. With one to some twenty rows, a step of decoding, a product takes as
long as reading the weights: the kernel for `weight @ rows.T` reads them as they lie, the one for `rows @ weight.T`
packs them anew each time (measured on a Sapphire Rapids with AMX, weights of 2,048 x 640 out of memory: 140 us instead
of 210; in float32 it is the other way), and that for a single row reads them faster still (135 us instead of 180, on
another day). With many rows, a piece of a document, GELU alone takes as long as the product
before it, and nearly nothing where the product's own kernel applies it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

MOST_ROWS = 24  # that count as few


def linear(module: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    """`module(x)`: x (..., in) -> (..., out)."""
    rows = x.numel() // x.shape[-1]
    if rows > MOST_ROWS or not _in_bfloat16_on_a_cpu(module, x):
        return module(x)
    if rows == 1:
        return torch.mv(module.weight, x.reshape(-1)).view(*x.shape[:-1], -1)
    return (module.weight @ x.reshape(rows, -1).mT).mT.contiguous().view(*x.shape[:-1], -1)


def feed_forward(mlp: Any, x: torch.Tensor) -> torch.Tensor:
    """Gated, with GELU's tanh approximation: x (..., H) -> (..., H)."""
    gate = _gelu_of_product(mlp.gate_proj, x)
    return linear(mlp.down_proj, gate.mul_(linear(mlp.up_proj, x)))


def _gelu_of_product(module: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    many = x.numel() // x.shape[-1] > MOST_ROWS
    if many and _in_bfloat16_on_a_cpu(module, x) and torch.backends.mkldnn.is_available():
        fused: torch.Tensor = torch.ops.mkldnn._linear_pointwise(x, module.weight, None, "gelu", [], "tanh")
        return fused
    return functional.gelu(linear(module, x), approximate="tanh")


def _in_bfloat16_on_a_cpu(module: nn.Linear, x: torch.Tensor) -> bool:
    return type(module) is nn.Linear and x.dtype == torch.bfloat16 and x.device.type == "cpu"
