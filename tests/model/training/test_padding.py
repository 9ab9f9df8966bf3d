"""Law: documents side by side, padded, attend as each does for itself."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import torch

from model.training.data import Tokens, TrainingPassage
from model.training.forward import decoded, encoded
from model.training.lora import add_lora
from model.training.packing import Batch, Shape, collate, lay_out
from tests.helpers.tiny import TEXT, tiny_model, tiny_tokenizer


def several_lengths() -> Batch:
    """Documents of one chunk and of two, from a few tokens to more than the local layers' band."""
    tokens = Tokens(tiny_tokenizer())
    questions = [(f"Question: {word}?\nAnswer:", "Omar Haddad") for word in ("Who", "When", "Where did it all begin")]
    pairs = tokens.pairs(questions)
    ids = tokens.encode([TEXT])[0]
    layouts = []
    for count, chunks in ((9, 1), (len(ids), 1), (40, 1), (len(ids), 2)):
        chunk = 400 if chunks == 1 else len(ids) // 2 + 20
        shape = Shape(chunks=chunks, chunk_size=chunk, overlap=8 if chunks > 1 else 0, answers=300)
        asked = [replace(pairs[0], shown=((2, 7),)), *pairs[1:]]
        layouts.append(lay_out([TrainingPassage(ids=ids[:count], pairs=asked)], shape, tokens, random.Random(count)))
    return collate(layouts, [300, 60, 300, 300])


@pytest.mark.parametrize("part", ["states", "gradients"])
def test_padded_is_document_by_document(part: str) -> None:
    batch = several_lengths()
    assert len({last - first for first, last in batch.chunks}) >= 3 and len(batch.chunks) == 5
    results = []
    for padded in (False, True):
        torch.manual_seed(0)
        model = tiny_model()
        trained = add_lora(model, rank=4)
        with torch.no_grad():
            for value in trained.values():
                value.add_(torch.randn_like(value) * 0.05)
        states = decoded(model, encoded(model, batch, padded=padded)[batch.memory_rows], batch, padded=padded)
        weighted = (states * torch.linspace(-1, 1, states.numel()).view_as(states)).sum()
        gradients = torch.autograd.grad(weighted, list(trained.values()))
        results.append([states] if part == "states" else gradients)
    for one, other in zip(*results, strict=True):
        assert torch.allclose(one, other, atol=1e-3 * one.abs().max().item()), (one - other).abs().max()
