"""Law: what a training step computes by hand, and backwards, is what autograd makes of the plain formulas."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional
from torch.testing import assert_close

from model.network.t5gemma2 import rotated
from model.training.attention import Attended
from model.training.fused import AddAndNorm, Gated, Norm, Turned
from model.training.lora import LoraLinear

EPS = 1e-6


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, requires_grad=True)


def assert_alike(ours: Callable[..., object], plain: Callable[..., object], *inputs: torch.Tensor) -> None:
    """The same values, and the same gradients of a random weighting of them."""
    torch.manual_seed(0)
    results = []
    for function in (ours, plain):
        output = function(*inputs)
        outputs = output if isinstance(output, tuple) else (output,)
        torch.manual_seed(1)
        loss = sum((one * torch.randn_like(one)).sum() for one in outputs)
        results.append([*outputs, *torch.autograd.grad(loss, inputs)])
    for one, other in zip(*results, strict=True):
        assert_close(one, other, atol=1e-4, rtol=1e-4)


def normed(x: torch.Tensor, gain: torch.Tensor) -> torch.Tensor:
    return functional.rms_norm(x, gain.shape, 1 + gain, EPS)


def test_norms() -> None:
    assert_alike(lambda x, gain: Norm.apply(x, gain, EPS, torch.float32), normed, random(5, 8), random(8))

    def plain(x: torch.Tensor, branch: torch.Tensor, post: torch.Tensor, pre: torch.Tensor) -> object:
        x = x + normed(branch, post)
        return x, normed(x, pre)

    inputs = random(5, 8), random(5, 8), random(8), random(8)
    assert_alike(lambda *given: AddAndNorm.apply(*given, EPS), plain, *inputs)


def test_the_gate() -> None:
    assert_alike(
        Gated.apply, lambda gate, up: functional.gelu(gate, approximate="tanh") * up, random(5, 12), random(5, 12)
    )


def test_turned_heads() -> None:
    angles = torch.randn(5, 4).repeat(1, 2)
    cos, sin = angles.cos(), angles.sin()
    halves = [table[:, None].unflatten(-1, (2, -1)) for table in (cos, sin)]
    halves[1] = halves[1] * torch.tensor([[-1.0], [1.0]])

    def plain(x: torch.Tensor, gain: torch.Tensor) -> torch.Tensor:
        heads = normed(x.unflatten(1, (3, 8)), gain).transpose(0, 1)[None]
        return 0.25 * rotated(heads, (cos[None], sin[None]))[0].transpose(0, 1)

    assert_alike(lambda x, gain: Turned.apply(x, gain, *halves, EPS, 0.25), plain, random(5, 24), random(8))


def test_attention_over_own_tokens_and_the_memory() -> None:
    """Two documents, two key heads with two query heads each, a mask for one of them."""
    spans, memory_spans = ((0, 3), (3, 7)), ((0, 2), (2, 7))
    seen = torch.rand(4, 9) < 0.7
    seen[:, 0] = True
    mask = torch.where(seen, 0.0, -torch.inf).repeat_interleave(2, 0)

    def plain(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mk: torch.Tensor, mv: torch.Tensor) -> torch.Tensor:
        parts = []
        for (first, last), (start, end) in zip(spans, memory_spans, strict=True):
            keys, values = torch.cat((k[first:last], mk[start:end])), torch.cat((v[first:last], mv[start:end]))
            keys, values = (rows.repeat_interleave(2, 1).transpose(0, 1) for rows in (keys, values))
            scores = q[first:last].transpose(0, 1) @ keys.mT
            if first:
                scores = scores.masked_fill(~seen, -torch.inf)
            parts.append((scores.softmax(-1) @ values).transpose(0, 1).flatten(1))
        return torch.cat(parts)

    inputs = random(7, 4, 8), random(7, 2, 8), random(7, 2, 8), random(7, 2, 8), random(7, 2, 8)
    assert_alike(lambda *given: Attended.apply(*given, spans, memory_spans, (None, mask)), plain, *inputs)


def test_a_low_rank_difference() -> None:
    layer = LoraLinear(torch.nn.Linear(8, 6, bias=False), rank=2)
    with torch.no_grad():
        layer.lora_B.normal_()
    layer.merge()

    def plain(x: torch.Tensor, up: torch.Tensor, down: torch.Tensor) -> torch.Tensor:
        return functional.linear(x, layer.frozen + up.T @ down)

    def ours(x: torch.Tensor, up: torch.Tensor, down: torch.Tensor) -> torch.Tensor:
        assert up is layer.lora_B and down is layer.lora_A
        output: torch.Tensor = layer(x)
        return output

    assert_alike(ours, plain, random(5, 8), layer.lora_B, layer.lora_A)
