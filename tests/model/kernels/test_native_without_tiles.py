"""Law: native code without matrix tiles, as most processors compile it, gives what PyTorch's operations give."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch

from model.encoder.encoder import encode_chunk
from model.kernels.decoder_layers import DecoderLayers
from model.kernels.parts import NativeParts, load_native_parts
from model.network.t5gemma2 import T5Gemma2
from tests.helpers.int8_kernels import as_in_int8, assert_nearly, models
from tests.helpers.kernels import SHAPES, TOLERANCE, answered, assert_same, memories_of
from tests.helpers.targets import (
    AVX2,
    AVX512,
    needs_compiler,
    needs_processor,
    needs_target,
    needs_x86,
    without_warnings,
)
from tests.helpers.tiny import relative_error

WORDS = [[9], [20], [31]]
Compiled = Callable[..., NativeParts]

pytestmark = [needs_compiler, needs_x86]


@pytest.fixture(scope="module", params=[AVX512, AVX2])
def target(request: pytest.FixtureRequest) -> str:
    needs_target(request.param)
    needs_processor(request.param)
    return str(request.param)


@pytest.fixture(scope="module")
def compiled(target: str, target_folder: Callable[[str], Path]) -> Compiled:
    """Native code for the target."""
    return partial(load_native_parts, folder=target_folder(target), build=without_warnings(target))


def layers_of(model: T5Gemma2, compiled: Compiled, *, quantized: bool = False) -> DecoderLayers:
    layers = compiled(model, quantized=quantized).decoder_layers
    assert layers is not None, "it does not compile"
    assert not layers.tiled
    return layers


@pytest.mark.parametrize(("heads", "key_heads"), SHAPES)
def test_tokens(heads: int, key_heads: int, compiled: Compiled) -> None:
    exact, model = models(heads, key_heads)
    memories = memories_of(exact, 37, 5)
    expected = answered(exact, memories, None)
    assert_same(answered(exact, memories, layers_of(exact, compiled)), expected)
    memories = memories_of(model, 37, 5)
    assert_nearly(answered(model, memories, layers_of(model, compiled)), answered(model, memories, None), expected)


def test_weights_in_int8(compiled: Compiled) -> None:
    """Questions of one token: longer ones are PyTorch's to compute, with the exact weights."""
    exact, _ = models()
    layers = layers_of(exact, compiled, quantized=True)
    assert layers.matrix_bytes < 0.6 * layers_of(exact, compiled).matrix_bytes
    memories = memories_of(exact, 90)
    found = answered(exact, memories, layers, prompts=WORDS)
    as_in_int8(exact)
    assert_same(found, answered(exact, memories, None, prompts=WORDS))


def test_reading(compiled: Compiled) -> None:
    model, _ = models()
    ids = torch.randint(7, 400, (300,), generator=torch.Generator().manual_seed(1))
    native = compiled(model)
    assert native.encoder_rows is not None and native.encoder_layers is None
    assert relative_error(encode_chunk(model, ids, native=native), encode_chunk(model, ids)) < TOLERANCE
