"""The parts of a model that native code does, where this machine can compile it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from model.kernels.decoder_layers import DecoderLayers
from model.kernels.encoder_layers import EncoderLayers
from model.kernels.encoder_rows import NativeRowOps
from model.kernels.library import load_library
from model.kernels.output_head import NativeOutputHead
from model.network.kv_cache import KeyInvRms
from model.network.t5gemma2 import T5Gemma2


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeParts:
    """None: PyTorch's operations do it. The encoder's layers as a whole where there are, else what lies between."""

    decoder_layers: DecoderLayers | None = None
    encoder_layers: EncoderLayers | None = None
    encoder_rows: NativeRowOps | None = None
    output_head: NativeOutputHead | None = None

    @property
    def key_inv_rms(self) -> KeyInvRms | None:
        """Makes what a memory keeps of the decoder's keys: `DecoderLayers.key_inv_rms`."""
        layers = self.decoder_layers
        return layers.key_inv_rms if layers is not None and layers.gives_key_scales else None


def load_native_parts(model: T5Gemma2, folder: Path, *, quantized: bool = False) -> NativeParts:
    """What suits native code of this model, compiled into that folder where it is not there yet.

    `quantized`: matrices of the decoder in int8 and the output head in four bits, where that is faster.
    """
    decoder, rows = DecoderLayers.supports(model), NativeRowOps.supports(model)
    library = load_library(folder) if decoder or rows else None
    if library is None:
        return NativeParts()
    head = model.lm_head.out_proj.weight.detach()
    tiled = bool(library.multiplies_tiles()) and EncoderLayers.supports(model)
    return NativeParts(
        decoder_layers=DecoderLayers(library, model, int8_weights=quantized) if decoder else None,
        encoder_layers=EncoderLayers(library, model) if tiled else None,
        encoder_rows=NativeRowOps(library, model) if rows else None,
        output_head=NativeOutputHead(library, head) if quantized and NativeOutputHead.supports(library, head) else None,
    )
