"""Laws of the output head."""

from __future__ import annotations

import pytest
import torch

from model.decoder.output_head import OutputHead
from model.network.topk import largest
from tests.helpers.tiny import relative_error, tiny_model

TOLERANCE = 1e-4


@pytest.mark.parametrize("questions", [1, 3, 9])
def test_the_int8_head_ranks_the_best_tokens_as_the_exact_one(questions: int) -> None:
    model = tiny_model()
    hidden = torch.randn(questions, 48, generator=torch.Generator().manual_seed(1))
    exact, quick = OutputHead(model)(hidden), OutputHead(model, quantized=True)(hidden)
    assert torch.equal(quick.topk(5).indices, exact.topk(5).indices)
    assert relative_error(quick.topk(5).values, exact.topk(5).values) < TOLERANCE
    assert relative_error(quick, exact) < 0.02


@pytest.mark.parametrize("size", [64 * 512, 128 * 512, 1000])
@pytest.mark.parametrize("count", [1, 7, 64])
def test_the_largest_are_those_of_a_search_through_all(size: int, count: int) -> None:
    logits = torch.randn(3, size, generator=torch.Generator().manual_seed(2))
    logits[1, : 2 * count] += 10  # all in one piece
    assert torch.equal(largest(logits, count), logits.topk(count).indices)
