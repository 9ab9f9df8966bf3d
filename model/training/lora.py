"""What is trained: a low-rank difference in every linear layer, and the norm gains.

A matrix W (out, in) becomes W + B A (LoRA, Hu et al., arXiv 2106.09685). Here `lora_B` (rank, out) is B transposed, and
`lora_A` (rank, in) is A; the adapter's file has the two in these shapes, as `W.up` and `W.down`. The pretrained W stays
as it is, so the product ships the difference alone.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.autograd import Function
from torch.nn import functional

LINEAR_LAYERS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class _Product(Function):
    """`x merged.T`, where merged is W with its difference: one product forwards, as if nothing were low-rank.

    Backwards the gradient goes to the two factors, which costs a fraction of the gradient of W.
    """

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, merged: torch.Tensor, b: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x, merged, b, a)
        return functional.linear(x, merged)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        x, merged, b, a = ctx.saved_tensors
        before = gradient @ merged if ctx.needs_input_grad[0] else None
        if not ctx.needs_input_grad[2]:
            return before, None, None, None
        b, a = b.to(x.dtype), a.to(x.dtype)
        to_b, to_a = (a @ x.mT) @ gradient, (b @ gradient.mT) @ x
        return before, None, to_b.float(), to_a.float()


class LoraLinear(nn.Module):
    """`x (W + lora_B.T @ lora_A).T`: a frozen linear layer and its trained difference. x: (..., in) -> (..., out).

    The sum is kept, in the weights' dtype, as it will be shipped: `merge` after every change of the factors.
    """

    frozen: torch.Tensor
    merged: torch.Tensor

    def __init__(self, linear: nn.Linear, rank: int) -> None:
        super().__init__()
        self.register_buffer("frozen", linear.weight.detach(), persistent=False)
        self.register_buffer("merged", linear.weight.detach().clone(), persistent=False)
        down = torch.randn(rank, linear.in_features) * linear.in_features**-0.5
        self.lora_B = nn.Parameter(torch.zeros(rank, linear.out_features, device=linear.weight.device))
        self.lora_A = nn.Parameter(down.to(linear.weight.device))

    @torch.no_grad()
    def merge(self) -> None:
        dtype = self.frozen.dtype
        torch.addmm(self.frozen, self.lora_B.to(dtype).mT, self.lora_A.to(dtype), out=self.merged)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        product: torch.Tensor = _Product.apply(x, self.merged, self.lora_B, self.lora_A)
        return product


def _text_linears(model: nn.Module) -> Iterator[tuple[str, nn.Module, str, nn.Linear]]:
    for name, module in list(model.named_modules()):
        if "vision" in name:
            continue
        for child in LINEAR_LAYERS:
            linear = getattr(module, child, None)
            if isinstance(linear, nn.Linear):
                yield f"{name}.{child}", module, child, linear


def add_lora(model: nn.Module, rank: int) -> dict[str, nn.Parameter]:
    """Put a `LoraLinear` in place of every linear text layer and freeze all but it and the norms.

    Returns the trained parameters by name: `<matrix>.up`, `<matrix>.down`, and the norms' own names.
    """
    model.requires_grad_(False)
    trained: dict[str, nn.Parameter] = {}
    for name, parent, child, linear in _text_linears(model):
        layer = LoraLinear(linear, rank)
        setattr(parent, child, layer)
        trained[f"{name}.up"], trained[f"{name}.down"] = layer.lora_B, layer.lora_A
    for name, module in model.named_modules():
        if type(module).__name__.endswith("RMSNorm") and "projector" not in name:
            # A copy of its own: both stacks begin with the same tensors of Gemma's
            module.weight = nn.Parameter(module.weight.detach().to(torch.float32, copy=True))
            trained[f"{name}.weight"] = module.weight
    return trained


def merge(model: nn.Module) -> None:
    """Bring every matrix up to date with its factors."""
    for module in model.modules():
        if isinstance(module, LoraLinear):
            module.merge()


def truncate(up: torch.Tensor, down: torch.Tensor, rank: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The best approximation of `up.T @ down` with `rank`, its singular values shared evenly by both factors."""
    q_up, r_up = torch.linalg.qr(up.T.float())
    q_down, r_down = torch.linalg.qr(down.T.float())
    u, s, v = torch.linalg.svd(r_up @ r_down.T)
    root = s[:rank].sqrt()
    return (q_up @ u[:, :rank] * root).T.contiguous(), (q_down @ v[:rank].T * root).T.contiguous()
