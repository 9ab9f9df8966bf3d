"""Law: the ways that are taken in bfloat16 alone give what the plain product gives."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from model.decoder.document_forms import Block
from model.encoder.attention import global_attention, local_attention
from model.network.linear import MOST_TOKENS, feed_forward, linear
from tests.helpers.tiny import tiny_model


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape))).bfloat16()


@pytest.mark.parametrize("rows", [(1, 1), (2, 5), (1, MOST_TOKENS), (1, MOST_TOKENS + 1)])
@torch.no_grad()
def test_a_layer_for_few_rows_is_the_layer(rows: tuple[int, int]) -> None:
    module, x = nn.Linear(64, 48, bias=False).bfloat16(), random(*rows, 64)
    assert_close(linear(module, x), module(x))
    assert linear(module, x).is_contiguous()


@torch.no_grad()
def test_the_feed_forward_for_few_rows_is_transformers_own() -> None:
    mlp = tiny_model().model.decoder.layers[0].mlp.bfloat16()
    x = random(2, 3, 48)
    assert_close(feed_forward(mlp, x), mlp(x), atol=0.02, rtol=0.02)


@torch.no_grad()
def test_the_feed_forward_for_many_rows_is_transformers_own() -> None:
    mlp = tiny_model().model.decoder.layers[0].mlp.bfloat16()
    x = random(2, MOST_TOKENS, 48)
    ours, theirs = feed_forward(mlp, x).float(), mlp(x).float()
    assert (ours - theirs).norm() < 0.01 * theirs.norm()


@pytest.mark.parametrize("tokens", [1, 511, 512, 1024, 1500])
@pytest.mark.parametrize("key_heads", [1, 2])
@pytest.mark.parametrize("projected", [True, False])
def test_scores_and_weighted_sums_of_a_block(tokens: int, key_heads: int, projected: bool) -> None:
    shape = (key_heads, tokens, 32) if projected else (tokens, 32)
    block = Block(keys=random(*shape), values=random(*shape))
    rows, weights = random(key_heads, 4, 32), torch.rand(key_heads, 4, tokens) / tokens
    assert_close(block.scores(rows), rows.float() @ block.keys.float().mT, atol=0.1, rtol=0.02)
    exact = weights.bfloat16().float() @ block.values.float()
    assert_close(block.weighted(weights).float(), exact, atol=2e-3, rtol=0.02)


@pytest.mark.parametrize("sliding_window", [512, 900])
def test_attention_of_the_encoder_is_nearly_float32s(sliding_window: int) -> None:
    """By whichever way this processor takes, over a band and over all."""
    queries, keys, values = random(1, 4, 300, 32), random(1, 800, 32), random(1, 800, 32)
    given, wide = (queries, keys, values), (queries.float(), keys.float(), values.float())
    assert_close(global_attention(*given, 0.2).float(), global_attention(*wide, 0.2), atol=0.02, rtol=0.05)
    ours, exact = (local_attention(*three, 0.2, 200, sliding_window) for three in (given, wide))
    assert_close(ours.float(), exact, atol=0.02, rtol=0.05)
