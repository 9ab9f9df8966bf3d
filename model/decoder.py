"""The decoder side: question and answer tokens over a memory, through transformers' own modules."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from transformers import T5Gemma2ForConditionalGeneration

from model.attention import SelfAttentionCache, merged_attention
from model.types import Memory

_SCORES_AT_ONCE = 2**21  # question tokens x document tokens: bounds the memory that a long question needs


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderOutput:
    """logits: (vocabulary,) float32 of the last token. attention: (S, T) float32 over the document, layers' mean."""

    logits: torch.Tensor
    attention: torch.Tensor


class Decoder:
    """Decodes one answer over one memory. It holds the answer's own keys and values, so each answer makes its own."""

    def __init__(self, model: T5Gemma2ForConditionalGeneration, memory: Memory, capacity: int) -> None:
        """`capacity` is the number of question and answer tokens that will be decoded at most."""
        self._model = model
        self._memory = memory
        config = model.model.decoder.config
        self._cache = SelfAttentionCache.empty(
            config.num_hidden_layers, config.num_key_value_heads, capacity, config.head_dim, memory.hidden
        )

    def _masks(self, count: int) -> dict[str, torch.Tensor]:
        """Causal masks of `count` new tokens over all so far, (S, past + S); local layers look one window back."""
        past = self._cache.length
        device = self._memory.hidden.device
        distance = torch.arange(past, past + count, device=device)[:, None] - torch.arange(past + count, device=device)
        causal = distance >= 0
        near = distance < (self._model.model.decoder.config.sliding_window or past + count)
        return {"full_attention": causal, "sliding_attention": causal & near}

    def step(self, ids: list[int]) -> DecoderOutput:
        """Decode `ids` behind all earlier ones; the logits are those of the token that comes next."""
        size = max(1, _SCORES_AT_ONCE // max(1, self._memory.hidden.shape[0]))
        outputs = [self._step(ids[first : first + size]) for first in range(0, len(ids), size)]
        attention = torch.cat([output.attention for output in outputs]) if len(outputs) > 1 else outputs[0].attention
        return DecoderOutput(logits=outputs[-1].logits, attention=attention)

    @torch.inference_mode()
    def _step(self, ids: list[int]) -> DecoderOutput:
        decoder = self._model.model.decoder
        device = self._memory.hidden.device
        hidden = decoder.embed_tokens(torch.tensor([ids], device=device))
        past = self._cache.length
        positions = torch.arange(past, past + len(ids), device=device)[None]
        kinds = decoder.config.layer_types
        rotary = {kind: decoder.rotary_emb(hidden, positions, kind) for kind in set(kinds)}
        masks = self._masks(len(ids))
        seen = torch.zeros(len(ids), self._memory.hidden.shape[0], device=device)
        hidden = hidden[0]
        for kind, layer in zip(kinds, decoder.layers, strict=True):
            attended, attention = merged_attention(
                layer.self_attn,
                layer.pre_self_attn_layernorm(hidden),
                rotary[kind],
                masks[kind],
                self._cache,
                self._memory,
            )
            hidden = hidden + layer.post_self_attn_layernorm(attended)
            fed = layer.mlp(layer.pre_feedforward_layernorm(hidden))
            hidden = hidden + layer.post_feedforward_layernorm(fed)
            seen += attention
        self._cache.length += len(ids)
        return DecoderOutput(logits=self._logits(decoder.norm(hidden[-1])), attention=seen / len(kinds))

    def _logits(self, hidden: torch.Tensor) -> torch.Tensor:
        logits = self._model.lm_head(hidden).float()
        softcap = self._model.model.decoder.config.final_logit_softcapping
        return logits if softcap is None else softcap * torch.tanh(logits / softcap)
