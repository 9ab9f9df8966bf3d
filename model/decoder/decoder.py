"""The decoder: prompts and answer tokens over memories, through the modules of a T5Gemma 2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from model.decoder.backends import DecoderBackend, Operands, eager_or_native
from model.decoder.cuda_graphs import CudaGraphBackend, CudaGraphPool
from model.decoder.forward import DecoderOutput, DecodeState
from model.decoder.limits import FITTED, DecoderLimits
from model.decoder.output_head import OutputHead
from model.decoder.prefix_cache import PrefixCache, PrefixCachingBackend
from model.kernels.decoder_layers import DecoderLayers
from model.network.kv_cache import SelfAttentionCache
from model.network.t5gemma2 import T5Gemma2
from model.types import CancelledCallback, Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderParts:
    """What the decoders of one model share; None where there is no such part.

    head: another output head than the plain one. layers: in native code. cuda_graphs: captured passes on a GPU.
    prefix_cache: what prompts over a whole document began with. limits: how much they do at once.
    """

    head: OutputHead | None = None
    layers: DecoderLayers | None = None
    cuda_graphs: CudaGraphPool | None = None
    prefix_cache: PrefixCache | None = None
    limits: DecoderLimits = FITTED

    @classmethod
    def of(cls, model: T5Gemma2) -> DecoderParts:
        """The parts that need no loading: CUDA graphs on a GPU, and an empty prefix cache."""
        return cls(cuda_graphs=CudaGraphPool.of(model), prefix_cache=PrefixCache())


class Decoder:
    """Decodes the answers to N questions over the same memories, which are read once a layer and step for all.

    It holds the answers' own keys and values, so each batch of answers makes a decoder of its own.
    """

    def __init__(
        self,
        model: T5Gemma2,
        memories: Sequence[Memory],
        questions: int,
        capacity: int,
        parts: DecoderParts | None = None,
        cancelled: CancelledCallback | None = None,
        *,
        visible_mask: torch.Tensor | None = None,
        return_attention: bool = True,
    ) -> None:
        """`capacity` is the number of prompt and answer tokens that will be decoded at most, of each question.

        visible_mask: (N, T) bool, the document's tokens that each question may attend to; None: all. Without
        `return_attention` the outputs' attention is (N, 0). `cancelled` is asked before every layer, so that a stop
        does not wait for a token; then Cancelled is raised.
        """
        self._parts = parts or DecoderParts()
        self._model = model
        self._device = memories[0].hidden.device
        self._operands = Operands(
            model=model,
            head=self._parts.head or OutputHead(model),
            memories=memories,
            cancelled=cancelled,
            limits=self._parts.limits,
        )
        self._capacity = capacity
        self._return_attention = return_attention
        self._backend: DecoderBackend
        self._state = DecodeState(
            cache=SelfAttentionCache.empty(model, questions, capacity, self._device),
            starts=torch.zeros(questions, dtype=torch.long, device=self._device),
            visible_mask=visible_mask,
        )

    @torch.inference_mode()
    def begin(self, prompts: Sequence[Sequence[int]]) -> DecoderOutput:
        """Decode the prompts; the logits are those of each answer's first token."""
        self._backend = self._choose_backend(len(prompts), max(map(len, prompts)))
        longest = self._backend.padded_length(max(map(len, prompts)))
        padding = [longest - len(prompt) for prompt in prompts]
        self._state.starts = torch.tensor(padding, device=self._device)
        rows = [[0] * missing + list(prompt) for missing, prompt in zip(padding, prompts, strict=True)]
        tokens = torch.tensor(rows, device=self._device)  # (N, longest)
        *earlier, last = tokens.split(max(1, self._parts.limits.prompt_tokens // len(prompts)), dim=1)
        for part in earlier:
            self._backend.forward(self._state, part, return_attention=False)
        return self._backend.forward(self._state, last, return_attention=self._return_attention)

    @torch.inference_mode()
    def step(self, tokens: Sequence[int]) -> DecoderOutput:
        """Decode one more token of each answer; the logits are those of the token that comes next."""
        next_tokens = torch.tensor(tokens, device=self._device)[:, None]
        return self._backend.forward(self._state, next_tokens, return_attention=self._return_attention)

    @torch.inference_mode()
    def select(self, answers: Sequence[int]) -> None:
        """Go on with these answers alone, by their place among those that still run."""
        self._state = self._backend.select(self._state, torch.tensor(answers, device=self._device))

    def _choose_backend(self, questions: int, prompt_tokens: int) -> DecoderBackend:
        """The one place that chooses: what the model's device supports and what is faster for so many tokens."""
        parts, operands = self._parts, self._operands
        if parts.cuda_graphs is not None:
            passes = parts.cuda_graphs.bind(
                operands.on_device(), self._capacity, return_attention=self._return_attention
            )
            padded = passes.padded_length(prompt_tokens)
            return CudaGraphBackend(operands, passes, eager_or_native(operands, None, questions, padded))
        layers = parts.layers.bind(operands.memories) if parts.layers else None
        backend = eager_or_native(operands, layers, questions, prompt_tokens)
        sees_everything = questions == 1 and self._state.visible_mask is None
        if parts.prefix_cache is None or not sees_everything:
            return backend
        return PrefixCachingBackend(backend, parts.prefix_cache, operands.memories)
