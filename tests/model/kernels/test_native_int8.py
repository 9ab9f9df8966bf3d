"""Law: states and weights in int8 are, to native code, the numbers that they stand for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
import torch

from model.decoder.decoder import Decoder
from model.decoder.forward import DecoderOutput
from model.encoding.memory import to_device, to_precision
from model.kernels.decoder_layers import DecoderLayers
from model.kernels.limits import NativeLimits
from model.network.t5gemma2 import T5Gemma2
from model.types import Memory
from tests.helpers.int8_kernels import OUTPUTS, as_in_int8, assert_nearly, layers_of, memories_of, models
from tests.helpers.kernels import parts_of
from tests.helpers.targets import needs_compiler
from tests.helpers.tiny import relative_error

SHAPES = [(4, 1), (4, 2), (2, 2)]

pytestmark = needs_compiler


def numbers(memories: Sequence[Memory], dtype: torch.dtype) -> list[Memory]:
    return [to_device(memory, torch.device("cpu"), dtype) for memory in memories]


def answered(
    model: T5Gemma2,
    memories: Sequence[Memory],
    layers: DecoderLayers | None,
    *,
    questions: int = 3,
    shown: torch.Tensor | None = None,
) -> DecoderOutput:
    decoder = Decoder(model, memories, questions, 40, parts=parts_of(layers), visible_mask=shown)
    decoder.begin([[2, *range(9, 12 + question)] for question in range(questions)])
    return decoder.step(range(20, 20 + questions))


def together(outputs: Iterable[DecoderOutput]) -> DecoderOutput:
    """As one: a single document's errors are half chance."""
    listed = list(outputs)
    return DecoderOutput(**{name: torch.stack([getattr(output, name) for output in listed]) for name in OUTPUTS})


@pytest.mark.parametrize(("heads", "key_heads"), SHAPES)
@pytest.mark.parametrize("shown", [False, True])
@pytest.mark.parametrize("lengths", [[70], [37, 5, 300]])
def test_states(heads: int, key_heads: int, shown: bool, lengths: list[int], folder: Path) -> None:
    """One memory, or three whose channels have other scales each; of sixteen documents."""
    exact, model = models(heads, key_heads)
    layers = layers_of(model, folder)
    documents = [[to_precision(part, "int8") for part in memories_of(model, *lengths, seed=seed)] for seed in range(16)]
    assert all(map(layers.accepts, documents)) and not layers.accepts([*documents[0], *memories_of(model, 3)])
    rows = torch.rand(3, sum(lengths), generator=torch.Generator().manual_seed(2)) < 0.5 if shown else None
    assert_nearly(
        together(answered(model, one, layers, shown=rows) for one in documents),
        together(answered(model, numbers(one, torch.bfloat16), None, shown=rows) for one in documents),
        together(answered(exact, numbers(one, torch.float32), None, shown=rows) for one in documents),
    )


def test_many_rows_are_native_over_a_long_document_and_take_the_numbers_over_a_short_one(
    folder: Path,
) -> None:
    _, model = models()
    layers, memories = layers_of(model, folder), [to_precision(memory, "int8") for memory in memories_of(model, 30)]
    prompts = [[2, *range(10, 100)], [2, *range(20, 110)]]
    both = memories, numbers(memories, torch.bfloat16)
    ours, theirs = (Decoder(model, given, 2, 100, parts=parts_of(layers)).begin(prompts).logits for given in both)
    assert torch.equal(ours, theirs)
    layers = layers_of(model, folder, limits=NativeLimits(long_document=30))
    natively = Decoder(model, memories, 2, 100, parts=parts_of(layers)).begin(prompts).logits
    assert 0 < relative_error(natively, theirs) < 0.1


def test_those_of_a_larger_model_stay_as_they_are(folder: Path) -> None:
    _, model = models()
    small, as_they_are = NativeLimits(copied_numbers=0), layers_of(model, folder)
    assert layers_of(model, folder, quantized=True, limits=small).matrix_bytes == as_they_are.matrix_bytes


@pytest.mark.parametrize("questions", [1, 3, 9])
def test_weights(questions: int, folder: Path) -> None:
    """Of one row, of eight, and of more: a tile has both parts of eight rows."""
    exact, model = models()
    layers = layers_of(model, folder, quantized=True)
    assert layers.matrix_bytes < layers_of(model, folder).matrix_bytes
    exact.bfloat16().float()
    as_in_int8(exact)
    memories = memories_of(model, 90)
    expected = answered(exact, numbers(memories, torch.float32), None, questions=questions)
    theirs = answered(exact.bfloat16(), memories, None, questions=questions)
    assert_nearly(answered(model, memories, layers, questions=questions), theirs, expected)
