"""Decoding with and without native code, and how both are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from model.decoder.decoder import Decoder, DecoderParts
from model.decoder.forward import DecoderOutput
from model.decoder.limits import DecoderLimits
from model.decoder.model_backend import Backend
from model.decoder.prefix_cache import PrefixCache
from model.encoder.encoder import encode_chunk
from model.encoding.memory import build_memory
from model.kernels.decoder_layers import DecoderLayers
from model.network.t5gemma2 import T5Gemma2
from model.types import Memory
from tests.helpers.tiny import relative_error

TOLERANCE = 1e-5
SHAPES = [(4, 1), (4, 2), (2, 2)]
PROMPTS = [[2, 9, 10, 11], [2, 20], [2, 30, 31, 32, 33]]
AS_STATES = DecoderLimits(projected_bytes=0)  # however small the document is: as native code attends to it


def memories_of(model: T5Gemma2, *lengths: int) -> list[Memory]:
    generator = torch.Generator().manual_seed(1)
    ids = [torch.randint(7, 400, (length,), generator=generator) for length in lengths]
    return [build_memory(model, encode_chunk(model, row)) for row in ids]


def parts_of(layers: DecoderLayers | None, prefixes: PrefixCache | None = None) -> DecoderParts:
    return DecoderParts(layers=layers, prefix_cache=prefixes, limits=AS_STATES)


def answered(
    model: T5Gemma2,
    memories: Sequence[Memory],
    layers: DecoderLayers | None,
    shown: torch.Tensor | None = None,
    *,
    evidence: bool = True,
    prompts: Sequence[Sequence[int]] = PROMPTS,
) -> DecoderOutput:
    """Twelve tokens, more than the window of eight; halfway one answer ends and another goes on in two ways."""
    decoder = Decoder(model, memories, 3, 40, visible_mask=shown, parts=parts_of(layers), return_attention=evidence)
    decoder.begin(prompts)
    for token in range(8, 20):
        if token == 14:
            decoder.select([0, 2, 2])
        output = decoder.step([token, token + 1, token + 2])
    return output


def limited(backend: Backend, limits: DecoderLimits) -> Backend:
    """The backend, with other limits of its decoders."""
    return replace(backend, parts=replace(backend.parts, limits=limits))


def assert_same(ours: DecoderOutput, theirs: DecoderOutput, tolerance: float = TOLERANCE) -> None:
    assert ours.logits is not theirs.logits and not torch.equal(ours.logits, theirs.logits)  # it went the other way
    for name in ("logits", "attention", "middle_layer_attention"):
        assert relative_error(getattr(ours, name), getattr(theirs, name)) < tolerance, name
