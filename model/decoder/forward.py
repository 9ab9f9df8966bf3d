"""One forward pass of new tokens through the decoder's layers, over a document and over the tokens before them."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from model.decoder.attention import merged_attention
from model.decoder.document_forms import DocumentForm
from model.decoder.output_head import OutputHead
from model.errors import raise_if_cancelled
from model.network.kv_cache import SelfAttentionCache
from model.network.linear import feed_forward
from model.network.residency import weights_on_device
from model.network.t5gemma2 import Rotary, T5Gemma2
from model.types import CancelledCallback

ANSWER_STOPPED = "Stopped before the answer began."  # once it has begun, what there is of it is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderOutput:
    """What the decoder gives for the last token of each of N questions over T document tokens.

    logits: (N, vocabulary) float32. attention: (N, T) float32, attention over the document, mean over layers and heads.
    middle_layer_attention: (N, T) float32, that of the middle global layer alone. The mean follows the words that are
    being written; the middle layer, before the first of them, finds the place that is asked about (measured with
    `python -m app.bench evidence`). Both are (N, 0) where attention was not asked for.
    """

    logits: torch.Tensor
    attention: torch.Tensor
    middle_layer_attention: torch.Tensor


@dataclass(slots=True, kw_only=True)
class DecodeState:
    """N answers as far as they are decoded.

    starts: (N,) long, where each begins in the cache: prompts of unequal length are aligned at their ends, and the
    padding before a short one is masked. visible_mask: (N, T) bool, the document's tokens that each answer may attend
    to; None: all.
    """

    cache: SelfAttentionCache
    starts: torch.Tensor
    visible_mask: torch.Tensor | None

    def select(self, answers: torch.Tensor) -> DecodeState:
        """A copy with these answers alone, (M,) indices; an answer may be selected several times."""
        return DecodeState(
            cache=self.cache.select(answers),
            starts=self.starts[answers],
            visible_mask=None if self.visible_mask is None else self.visible_mask[answers],
        )

    def rebind(self, other: DecodeState) -> None:
        """Go on with the tensors of another state."""
        self.cache, self.starts, self.visible_mask = other.cache, other.starts, other.visible_mask


def forward(
    model: T5Gemma2,
    head: OutputHead,
    document: DocumentForm,
    state: DecodeState,
    hidden: torch.Tensor,
    positions: torch.Tensor,
    *,
    key_count: int,
    return_attention: bool,
    cancelled: CancelledCallback | None = None,
) -> DecoderOutput:
    """Run new tokens' embeddings (N, S, H) through all layers with PyTorch's operations.

    positions: (S,) long, the new tokens' places in the cache. Each token sees at most the first `key_count` entries of
    the cache. Keys and values are written into `state.cache`, whose length the caller advances. Raises Cancelled before
    a layer.
    """
    decoder = model.model.decoder
    rotary, biases = rotary_at(model, state, hidden, positions), _biases(model, state, positions, key_count)
    attention_by_layer = []
    for kind, layer in zip(decoder.config.layer_types, decoder.layers, strict=True):
        raise_if_cancelled(cancelled, ANSWER_STOPPED)
        with weights_on_device(layer):
            attended, attention = merged_attention(
                layer.self_attn,
                layer.pre_self_attn_layernorm(hidden),
                rotary[kind],
                biases[kind],
                state.cache,
                document,
                visible_mask=state.visible_mask,
                return_attention=return_attention,
            )
            hidden = hidden + layer.post_self_attn_layernorm(attended)
            fed = feed_forward(layer.mlp, layer.pre_feedforward_layernorm(hidden))
            hidden = hidden + layer.post_feedforward_layernorm(fed)
            attention_by_layer.append(attention)
    return decoder_output(model, head, hidden[:, -1], torch.stack(attention_by_layer))


def rotary_at(model: T5Gemma2, state: DecodeState, like: torch.Tensor, positions: torch.Tensor) -> dict[str, Rotary]:
    """Cosines and sines (N, S, D) of new tokens at `positions` (S,) of the cache, in like's dtype, by kind of layer."""
    decoder = model.model.decoder
    within_answer = (positions - state.starts[:, None]).clamp(min=0)
    return {kind: decoder.rotary_emb(like, within_answer, kind) for kind in set(decoder.config.layer_types)}


def decoder_output(
    model: T5Gemma2, head: OutputHead, hidden: torch.Tensor, attention_by_layer: torch.Tensor
) -> DecoderOutput:
    """From the last tokens' states (N, H) and each layer's attention over the document, (L, N, T)."""
    decoder = model.model.decoder
    kinds = decoder.config.layer_types
    global_layers = [index for index, kind in enumerate(kinds) if kind == "full_attention"] or range(len(kinds))
    return DecoderOutput(
        logits=head(decoder.norm(hidden)),
        attention=attention_by_layer.mean(0),
        middle_layer_attention=attention_by_layer[global_layers[len(global_layers) // 2]],
    )


def _biases(model: T5Gemma2, state: DecodeState, positions: torch.Tensor, key_count: int) -> dict[str, torch.Tensor]:
    """What is added to the scores of new tokens over the first keys of the cache, by kind of layer.

    (N, 1, G * S, key_count) float32, 0 or minus infinity: causal, and in local layers one sliding window back.
    """
    config = model.model.decoder.config
    keys = torch.arange(key_count, device=positions.device)
    distance = positions[:, None] - keys
    causal = (distance >= 0) & (keys >= state.starts[:, None, None])
    near = distance < (config.sliding_window or key_count)
    groups = config.num_attention_heads // config.num_key_value_heads
    return {
        kind: torch.where(seen, 0.0, -torch.inf).repeat(1, groups, 1)[:, None]
        for kind, seen in (("full_attention", causal), ("sliding_attention", causal & near))
    }
