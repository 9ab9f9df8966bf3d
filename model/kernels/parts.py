"""The parts of a model that native code computes, where this machine can compile it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from model.errors import NO_MESSAGE, KernelError, Message
from model.kernels.build import NATIVE, Build, find_compiler
from model.kernels.decoder_layers import DecoderLayers
from model.kernels.encoder_layers import EncoderLayers
from model.kernels.library import has_matrix_tiles, load_library
from model.kernels.limits import FITTED, NativeLimits
from model.kernels.output_head import NativeOutputHead
from model.kernels.row_ops import NativeRowOps
from model.network.kv_cache import KeyInvRms
from model.network.t5gemma2 import T5Gemma2

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeParts:
    """None: PyTorch's operations do it. The encoder's layers as a whole where there are, else what lies between.

    unavailable: why there is no native code, where the model would suit it; a sentence for people.
    """

    decoder_layers: DecoderLayers | None = None
    encoder_layers: EncoderLayers | None = None
    encoder_rows: NativeRowOps | None = None
    output_head: NativeOutputHead | None = None
    unavailable: Message = NO_MESSAGE

    @property
    def key_inv_rms(self) -> KeyInvRms | None:
        """Computes what a memory keeps of the decoder's keys: `DecoderLayers.key_inv_rms`."""
        layers = self.decoder_layers
        return layers.key_inv_rms if layers is not None and layers.gives_key_inv_rms else None


def load_native_parts(
    model: T5Gemma2,
    folder: Path,
    *,
    quantized: bool = False,
    build: Build = NATIVE,
    limits: NativeLimits = FITTED,
) -> NativeParts:
    """What native code can compute of this model, compiled into that folder where it is not there yet.

    `quantized`: matrices of the decoder in int8 and the output head in four bits, where that is faster.

    Where it cannot be compiled, the log says why, and so does `unavailable`.
    """
    decoder, rows = DecoderLayers.supports(model), NativeRowOps.supports(model)
    if not (decoder or rows):
        return NativeParts()
    try:
        library = load_library(folder, build)
    except KernelError as error:
        level = logging.WARNING if find_compiler() else logging.INFO  # a machine without one is nothing unusual
        _LOG.log(level, "%s", error)
        return NativeParts(unavailable=error.message)
    head = model.lm_head.out_proj.weight.detach()
    tiled = has_matrix_tiles(library) and EncoderLayers.supports(model)
    return NativeParts(
        decoder_layers=DecoderLayers(library, model, int8_weights=quantized, limits=limits) if decoder else None,
        encoder_layers=EncoderLayers(library, model, limits) if tiled else None,
        encoder_rows=NativeRowOps(library, model) if rows else None,
        output_head=NativeOutputHead(library, head) if quantized and NativeOutputHead.supports(library, head) else None,
    )
