"""The encoder: token ids to hidden states, through the modules of a T5Gemma 2.

Each layer processes a chunk piece by piece: memory grows linearly with its length, progress can be shown, and a person
can stop between two pieces. On a CPU each core takes a piece.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from model.encoder.attention import global_attention, local_attention, sliding_window_bias
from model.encoder.vision.features import image_tokens
from model.errors import raise_if_cancelled
from model.kernels.encoder_layers import NativeChunk
from model.kernels.parts import NativeParts
from model.network.cpu_features import has_any
from model.network.residency import weights_on_device
from model.network.row_ops import RowOps
from model.network.t5gemma2 import Layer, Rotary, T5Gemma2
from model.network.threads import parallel_map
from model.types import CancelledCallback

READING_STOPPED = "Reading was stopped. What was read of this document is not kept."
_SHORT_CHUNK = 1024  # tokens: shorter chunks have too few pieces to keep all cores busy
_AMX_TIMES = 16  # times as many with AMX, so that keys are read less often
_GPU_TIMES = 32  # times as many on a GPU


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceSizes:
    """How many tokens of a chunk go through a layer together, as the benchmarks found it best for a CPU.

    most: tokens, so few that a piece's intermediate results stay in a core's cache. pairs: the most queries times keys
    of a piece in a global layer, which bounds how long a stop has to wait, but never fewer than `fewest` tokens.
    """

    most: int = 512
    fewest: int = 128
    pairs: int = 2**22


FITTED = PieceSizes()


@torch.inference_mode()
def encode_chunk(
    model: T5Gemma2,
    ids: torch.Tensor,
    cancelled: CancelledCallback | None = None,
    *,
    image_features: torch.Tensor | None = None,
    progress: Callable[[float], None] | None = None,
    native: NativeParts | None = None,
    sizes: PieceSizes = FITTED,
) -> torch.Tensor:
    """Encode one chunk: token ids (T,) that begin with `<bos>` to the encoder's last hidden states (T, H).

    image_features: (N, H), one for each image token among the ids. `progress` gets the fraction that is done. `native`:
    the model's parts in native code. `sizes`: of the pieces where the layers are PyTorch's. Raises Cancelled between
    two pieces.
    """
    layers = model.model.encoder.text_model.layers
    chunk = _begin(model, ids, image_features, native or NativeParts(), sizes)
    for index, layer in enumerate(layers):
        with weights_on_device(layer):
            for done in chunk.run_layer(index):
                raise_if_cancelled(cancelled, READING_STOPPED)
                if progress is not None:
                    progress((index + done) / len(layers))
    return chunk.states()


def _begin(
    model: T5Gemma2, ids: torch.Tensor, image_features: torch.Tensor | None, native: NativeParts, sizes: PieceSizes
) -> _Chunk | NativeChunk:
    """The chunk before its first layer."""
    encoder = model.model.encoder.text_model
    hidden = input_embeddings(model, ids, image_features)[None]
    positions = torch.arange(ids.shape[0], device=ids.device)[None]
    rotary = {}
    for kind in set(encoder.config.layer_types):
        cos, sin = encoder.rotary_emb(hidden, positions, kind)
        rotary[kind] = cos[0], sin[0]
    if native.encoder_layers is not None:
        return native.encoder_layers.bind(hidden[0], rotary)
    return _Chunk(encoder, hidden[0], rotary, native.encoder_rows or RowOps(), sizes)


def chunks_in_parallel(size: int, device: torch.device) -> bool:
    """Whether chunks of that many tokens are encoded in parallel, a core each, or one after the other by all cores."""
    return device.type == "cpu" and size <= _SHORT_CHUNK


class _Chunk:
    """A chunk on its way through the encoder's layers: hidden states (T, H)."""

    def __init__(
        self, encoder: Any, hidden: torch.Tensor, rotary: Mapping[str, Rotary], rows: RowOps, sizes: PieceSizes
    ) -> None:
        self._encoder, self._hidden, self._rotary, self._rows, self._sizes = encoder, hidden, rotary, rows, sizes
        self._near = sliding_window_bias(hidden, encoder.config.sliding_window)

    def run_layer(self, index: int) -> Iterator[float]:
        """Run one layer, piece by piece; yields the fraction that is done before each."""
        rotary = self._rotary[self._encoder.config.layer_types[index]]
        layer = self._encoder.layers[index]
        one = _Pass(
            layer=layer, hidden=self._hidden, rotary=rotary, near=self._near, rows=self._rows, sizes=self._sizes
        )
        return one.pieces()

    def states(self) -> torch.Tensor:
        """The states after the encoder's final norm, (T, H)."""
        states: torch.Tensor = self._encoder.norm(self._hidden)
        return states


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pass:
    """One layer's pass over the hidden states (T, H). rotary: cos and sin, (T, D). near: `sliding_window_bias`."""

    layer: Layer
    hidden: torch.Tensor
    rotary: Rotary
    near: torch.Tensor | None
    rows: RowOps
    sizes: PieceSizes

    def pieces(self) -> Iterator[float]:
        """Apply the layer to the hidden states in place, piece by piece; yields the fraction done before each."""
        total = len(self.hidden)
        size = _piece_size(self.hidden, self.sizes, is_sliding=self.layer.self_attn.is_sliding)
        yield 0.0
        keys, values = self._keys_and_values()
        for done in _shared_out(partial(self._run_piece, keys, values), total, size, self.hidden.device):
            if done < total:
                yield done / total

    def _keys_and_values(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values of all tokens, each (K, T, D), computed before the pieces overwrite the states."""
        attention, hidden = self.layer.self_attn, self.hidden
        shape = (attention.config.num_key_value_heads, len(hidden), attention.head_dim)
        keys, values = hidden.new_empty(shape), hidden.new_empty(shape)

        @torch.inference_mode()
        def make(part: slice) -> None:
            normed = self.rows.normed(self.layer.pre_self_attn_layernorm, hidden[part])
            self.rows.heads(attention.k_norm, attention.k_proj(normed), self._rotary(part), keys[:, part])
            values[:, part] = attention.v_proj(normed).unflatten(-1, (-1, attention.head_dim)).transpose(0, 1)

        size = _piece_size(hidden, self.sizes, is_sliding=True)
        for _ in _shared_out(make, len(hidden), size, hidden.device):
            pass
        return keys, values

    @torch.inference_mode()
    def _run_piece(self, keys: torch.Tensor, values: torch.Tensor, part: slice) -> None:
        """Apply the layer to a part of the hidden states, in place; keys and values are those of all tokens."""
        layer, rows, piece = self.layer, self.rows, self.hidden[part]
        attention = layer.self_attn
        projected = attention.q_proj(rows.normed(layer.pre_self_attn_layernorm, piece))
        heads = projected.new_empty(attention.config.num_attention_heads, len(piece), attention.head_dim)
        rows.heads(attention.q_norm, projected, self._rotary(part), heads)
        attended = self._attended(heads.unflatten(0, (len(keys), -1)), keys, values, part)
        by_token = attended.permute(2, 0, 1, 3).flatten(1)  # (S, K * G * D)
        rows.add_normed(layer.post_self_attn_layernorm, attention.o_proj(by_token), piece)
        fed = rows.feed_forward(layer.mlp, rows.normed(layer.pre_feedforward_layernorm, piece))
        rows.add_normed(layer.post_feedforward_layernorm, fed, piece)

    def _attended(self, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, part: slice) -> torch.Tensor:
        """Queries (K, G, S, D) of a part over keys and values -> (K, G, S, D)."""
        attention = self.layer.self_attn
        if attention.sliding_window is None:
            return global_attention(queries, keys, values, attention.scaling)
        if self.near is not None:
            return global_attention(queries, keys, values, attention.scaling, self.near[part])
        return local_attention(queries, keys, values, attention.scaling, part.start, attention.sliding_window)

    def _rotary(self, part: slice) -> Rotary:
        cos, sin = self.rotary
        return cos[part], sin[part]


def _shared_out(work: Callable[[slice], None], total: int, size: int, device: torch.device) -> Iterator[int]:
    """Do the work piece by piece, on a CPU in parallel; yields how many tokens are done after each."""
    pieces = [slice(first, min(first + size, total)) for first in range(0, total, size)]
    done = parallel_map(work, pieces) if device.type == "cpu" else map(work, pieces)
    for piece, _ in zip(pieces, done, strict=True):
        yield piece.stop


def _piece_size(hidden: torch.Tensor, sizes: PieceSizes, *, is_sliding: bool) -> int:
    """How many queries go through a layer together: as many as fit the processor, and a stop can wait for."""
    times = 1 if hidden.device.type == "cpu" else _GPU_TIMES
    if is_sliding:
        return times * sizes.most
    pairs_times = _AMX_TIMES if hidden.dtype == torch.bfloat16 and times == 1 and has_any("amx_bf16") else times
    return max(sizes.fewest, min(times * sizes.most, pairs_times * sizes.pairs // len(hidden)))


def input_embeddings(model: T5Gemma2, ids: torch.Tensor, image_features: torch.Tensor | None) -> torch.Tensor:
    """What enters the encoder's first layer, (T, H): embeddings of the ids, (T,), and at image tokens what was seen."""
    embeddings = model.model.encoder.text_model.embed_tokens(ids.long())
    if image_features is not None:
        embeddings[ids == image_tokens(model).soft] = image_features.to(embeddings.device, embeddings.dtype)
    return embeddings
