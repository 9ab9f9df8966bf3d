"""One pass of new tokens through the decoder's layers, over a document and what stands before them."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from model.decoder.attention import merged_attention
from model.decoder.document_forms import DocumentForm
from model.decoder.output_head import OutputHead
from model.errors import heed
from model.network.kv_cache import SelfAttentionCache
from model.network.linear import feed_forward
from model.network.residency import resident
from model.network.t5gemma2 import Rotary, T5Gemma2
from model.types import CancelledCallback

ANSWER_STOPPED = "Stopped before the answer began."  # later there is one, which is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderOutput:
    """Of the last token of each question. logits: (N, vocabulary) float32. attention: (N, T) float32, layers' mean.

    sought: (N, T) float32, the attention of the middle global layer. Layers' mean follows the words that are being
    written; this layer, before the first of them, finds the place that is asked about (measured: `evidence` bench).
    """

    logits: torch.Tensor
    attention: torch.Tensor
    sought: torch.Tensor


@dataclass(slots=True, kw_only=True)
class Running:
    """N answers as far as they are written.

    starts: (N,) long, where each begins in the cache: questions of unequal length are aligned at their ends, and what
    stands before a short one is masked. shown: (N, T) bool, the document's rows that each may look at; None: all.
    """

    cache: SelfAttentionCache
    starts: torch.Tensor
    shown: torch.Tensor | None

    def taken(self, answers: torch.Tensor) -> Running:
        """These alone, (M,) indices; one may go on in several ways."""
        return Running(
            cache=self.cache.taken(answers),
            starts=self.starts[answers],
            shown=None if self.shown is None else self.shown[answers],
        )


def go_through(
    model: T5Gemma2,
    head: OutputHead,
    document: DocumentForm,
    running: Running,
    hidden: torch.Tensor,
    at: torch.Tensor,
    *,
    rows: int,
    looking: bool,
    cancelled: CancelledCallback | None = None,
) -> DecoderOutput:
    """New tokens' embeddings (N, S, H), for the places `at` (S,) of the cache, of which each sees the first `rows`.

    Raises Cancelled where it was `cancelled` before a layer.
    """
    decoder = model.model.decoder
    rotary, biases = rotary_at(model, running, hidden, at), _biases(model, running, at, rows)
    looks = []
    for kind, layer in zip(decoder.config.layer_types, decoder.layers, strict=True):
        heed(cancelled, ANSWER_STOPPED)
        with resident(layer):
            attended, attention = merged_attention(
                layer.self_attn,
                layer.pre_self_attn_layernorm(hidden),
                rotary[kind],
                biases[kind],
                running.cache,
                document,
                shown=running.shown,
                looking=looking,
            )
            hidden = hidden + layer.post_self_attn_layernorm(attended)
            fed = feed_forward(layer.mlp, layer.pre_feedforward_layernorm(hidden))
            hidden = hidden + layer.post_feedforward_layernorm(fed)
            looks.append(attention)
    return output_of(model, head, hidden[:, -1], torch.stack(looks))


def rotary_at(model: T5Gemma2, running: Running, like: torch.Tensor, at: torch.Tensor) -> dict[str, Rotary]:
    """Cos and sin of new tokens `at` (S,), in like's dtype, by kind of layer."""
    decoder = model.model.decoder
    positions = (at - running.starts[:, None]).clamp(min=0)
    return {kind: decoder.rotary_emb(like, positions, kind) for kind in set(decoder.config.layer_types)}


def output_of(model: T5Gemma2, head: OutputHead, hidden: torch.Tensor, looks: torch.Tensor) -> DecoderOutput:
    """Of the last tokens' states (N, H), and each layer's attention (L, N, T)."""
    decoder = model.model.decoder
    kinds = decoder.config.layer_types
    wide = [index for index, kind in enumerate(kinds) if kind == "full_attention"] or range(len(kinds))
    return DecoderOutput(
        logits=head(decoder.norm(hidden)),
        attention=looks.mean(0),
        sought=looks[wide[len(wide) // 2]],
    )


def _biases(model: T5Gemma2, running: Running, at: torch.Tensor, rows: int) -> dict[str, torch.Tensor]:
    """What scores of new tokens `at` (S,) over so many rows get, (N, 1, G * S, rows) float32: 0 or minus infinity.

    Causal, and local layers look one window back.
    """
    config = model.model.decoder.config
    keys = torch.arange(rows, device=at.device)
    distance = at[:, None] - keys
    causal = (distance >= 0) & (keys >= running.starts[:, None, None])
    near = distance < (config.sliding_window or rows)
    groups = config.num_attention_heads // config.num_key_value_heads
    return {
        kind: torch.where(seen, 0.0, -torch.inf).repeat(1, groups, 1)[:, None]
        for kind, seen in (("full_attention", causal), ("sliding_attention", causal & near))
    }
