"""Law: states and weights in int8 are, to native code, the numbers that they stand for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
import torch

from model.decoder.decoder import Decoder, DecoderParts
from model.decoder.forward import DecoderOutput
from model.encoder.encoder import encode_chunk
from model.encoding.memory import build_memory, to_device, to_precision
from model.kernels import library
from model.kernels.decoder_layers import DecoderLayers
from model.kernels.parts import load_native_parts
from model.network.int8 import quantize
from model.network.t5gemma2 import T5Gemma2
from model.types import Memory
from tests.helpers.tiny import relative_error, tiled_config, tiny_model

SHAPES = [(4, 1), (4, 2), (2, 2)]
OUTPUTS = ("logits", "attention", "middle_layer_attention")
IN_INT8 = ("self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")

pytestmark = [
    pytest.mark.skipif(library.find_compiler() is None, reason="no C++ compiler"),
    pytest.mark.usefixtures("as_states"),
]


def models(heads: int = 4, key_heads: int = 2) -> tuple[T5Gemma2, T5Gemma2]:
    """The same weights in float32 and in bfloat16."""
    config = tiled_config(heads=heads, key_heads=key_heads)
    config.decoder.intermediate_size, config.decoder.head_dim = 128, 64  # whole rows of tiles in int8
    return tiny_model(config), tiny_model(config).bfloat16()


def layers_of(model: T5Gemma2, folder: Path, *, quantized: bool = False) -> DecoderLayers:
    layers = load_native_parts(model, folder, quantized=quantized).decoder_layers
    assert layers is not None
    if not layers.tiled:
        pytest.skip("the processor has no matrix tiles")
    return layers


def memories_of(model: T5Gemma2, *lengths: int, seed: int = 1) -> list[Memory]:
    ids = torch.randint(7, 400, (sum(lengths),), generator=torch.Generator().manual_seed(seed))
    return [build_memory(model, encode_chunk(model, row)) for row in ids.split(lengths)]


def as_in_int8(model: T5Gemma2) -> None:
    """The decoder's weights that native code reads in int8 become the numbers that those stand for."""
    for layer in model.model.decoder.layers:
        for name in IN_INT8:
            weight = layer.get_submodule(name).weight
            rows, scales = quantize(weight.float())
            weight.copy_(rows * scales[:, None])


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
    decoder = Decoder(model, memories, questions, 40, parts=DecoderParts(layers=layers), visible_mask=shown)
    decoder.begin([[2, *range(9, 12 + question)] for question in range(questions)])
    return decoder.step(range(20, 20 + questions))


def together(outputs: Iterable[DecoderOutput]) -> DecoderOutput:
    """As one: a single document's errors are half chance."""
    listed = list(outputs)
    return DecoderOutput(**{name: torch.stack([getattr(output, name) for output in listed]) for name in OUTPUTS})


def assert_nearly(ours: DecoderOutput, theirs: DecoderOutput, exact: DecoderOutput) -> None:
    """As near to the exact ones as PyTorch's operations in bfloat16."""
    for name in OUTPUTS:
        errors = [relative_error(getattr(one, name).float(), getattr(exact, name)) for one in (ours, theirs)]
        assert 0 < errors[0] < 1.3 * errors[1] < 0.2, name


@pytest.mark.parametrize(("heads", "key_heads"), SHAPES)
@pytest.mark.parametrize("shown", [False, True])
@pytest.mark.parametrize("lengths", [[70], [37, 5, 300]])
def test_states(heads: int, key_heads: int, shown: bool, lengths: list[int], folder: Path) -> None:
    """One memory, or three whose channels have other scales each; of sixteen documents."""
    exact, model = models(heads, key_heads)
    layers = layers_of(model, folder)
    documents = [[to_precision(part, "int8") for part in memories_of(model, *lengths, seed=seed)] for seed in range(16)]
    assert all(map(layers.take, documents)) and not layers.take([*documents[0], *memories_of(model, 3)])
    rows = torch.rand(3, sum(lengths), generator=torch.Generator().manual_seed(2)) < 0.5 if shown else None
    assert_nearly(
        together(answered(model, one, layers, shown=rows) for one in documents),
        together(answered(model, numbers(one, torch.bfloat16), None, shown=rows) for one in documents),
        together(answered(exact, numbers(one, torch.float32), None, shown=rows) for one in documents),
    )


def test_many_rows_are_native_over_a_long_document_and_take_the_numbers_over_a_short_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, model = models()
    layers, memories = layers_of(model, folder), [to_precision(memory, "int8") for memory in memories_of(model, 30)]
    prompts = [[2, *range(10, 100)], [2, *range(20, 110)]]
    both = memories, numbers(memories, torch.bfloat16)
    ours, theirs = (
        Decoder(model, given, 2, 100, parts=DecoderParts(layers=layers)).begin(prompts).logits for given in both
    )
    assert torch.equal(ours, theirs)
    monkeypatch.setattr("model.kernels.decoder_layers._LONG", 30)
    natively = Decoder(model, memories, 2, 100, parts=DecoderParts(layers=layers)).begin(prompts).logits
    assert 0 < relative_error(natively, theirs) < 0.1


def test_those_of_a_larger_model_stay_as_they_are(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, model = models()
    monkeypatch.setattr("model.kernels.layer._MOST_COPIED", 0)
    as_they_are = layers_of(model, folder)
    assert layers_of(model, folder, quantized=True).matrix_bytes == as_they_are.matrix_bytes


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
