"""The encoder side: token ids -> hidden states, through the modules of a T5Gemma 2.

Piece by piece within each layer: the memory that a window needs grows with its length alone, progress moves, and a
person can stop between two pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch

from model.encoder_attention import global_attention, local_attention
from model.errors import Cancelled
from model.products import feed_forward
from model.resident import resident
from model.t5gemma2 import Layer, Rotary, T5Gemma2, rotated
from model.types import CancelledCallback
from model.vision.features import input_embeddings

_PIECE = 512  # tokens that go through a layer together: what is made of them stays in a core's cache
_SMALLEST_PIECE = 128
_PAIRS_AT_ONCE = 2**22  # queries x keys of a piece in a global layer: how long a stop may have to wait
_GPU_TIMES = 32  # a GPU has room and haste for larger pieces


@torch.inference_mode()
def encode_window(
    model: T5Gemma2,
    ids: torch.Tensor,
    cancelled: CancelledCallback | None = None,
    *,
    image_features: torch.Tensor | None = None,
    progress: Callable[[float], None] | None = None,
) -> torch.Tensor:
    """The encoder's last hidden states, (T, H), of one window of token ids, (T,), that begins with `<bos>`.

    image_features: (N, H), what was seen, a row for each image token among the ids. `progress` gets the fraction that
    is done. Raises Cancelled between two pieces.
    """
    encoder = model.model.encoder.text_model
    config = encoder.config
    hidden = input_embeddings(model, ids, image_features)[None]
    positions = torch.arange(ids.shape[0], device=ids.device)[None]
    rotary = {kind: encoder.rotary_emb(hidden, positions, kind) for kind in set(config.layer_types)}
    hidden = hidden[0]
    for index, (kind, layer) in enumerate(zip(config.layer_types, encoder.layers, strict=True)):
        with resident(layer):
            for done in _through_layer(layer, hidden, rotary[kind]):
                if cancelled is not None and cancelled():
                    raise Cancelled("Reading was stopped. What was read of this document is not kept.")
                if progress is not None:
                    progress((index + done) / len(encoder.layers))
    return encoder.norm(hidden)


def _through_layer(layer: Layer, hidden: torch.Tensor, rotary: Rotary) -> Iterator[float]:
    """Replace hidden (T, H) by what the layer makes of it, piece by piece; yields the fraction done before each."""
    attention = layer.self_attn
    total = len(hidden)
    size = _piece_size(total, hidden.device, is_sliding=attention.is_sliding)
    yield 0.0
    keys, values = _keys_and_values(layer, hidden, rotary)
    for first in range(0, total, size):
        if first:
            yield first / total
        piece = hidden[first : first + size]
        queries = attention.q_proj(layer.pre_self_attn_layernorm(piece)).unflatten(-1, (-1, attention.head_dim))
        queries = _rotated(attention.q_norm(queries), rotary, first)
        queries = queries.unflatten(0, (len(keys), -1))  # (K, G, S, D)
        if attention.sliding_window is None:
            attended = global_attention(queries, keys, values, attention.scaling)
        else:
            attended = local_attention(queries, keys, values, attention.scaling, first, attention.sliding_window)
        by_token = attended.permute(2, 0, 1, 3).flatten(1)  # (S, K * G * D)
        piece += layer.post_self_attn_layernorm(attention.o_proj(by_token))
        piece += layer.post_feedforward_layernorm(feed_forward(layer.mlp, layer.pre_feedforward_layernorm(piece)))


def _piece_size(total: int, device: torch.device, *, is_sliding: bool) -> int:
    """How many queries go through a layer together: as many as fit the processor, and a stop can wait for."""
    times = 1 if device.type == "cpu" else _GPU_TIMES
    if is_sliding:
        return times * _PIECE
    return max(_SMALLEST_PIECE, min(times * _PIECE, times * _PAIRS_AT_ONCE // total))


def _keys_and_values(layer: Layer, hidden: torch.Tensor, rotary: Rotary) -> tuple[torch.Tensor, torch.Tensor]:
    """Of all tokens, each (K, T, D): before the layer's pieces change the states that they are made of."""
    attention = layer.self_attn
    shape = (attention.config.num_key_value_heads, len(hidden), attention.head_dim)
    keys, values = hidden.new_empty(shape), hidden.new_empty(shape)
    size = _piece_size(len(hidden), hidden.device, is_sliding=True)
    for first in range(0, len(hidden), size):
        part = slice(first, first + size)
        normed = layer.pre_self_attn_layernorm(hidden[part])
        made = attention.k_norm(attention.k_proj(normed).unflatten(-1, (-1, attention.head_dim)))
        keys[:, part] = _rotated(made, rotary, first)
        values[:, part] = attention.v_proj(normed).unflatten(-1, (-1, attention.head_dim)).transpose(0, 1)
    return keys, values


def _rotated(heads: torch.Tensor, rotary: Rotary, first: int) -> torch.Tensor:
    """RoPE for heads (S, heads, D) of the tokens from position `first` on, as (heads, S, D)."""
    cos, sin = (table[:, first : first + len(heads)] for table in rotary)
    return rotated(heads.transpose(0, 1)[None], (cos, sin))[0]
