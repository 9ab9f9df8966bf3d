"""The ways in which new tokens go through the decoder's layers, and the one place that chooses among them.

- `EagerBackend`: PyTorch's operations, on any device, over either form of the document.
- `NativeBackend`: native code on a CPU, for few tokens at a time; an eager one takes what it is slower at.
- `CudaGraphBackend` (`cuda_graphs.py`): captured passes on a GPU, for short prompts and single tokens.
- `PrefixCachingBackend` (`prefix_cache.py`): wraps one of them and restores what an earlier prompt began with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from model.decoder.document_forms import AbsorbedForm, DocumentForm, ProjectedForm, choose_form
from model.decoder.forward import ANSWER_STOPPED, DecoderOutput, DecodeState, decoder_output, forward, rotary_at
from model.decoder.limits import FITTED, DecoderLimits
from model.decoder.output_head import OutputHead
from model.encoding.memory import to_device
from model.errors import Cancelled
from model.kernels.decoder_layers import BoundLayers
from model.network.t5gemma2 import T5Gemma2
from model.types import CancelledCallback, Memory


class DecoderBackend(Protocol):
    """Runs new tokens of N answers over one document. It belongs to one `Decoder`."""

    def padded_length(self, prompt_tokens: int, /) -> int:
        """To how many tokens a prompt is padded on the left."""

    def forward(self, state: DecodeState, tokens: torch.Tensor, /, *, return_attention: bool) -> DecoderOutput:
        """Decode tokens (N, S) long behind those of the state, whose cache grows by S. Raises Cancelled."""

    def select(self, state: DecodeState, answers: torch.Tensor, /) -> DecodeState:
        """The state of these answers alone, (M,) indices; an answer may be selected several times."""

    def is_batch_invariant(self, tokens: int, /) -> bool:
        """Whether a pass of so many tokens of one answer gives each the same bits, whatever the others are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operands:
    """What all backends work with: the model, its output head, the document, who may stop the work, and its limits."""

    model: T5Gemma2
    head: OutputHead
    memories: Sequence[Memory]
    cancelled: CancelledCallback | None = None
    limits: DecoderLimits = FITTED

    def on_device(self) -> list[Memory]:
        """The document on the model's device, in the model's dtype."""
        return [to_device(memory, self.model.device, self.model.dtype) for memory in self.memories]

    def positions(self, state: DecodeState, size: int) -> torch.Tensor:
        """Where the next `size` tokens of each answer go in the cache, (size,) long."""
        length = state.cache.length
        return torch.arange(length, length + size, device=self.model.device)


class EagerBackend:
    """PyTorch's operations."""

    def __init__(self, operands: Operands, form: DocumentForm | None = None) -> None:
        """`form`: how the document is attended to; None: as states, placed on the device when first needed."""
        self._operands = operands
        self._form = form

    @property
    def attends_to_states(self) -> bool:
        """Whether the document enters as the encoder's states, and not as keys and values made for the batch."""
        return not isinstance(self._form, ProjectedForm)

    def padded_length(self, prompt_tokens: int) -> int:
        return prompt_tokens

    def forward(self, state: DecodeState, tokens: torch.Tensor, *, return_attention: bool) -> DecoderOutput:
        operands, size = self._operands, tokens.shape[1]
        if self._form is None:
            self._form = AbsorbedForm(operands.on_device())
        key_count = state.cache.length + size
        output = forward(
            operands.model,
            operands.head,
            self._form,
            state,
            operands.model.model.decoder.embed_tokens(tokens),
            operands.positions(state, size),
            key_count=key_count,
            return_attention=return_attention,
            cancelled=operands.cancelled,
        )
        state.cache.length = key_count
        return output

    def select(self, state: DecodeState, answers: torch.Tensor) -> DecodeState:
        return state.select(answers)

    def is_batch_invariant(self, _tokens: int) -> bool:
        return False


class NativeBackend:
    """Native code, where it is faster than PyTorch's operations; elsewhere the eager backend's."""

    def __init__(self, operands: Operands, layers: BoundLayers, eager: EagerBackend) -> None:
        self._operands = operands
        self._layers = layers
        self._eager = eager

    def padded_length(self, prompt_tokens: int) -> int:
        return prompt_tokens

    def forward(self, state: DecodeState, tokens: torch.Tensor, *, return_attention: bool) -> DecoderOutput:
        if not self._layers.is_faster(*tokens.shape):
            return self._eager.forward(state, tokens, return_attention=return_attention)
        operands, size = self._operands, tokens.shape[1]
        decoder = operands.model.model.decoder
        hidden = decoder.embed_tokens(tokens).float()  # (N, S, H)
        rotary = rotary_at(operands.model, state, hidden, operands.positions(state, size))
        attention_by_layer = self._layers.forward(
            hidden,
            [rotary[kind] for kind in decoder.config.layer_types],
            state.starts,
            state.cache,
            visible_mask=state.visible_mask,
            return_attention=return_attention,
            cancelled=operands.cancelled,
        )
        if attention_by_layer is None:
            raise Cancelled(ANSWER_STOPPED)
        state.cache.length += size
        return decoder_output(operands.model, operands.head, hidden[:, -1].to(operands.model.dtype), attention_by_layer)

    def select(self, state: DecodeState, answers: torch.Tensor) -> DecodeState:
        return state.select(answers)

    def is_batch_invariant(self, tokens: int) -> bool:
        return self._layers.is_batch_invariant(tokens) and self._layers.is_faster(1, tokens)


def eager_or_native(
    operands: Operands, layers: BoundLayers | None, questions: int, prompt_tokens: int
) -> EagerBackend | NativeBackend:
    """Native code where it takes the document as states; else the form of the document that multiplies less."""
    if layers is not None and layers.tiled:  # matrix tiles make states the faster form for any number of tokens
        return NativeBackend(operands, layers, EagerBackend(operands))
    most_bytes = operands.limits.projected_bytes
    form = choose_form(operands.model, operands.on_device(), questions, prompt_tokens, most_bytes)
    eager = EagerBackend(operands, form)
    return NativeBackend(operands, layers, eager) if layers and eager.attends_to_states else eager
