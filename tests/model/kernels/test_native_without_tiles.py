"""Law: native code without matrix tiles, as most processors compile it, gives what PyTorch's operations give."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from model.encoder.encoder import encode_chunk
from model.kernels import library
from model.kernels.decoder_layers import DecoderLayers
from model.kernels.parts import load_native_parts
from model.network.t5gemma2 import T5Gemma2
from tests.helpers.int8_kernels import as_in_int8, assert_nearly, models
from tests.helpers.kernels import SHAPES, TOLERANCE, answered, assert_same, memories_of
from tests.helpers.tiny import relative_error

pytestmark = [
    pytest.mark.skipif(library.find_compiler() is None, reason="no C++ compiler"),
    pytest.mark.skipif(platform.machine() != "x86_64", reason="other processors have no such tiles anyway"),
    pytest.mark.usefixtures("as_states"),
]


@pytest.fixture(scope="module", autouse=True, params=["avx512", "avx2"])
def without_tiles(request: pytest.FixtureRequest) -> Iterator[None]:
    """What is compiled in this module is for the processor at hand, less its tiles, or less AVX-512, too."""
    less = ["amx-tile", "amx-int8", "amx-bf16", "avx512bf16", *(["avx512f"] if request.param == "avx2" else [])]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "_OPTIONS", (*library._OPTIONS, *(f"-mno-{name}" for name in less)))
        yield


def layers_of(model: T5Gemma2, folder: Path, *, quantized: bool = False) -> DecoderLayers:
    layers = load_native_parts(model, folder, quantized=quantized).decoder_layers
    assert layers is not None, "it does not compile"
    assert not layers.tiled
    return layers


@pytest.mark.parametrize(("heads", "key_heads"), SHAPES)
def test_tokens(heads: int, key_heads: int, folder: Path) -> None:
    exact, model = models(heads, key_heads)
    memories = memories_of(exact, 37, 5)
    expected = answered(exact, memories, None)
    assert_same(answered(exact, memories, layers_of(exact, folder)), expected)
    memories = memories_of(model, 37, 5)
    assert_nearly(answered(model, memories, layers_of(model, folder)), answered(model, memories, None), expected)


def test_weights_in_int8(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those of a question, which PyTorch's operations would take with the exact weights."""
    monkeypatch.setattr("model.kernels.decoder_layers.BoundLayers.is_faster", lambda *_: True)
    exact, _ = models()
    layers = layers_of(exact, folder, quantized=True)
    assert layers.matrix_bytes < 0.6 * layers_of(exact, folder).matrix_bytes
    memories = memories_of(exact, 90)
    found = answered(exact, memories, layers)
    as_in_int8(exact)
    assert_same(found, answered(exact, memories, None))


def test_reading(folder: Path) -> None:
    model, _ = models()
    ids = torch.randint(7, 400, (300,), generator=torch.Generator().manual_seed(1))
    native = load_native_parts(model, folder)
    assert native.encoder_rows is not None and native.encoder_layers is None
    assert relative_error(encode_chunk(model, ids, native=native), encode_chunk(model, ids)) < TOLERANCE
