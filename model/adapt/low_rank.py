"""What is trained: a low-rank difference in every linear layer, and the norm gains.

A matrix W (out, in) becomes W + up.T @ down with up (rank, out) and down (rank, in): the shape in which the adapter is
stored, too. The pretrained W stays as it is, so the product ships the difference alone.
"""

from collections.abc import Iterator

import torch
from torch import nn
from torch.nn import functional

LINEAR_LAYERS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class LowRankLinear(nn.Module):
    """`x W.T + (x down.T) up`: a frozen linear layer and its trained difference. x: (..., in) -> (..., out)."""

    frozen: torch.Tensor

    def __init__(self, linear: nn.Linear, rank: int) -> None:
        super().__init__()
        self.register_buffer("frozen", linear.weight.detach(), persistent=False)
        down = torch.randn(rank, linear.in_features) * linear.in_features**-0.5
        self.up = nn.Parameter(torch.zeros(rank, linear.out_features, device=linear.weight.device))
        self.down = nn.Parameter(down.to(linear.weight.device))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        dtype = self.frozen.dtype
        return functional.linear(x, self.frozen) + functional.linear(x, self.down.to(dtype)) @ self.up.to(dtype)


def _text_linears(model: nn.Module) -> Iterator[tuple[str, nn.Module, str, nn.Linear]]:
    for name, module in list(model.named_modules()):
        if "vision" in name:
            continue
        for child in LINEAR_LAYERS:
            linear = getattr(module, child, None)
            if isinstance(linear, nn.Linear):
                yield f"{name}.{child}", module, child, linear


def add_low_rank(model: nn.Module, rank: int) -> dict[str, nn.Parameter]:
    """Put a `LowRankLinear` in place of every linear text layer and freeze all but it and the norms.

    Returns the trained parameters by name: `<matrix>.up`, `<matrix>.down`, and the norms' own names.
    """
    model.requires_grad_(False)
    trained: dict[str, nn.Parameter] = {}
    for name, parent, child, linear in _text_linears(model):
        layer = LowRankLinear(linear, rank)
        setattr(parent, child, layer)
        trained[f"{name}.up"], trained[f"{name}.down"] = layer.up, layer.down
    for name, module in model.named_modules():
        if type(module).__name__.endswith("RMSNorm") and "projector" not in name:
            # A copy of its own: both stacks begin with the same tensors of Gemma's
            module.weight = nn.Parameter(module.weight.detach().to(torch.float32, copy=True))
            trained[f"{name}.weight"] = module.weight
    return trained


def truncate(up: torch.Tensor, down: torch.Tensor, rank: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The best approximation of `up.T @ down` with `rank`, its singular values shared evenly by both factors."""
    q_up, r_up = torch.linalg.qr(up.T.float())
    q_down, r_down = torch.linalg.qr(down.T.float())
    u, s, v = torch.linalg.svd(r_up @ r_down.T)
    root = s[:rank].sqrt()
    return (q_up @ u[:, :rank] * root).T.contiguous(), (q_down @ v[:rank].T * root).T.contiguous()
