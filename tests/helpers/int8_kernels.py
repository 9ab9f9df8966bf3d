"""Models whose sizes suit matrix tiles, in float32 and in bfloat16, and their weights in int8."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from model.decoder.forward import DecoderOutput
from model.encoder.encoder import encode_chunk
from model.encoding.memory import build_memory
from model.kernels.decoder_layers import DecoderLayers
from model.kernels.limits import FITTED, NativeLimits
from model.kernels.parts import load_native_parts
from model.network.int8 import quantize
from model.network.t5gemma2 import T5Gemma2
from model.types import Memory
from tests.helpers.tiny import relative_error, tiled_config, tiny_model

OUTPUTS = ("logits", "attention", "middle_layer_attention")
IN_INT8 = ("self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")


def models(heads: int = 4, key_heads: int = 2) -> tuple[T5Gemma2, T5Gemma2]:
    """The same weights in float32 and in bfloat16."""
    config = tiled_config(heads=heads, key_heads=key_heads)
    config.decoder.intermediate_size, config.decoder.head_dim = 128, 64  # whole rows of tiles in int8
    return tiny_model(config), tiny_model(config).bfloat16()


def layers_of(
    model: T5Gemma2, folder: Path, *, quantized: bool = False, limits: NativeLimits = FITTED
) -> DecoderLayers:
    layers = load_native_parts(model, folder, quantized=quantized, limits=limits).decoder_layers
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


def assert_nearly(ours: DecoderOutput, theirs: DecoderOutput, exact: DecoderOutput) -> None:
    """As near to the exact ones as PyTorch's operations in bfloat16."""
    for name in OUTPUTS:
        errors = [relative_error(getattr(one, name).float(), getattr(exact, name)) for one in (ours, theirs)]
        assert 0 < errors[0] < 1.3 * errors[1] < 0.2, name
