"""Linear layers and the gated feed-forward, by the kernel that is fastest for the number of tokens.

In bfloat16 on a CPU two kernels beat the plain one. For one to some twenty tokens, as in a decoding step, a product is
bound by reading the weights: `weight @ x.T` reads them in place, where `x @ weight.T` repacks them on each call
(measured on a Sapphire Rapids with AMX, weights of 2,048 x 640 from main memory: 140 us instead of 210; in float32 it
is the other way round), and the matrix-vector kernel is faster still for a single token (135 us instead of 180, on
another day). For many tokens GELU alone takes as long as the product before it, and nearly nothing where the product's
kernel applies it (oneDNN's fused `gelu` post-operation).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

MOST_TOKENS = 24  # for which reading the weights decides


def linear(module: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    """`module(x)`: x (..., in) -> (..., out)."""
    tokens = x.numel() // x.shape[-1]
    if tokens > MOST_TOKENS or not _in_bfloat16_on_a_cpu(module, x):
        return module(x)
    if tokens == 1:
        return torch.mv(module.weight, x.reshape(-1)).view(*x.shape[:-1], -1)
    return (module.weight @ x.reshape(tokens, -1).mT).mT.contiguous().view(*x.shape[:-1], -1)


def feed_forward(mlp: Any, x: torch.Tensor) -> torch.Tensor:
    """Gated, with GELU's tanh approximation: x (..., H) -> (..., H)."""
    gate = _gelu_of_product(mlp.gate_proj, x)
    return linear(mlp.down_proj, gate.mul_(linear(mlp.up_proj, x)))


def _gelu_of_product(module: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    many = x.numel() // x.shape[-1] > MOST_TOKENS
    if many and _in_bfloat16_on_a_cpu(module, x) and torch.backends.mkldnn.is_available():
        fused: torch.Tensor = torch.ops.mkldnn._linear_pointwise(x, module.weight, None, "gelu", [], "tanh")
        return fused
    return functional.gelu(linear(module, x), approximate="tanh")


def _in_bfloat16_on_a_cpu(module: nn.Linear, x: torch.Tensor) -> bool:
    return type(module) is nn.Linear and x.dtype == torch.bfloat16 and x.device.type == "cpu"
