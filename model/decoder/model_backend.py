"""What all forward passes of a model run on: native code for encoder and decoder, or PyTorch's operations."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from model.decoder.decoder import DecoderParts
from model.decoder.output_head import OutputHead
from model.errors import NO_MESSAGE, Message
from model.kernels.parts import NativeParts, load_native_parts
from model.network.t5gemma2 import T5Gemma2

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """What a model's forward passes run on. native: the parts in native code. parts: what its decoders share.

    notice: one sentence for people, why native code that was asked for is not used; empty if there is nothing to say.
    """

    native: NativeParts
    parts: DecoderParts
    notice: Message = NO_MESSAGE

    @classmethod
    def eager(cls, model: T5Gemma2, *, notice: Message = NO_MESSAGE) -> Backend:
        """PyTorch's operations, and CUDA graphs on a GPU: needs no loading."""
        return cls(native=NativeParts(), parts=DecoderParts.of(model), notice=notice)


class LoadNativeParts(Protocol):
    """What `model/kernels/parts.py` does."""

    def __call__(self, model: T5Gemma2, folder: Path, /, *, quantized: bool) -> NativeParts:
        """Native code for the model. Raises whatever keeps it from being loaded."""


def load_backend(
    model: T5Gemma2, folder: Path, *, quantized: bool, load: LoadNativeParts = load_native_parts
) -> Backend:
    """The fastest backend for this model on this machine; on a CPU it takes some seconds.

    Native code is built into `folder` if it is not there yet. `quantized`: the decoder's weights and the output head
    are read in int8 and int4 where that is faster. If it cannot be built or loaded, the backend is eager with a notice.
    """
    eager = Backend.eager(model)
    try:
        native = load(model, folder, quantized=quantized)
        head = OutputHead(model, quantized=True, native=native.output_head) if quantized else None
    except Exception as error:  # whatever it is, PyTorch's operations give the same answers
        _LOG.warning("compiled code is not used", exc_info=error)
        cause = (str(error).splitlines() or [type(error).__name__])[0]
        slow = Message("Compiled code is not used ({cause}), so reading and answering take longer.", cause=cause)
        return replace(eager, notice=slow)
    parts = replace(eager.parts, head=head, layers=native.decoder_layers)
    return replace(eager, native=native, parts=parts, notice=native.unavailable)
