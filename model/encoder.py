"""The encoder side: token ids -> hidden states, through the modules of a T5Gemma 2.

Piece by piece within each layer: the memory that a window needs grows with its length alone, progress moves, and a
person can stop between two pieces. A CPU's cores take a piece each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch

from model.cores import side_by_side
from model.encoder_attention import global_attention, local_attention
from model.errors import Cancelled
from model.products import feed_forward
from model.resident import resident
from model.t5gemma2 import Layer, Rotary, T5Gemma2, rotated
from model.types import CancelledCallback
from model.vision.features import input_embeddings

_SHORT_WINDOW = 1024  # tokens, up to which there are too few pieces to share out among cores
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
                heed(cancelled)
                if progress is not None:
                    progress((index + done) / len(encoder.layers))
    return encoder.norm(hidden)


def heed(cancelled: CancelledCallback | None) -> None:
    """Raises Cancelled where the person stopped the reading."""
    if cancelled is not None and cancelled():
        raise Cancelled("Reading was stopped. What was read of this document is not kept.")


def windows_side_by_side(size: int, device: torch.device) -> bool:
    """Whether windows of that many tokens are read several at a time, a core each, or one after the other by all."""
    return device.type == "cpu" and size <= _SHORT_WINDOW


def _through_layer(layer: Layer, hidden: torch.Tensor, rotary: Rotary) -> Iterator[float]:
    """Replace hidden (T, H) by what the layer makes of it, piece by piece; yields the fraction done before each."""
    total = len(hidden)
    size = _piece_size(total, hidden.device, is_sliding=layer.self_attn.is_sliding)
    yield 0.0
    keys, values = _keys_and_values(layer, hidden, rotary)
    work = partial(_through_piece, layer, hidden, keys, values, rotary)
    for done in _shared_out(work, total, size, hidden.device):
        if done < total:
            yield done / total


def _shared_out(work: Callable[[slice], None], total: int, size: int, device: torch.device) -> Iterator[int]:
    """Do the work piece by piece, on a CPU several at a time; yields how many tokens are done after each."""
    pieces = [slice(first, min(first + size, total)) for first in range(0, total, size)]
    done = side_by_side(work, pieces) if device.type == "cpu" else map(work, pieces)
    for piece, _ in zip(pieces, done, strict=True):
        yield piece.stop


@torch.inference_mode()
def _through_piece(
    layer: Layer, hidden: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, rotary: Rotary, part: slice
) -> None:
    """Replace a part of hidden (T, H); keys and values are those of all of it, (K, T, D)."""
    attention, piece = layer.self_attn, hidden[part]
    queries = attention.q_proj(layer.pre_self_attn_layernorm(piece)).unflatten(-1, (-1, attention.head_dim))
    queries = _rotated(attention.q_norm(queries), rotary, part)
    queries = queries.unflatten(0, (len(keys), -1))  # (K, G, S, D)
    if attention.sliding_window is None:
        attended = global_attention(queries, keys, values, attention.scaling)
    else:
        attended = local_attention(queries, keys, values, attention.scaling, part.start, attention.sliding_window)
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

    @torch.inference_mode()
    def make(part: slice) -> None:
        normed = layer.pre_self_attn_layernorm(hidden[part])
        made = attention.k_norm(attention.k_proj(normed).unflatten(-1, (-1, attention.head_dim)))
        keys[:, part] = _rotated(made, rotary, part)
        values[:, part] = attention.v_proj(normed).unflatten(-1, (-1, attention.head_dim)).transpose(0, 1)

    size = _piece_size(len(hidden), hidden.device, is_sliding=True)
    for _ in _shared_out(make, len(hidden), size, hidden.device):
        pass
    return keys, values


def _rotated(heads: torch.Tensor, rotary: Rotary, part: slice) -> torch.Tensor:
    """RoPE for heads (S, heads, D) of a part of the tokens, as (heads, S, D)."""
    cos, sin = (table[:, part] for table in rotary)
    return rotated(heads.transpose(0, 1)[None], (cos, sin))[0]
