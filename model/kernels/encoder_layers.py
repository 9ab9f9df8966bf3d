"""The encoder's layers by a processor's matrix tiles (AMX), each piece of a chunk on a core: `src/encoder_layer.cpp`.

Sixteen tokens lie side by side there, a token a lane; the states stay float32 from the first layer to the last. The
matrices are copied as tiles, 200 MB at 270M: so they are read as fast as products need them. Those of a larger model
are read as they are.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Mapping
from ctypes import POINTER, byref, c_int32
from functools import partial
from typing import Any

import torch
from torch.nn import functional

from model.kernels.huge_pages import HugePages
from model.kernels.layer import UNLIMITED, PackedLayer, memory_for_copies
from model.kernels.library import LANES, TILE_K, tiles_support
from model.kernels.limits import FITTED, NativeLimits
from model.kernels.pointers import pointer
from model.kernels.structs import EncoderChunk, Layer
from model.network.t5gemma2 import Rotary, T5Gemma2, reach
from model.network.threads import parallel_map, pieces


class EncoderLayers:
    """A model's encoder layers, packed for the library. Made once a model, which it keeps alive."""

    def __init__(self, library: ctypes.CDLL, model: T5Gemma2, limits: NativeLimits = FITTED) -> None:
        self._functions = [library.encoder_keys_and_values, library.encoder_layer]
        for function in self._functions:
            function.argtypes, function.restype = [POINTER(Layer), POINTER(EncoderChunk), c_int32, c_int32], None
        self._encoder = model.model.encoder.text_model
        copies = memory_for_copies(self._encoder.layers, limits.copied_numbers)
        self._piece = limits.encoder_piece
        self._layers = [_packed(layer, copies) for layer in self._encoder.layers]

    @staticmethod
    def supports(model: T5Gemma2) -> bool:
        """Whether tiles suit the model's encoder layers, if the processor has them."""
        return tiles_support(model.model.encoder.text_model.layers)

    def bind(self, hidden: torch.Tensor, rotary: Mapping[str, Rotary]) -> NativeChunk:
        """These layers over a chunk's states (T, H). rotary: cos and sin of each kind of layer, (T, D)."""
        return NativeChunk(self._encoder, self._layers, self._functions, hidden, rotary, piece=self._piece)


class NativeChunk:
    """A chunk on its way through the layers."""

    def __init__(
        self,
        encoder: Any,
        layers: list[PackedLayer],
        functions: list[Any],
        hidden: torch.Tensor,
        rotary: Mapping[str, Rotary],
        *,
        piece: int,
    ) -> None:
        self._encoder, self._layers, self._functions, self._piece = encoder, layers, functions, piece
        self._tokens = len(hidden)
        self._hidden = _token_major(hidden.float())
        half = layers[0].head_dim // 2  # the other half is rotated by the same angles
        self._rotary = {kind: [_token_major(table[:, :half]) for table in tables] for kind, tables in rotary.items()}
        padded, width = self._hidden.shape[0] * LANES, layers[0].key_heads * layers[0].head_dim
        self._keys, self._values = (hidden.new_empty(width, padded) for _ in range(2))

    def run_layer(self, index: int) -> Iterator[float]:
        """Run one layer, piece by piece; yields the fraction that is done before each."""
        cos, sin = self._rotary[self._encoder.config.layer_types[index]]
        chunk = self._described(cos, sin)
        parts = pieces(self._tokens, self._piece, TILE_K)
        yield 0.0
        for function in self._functions:
            work: Callable[[slice], None] = partial(_run, function, self._layers[index], chunk)
            for part, _ in zip(parts, parallel_map(work, parts), strict=True):
                if part.stop < self._tokens and function is self._functions[-1]:
                    yield part.stop / self._tokens

    def states(self) -> torch.Tensor:
        """The states behind the encoder's last norm, (T, H)."""
        states = self._keys.new_empty(self._tokens, self._hidden.shape[1])
        for first in range(0, self._tokens, self._piece):
            end = first + self._piece
            part = self._hidden[first // LANES : end // LANES].transpose(1, 2).flatten(0, 1)
            states[first:end] = self._encoder.norm(part[: self._tokens - first])
        return states

    def _described(self, cos: torch.Tensor, sin: torch.Tensor) -> EncoderChunk:
        layer, groups = self._layers[0], -(-self._tokens // TILE_K) * TILE_K // LANES
        table = torch.bfloat16, groups, layer.head_dim // 2, LANES
        heads = torch.bfloat16, layer.key_heads * layer.head_dim, groups * LANES
        return EncoderChunk(
            self._tokens,
            pointer(self._hidden, torch.float32, groups, layer.hidden, LANES),
            pointer(cos, *table),
            pointer(sin, *table),
            pointer(self._keys, *heads),
            pointer(self._values, *heads),
        )


def _packed(layer: Any, copies: HugePages | None) -> PackedLayer:
    window = layer.self_attn.sliding_window
    before, after = (UNLIMITED, UNLIMITED) if window is None else reach(window)
    return PackedLayer(layer, before=before, after=after, copies=copies, tiled=copies is not None)


def _run(function: Any, layer: PackedLayer, chunk: EncoderChunk, part: slice) -> None:
    function(byref(layer), byref(chunk), part.start, part.stop)


def _token_major(rows: torch.Tensor) -> torch.Tensor:
    """Rows (T, M), a token each, as native code has them: (T / 16, M, 16), padded with zeros."""
    padded = functional.pad(rows, (0, 0, 0, -len(rows) % TILE_K))
    return padded.unflatten(0, (-1, LANES)).transpose(1, 2).contiguous()
