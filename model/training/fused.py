"""What lies between a layer's matrices, forwards and backwards, each as one pass over memory.

Run one operation after the other these parts take longer than the matrix products; `torch.compile` makes a kernel of
each function, which needs a C++ compiler (`TORCH_COMPILE_DISABLE=1` does without, slowly). Norms compute in float32,
their gain stored as its difference from one; what goes into a matrix product has the weights' dtype.
"""

import os
from collections.abc import Callable
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor
from torch.autograd import Function

P = ParamSpec("P")
R = TypeVar("R")

_GELU, _CUBIC = (2 / torch.pi) ** 0.5, 0.044715  # of GELU's tanh approximation


def _kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compiled when it is first called, for shapes of any size."""

    @cache
    def compiled() -> Callable[P, R]:
        return torch.compile(function, dynamic=True)

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        plain = os.environ.get("TORCH_COMPILE_DISABLE") == "1"
        return (function if plain else compiled())(*args, **kwargs)

    return called


def _rooted(x: Tensor, eps: float) -> Tensor:
    return torch.rsqrt(x.square().mean(-1, keepdim=True) + eps)


def _through_norm(normed: Tensor, root: Tensor, gradient: Tensor) -> Tensor:
    """The gradient before a norm from that behind it, the gain already taken into account."""
    return root * (gradient - normed * (gradient * normed).mean(-1, keepdim=True))


@_kernel
def _norm(x: Tensor, gain: Tensor, eps: float, dtype: torch.dtype) -> Tensor:
    x = x.float()
    return (x * _rooted(x, eps) * (1 + gain)).to(dtype)


@_kernel
def _norm_backward(x: Tensor, gain: Tensor, eps: float, gradient: Tensor) -> tuple[Tensor, Tensor]:
    dtype = x.dtype
    x, gradient = x.float(), gradient.float()
    root = _rooted(x, eps)
    normed = x * root
    return _through_norm(normed, root, gradient * (1 + gain)).to(dtype), gradient * normed


class Norm(Function):
    """RMSNorm: x (T, N), gain (N,) -> (T, N) in the weights' dtype."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gain: Tensor, eps: float, dtype: torch.dtype) -> Tensor:
        ctx.save_for_backward(x, gain)
        ctx.eps = eps
        return _norm(x, gain, eps, dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        x, gain = ctx.saved_tensors
        before, by_token = _norm_backward(x, gain, ctx.eps, gradient)
        return before, by_token.sum(0), None, None


@_kernel
def _add_and_norm(x: Tensor, branch: Tensor, post: Tensor, pre: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    dtype, branch = branch.dtype, branch.float()
    x = x + branch * _rooted(branch, eps) * (1 + post)
    return x, (x * _rooted(x, eps) * (1 + pre)).to(dtype)


@_kernel
def _add_and_norm_backward(
    x: Tensor, branch: Tensor, post: Tensor, pre: Tensor, eps: float, summed: Tensor, normed: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    dtype, branch, normed = branch.dtype, branch.float(), normed.float()
    root = _rooted(x, eps)
    before = x * root
    summed = summed + _through_norm(before, root, normed * (1 + pre))
    branch_root = _rooted(branch, eps)
    branch_normed = branch * branch_root
    to_branch = _through_norm(branch_normed, branch_root, summed * (1 + post)).to(dtype)
    return summed, to_branch, summed * branch_normed, normed * before


class AddAndNorm(Function):
    """The end of a branch and the start of the next: x + norm(branch), and that normed.

    x (T, H) float32, branch (T, H); gains `post` of the branch's end, `pre` of the next one's start, (H,).
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, branch: Tensor, post: Tensor, pre: Tensor, eps: float) -> tuple[Tensor, Tensor]:
        summed, normed = _add_and_norm(x, branch, post, pre, eps)
        ctx.save_for_backward(summed, branch, post, pre)
        ctx.eps = eps
        return summed, normed

    @staticmethod
    def backward(ctx: Any, summed: Tensor, normed: Tensor) -> Any:
        x, branch, post, pre = ctx.saved_tensors
        before, to_branch, by_post, by_pre = _add_and_norm_backward(x, branch, post, pre, ctx.eps, summed, normed)
        return before, to_branch, by_post.sum(0), by_pre.sum(0), None


@_kernel
def _gated(gate: Tensor, up: Tensor) -> Tensor:
    dtype, gate = gate.dtype, gate.float()
    open_by = 1 / (1 + torch.exp(-2 * _GELU * gate * (1 + _CUBIC * gate * gate)))
    return (gate * open_by * up).to(dtype)


@_kernel
def _gated_backward(gate: Tensor, up: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    dtype, gate, gradient = gate.dtype, gate.float(), gradient.float()
    open_by = 1 / (1 + torch.exp(-2 * _GELU * gate * (1 + _CUBIC * gate * gate)))
    slope = open_by * (1 - open_by) * 2 * _GELU * (1 + 3 * _CUBIC * gate * gate)
    return (gradient * up * (open_by + gate * slope)).to(dtype), (gradient * gate * open_by).to(dtype)


class Gated(Function):
    """The feed-forward's middle: GELU (tanh approximation) of gate, times up; (T, I) each."""

    @staticmethod
    def forward(ctx: Any, gate: Tensor, up: Tensor) -> Tensor:
        ctx.save_for_backward(gate, up)
        return _gated(gate, up)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        gate, up = ctx.saved_tensors
        return _gated_backward(gate, up, gradient)


@_kernel
def _turned(x: Tensor, gain: Tensor, cos: Tensor, sin: Tensor, eps: float, scale: float) -> Tensor:
    dtype, x = x.dtype, x.float()
    root = torch.rsqrt(x.square().mean((-1, -2), keepdim=True) + eps)
    normed = x * root * (1 + gain)
    return ((normed * cos + normed.flip(-2) * sin) * scale).to(dtype)


@_kernel
def _turned_backward(
    x: Tensor, gain: Tensor, cos: Tensor, sin: Tensor, eps: float, scale: float, gradient: Tensor
) -> tuple[Tensor, Tensor]:
    dtype, x, gradient = x.dtype, x.float(), gradient.float() * scale
    straight = gradient * cos + (gradient * sin).flip(-2)
    root = torch.rsqrt(x.square().mean((-1, -2), keepdim=True) + eps)
    normed = x * root
    gained = straight * (1 + gain)
    before = root * (gained - normed * (gained * normed).mean((-1, -2), keepdim=True))
    return before.to(dtype), straight * normed


class Turned(Function):
    """RMSNorm and RoPE of heads: x (T, N * D), gain (D,) -> (T, N, D), times `scale`.

    cos and sin are (T, 1, 2, D / 2): a head is seen as two halves, and sin is negative for the first.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, gain: Tensor, cos: Tensor, sin: Tensor, eps: float, scale: float) -> Tensor:
        halves = x.view(x.shape[0], -1, 2, cos.shape[-1])
        ctx.save_for_backward(halves, gain, cos, sin)
        ctx.eps, ctx.scale = eps, scale
        return _turned(halves, gain.view(2, -1), cos, sin, eps, scale).flatten(2)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        x, gain, cos, sin = ctx.saved_tensors
        before, by_head = _turned_backward(x, gain.view(2, -1), cos, sin, ctx.eps, ctx.scale, gradient.reshape(x.shape))
        return before.flatten(1), by_head.sum((0, 1)).flatten(), None, None, None, None
