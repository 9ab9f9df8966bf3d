"""The encoder's layers by a processor's matrix tiles (AMX), each piece of a window on a core: `encoder_layer.cpp`.

Sixteen tokens lie side by side there, a token a lane; the states stay float32 from the first layer to the last. The
matrices are copied as tiles, 200 MB at 270M: read so, they keep up with the multiplying better. Those of a larger model
are read as they lie.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Mapping
from ctypes import POINTER, Structure, byref, c_int32, c_void_p
from functools import partial
from typing import Any

import torch
from torch.nn import functional

from model.kernels.large_pages import LargePages
from model.kernels.layer import ALL, Layer, room_for_copies
from model.kernels.library import TILE_ROW, tiles_suit
from model.kernels.pointers import pointer
from model.network.t5gemma2 import Rotary, T5Gemma2, reach
from model.network.threads import parallel_map, pieces

_LANES = 16
_PIECE = 512  # tokens that go through a layer together: the more, the less often weights are read; these fit the cache


class _Window(Structure):
    _fields_ = [("tokens", c_int32), *((name, c_void_p) for name in ("hidden", "cos", "sin", "keys", "values"))]


class EncoderLayers:
    """A model's encoder layers, as the library wants them. Made once a model, which it keeps alive."""

    def __init__(self, library: ctypes.CDLL, model: T5Gemma2) -> None:
        self._functions = [library.encoder_keys_and_values, library.encoder_layer]
        for function in self._functions:
            function.argtypes, function.restype = [POINTER(Layer), POINTER(_Window), c_int32, c_int32], None
        self._encoder = model.model.encoder.text_model
        copies = room_for_copies(self._encoder.layers)
        self._layers = [_layer(layer, copies) for layer in self._encoder.layers]

    @staticmethod
    def supports(model: T5Gemma2) -> bool:
        """Whether tiles suit the model's encoder layers, if the processor has them."""
        return tiles_suit(model.model.encoder.text_model.layers)

    def over(self, hidden: torch.Tensor, rotary: Mapping[str, Rotary]) -> WindowOfLayers:
        """These layers over a window of states (T, H). rotary: cos and sin of each kind of layer, (T, D)."""
        return WindowOfLayers(self._encoder, self._layers, self._functions, hidden, rotary)


class WindowOfLayers:
    """A window on its way through the layers."""

    def __init__(
        self,
        encoder: Any,
        layers: list[Layer],
        functions: list[Any],
        hidden: torch.Tensor,
        rotary: Mapping[str, Rotary],
    ) -> None:
        self._encoder, self._layers, self._functions = encoder, layers, functions
        self._tokens = len(hidden)
        self._hidden = _columns(hidden.float())
        half = layers[0].head_dim // 2  # the other half turns by the same angles
        self._rotary = {kind: [_columns(table[:, :half]) for table in tables] for kind, tables in rotary.items()}
        padded, width = self._hidden.shape[0] * _LANES, layers[0].key_heads * layers[0].head_dim
        self._keys, self._values = (hidden.new_empty(width, padded) for _ in range(2))

    def through(self, index: int) -> Iterator[float]:
        """Through one layer, piece by piece; yields the fraction done before each."""
        cos, sin = self._rotary[self._encoder.config.layer_types[index]]
        window = self._window(cos, sin)
        parts = pieces(self._tokens, _PIECE, TILE_ROW)
        yield 0.0
        for function in self._functions:
            work: Callable[[slice], None] = partial(_run, function, self._layers[index], window)
            for part, _ in zip(parts, parallel_map(work, parts), strict=True):
                if part.stop < self._tokens and function is self._functions[-1]:
                    yield part.stop / self._tokens

    def _window(self, cos: torch.Tensor, sin: torch.Tensor) -> _Window:
        layer, blocks = self._layers[0], -(-self._tokens // TILE_ROW) * TILE_ROW // _LANES
        table = torch.bfloat16, blocks, layer.head_dim // 2, _LANES
        heads = torch.bfloat16, layer.key_heads * layer.head_dim, blocks * _LANES
        return _Window(
            self._tokens,
            pointer(self._hidden, torch.float32, blocks, layer.hidden, _LANES),
            pointer(cos, *table),
            pointer(sin, *table),
            pointer(self._keys, *heads),
            pointer(self._values, *heads),
        )

    def states(self) -> torch.Tensor:
        """The states behind the encoder's last norm, (T, H)."""
        states = self._keys.new_empty(self._tokens, self._hidden.shape[1])
        for first in range(0, self._tokens, _PIECE):
            part = self._hidden[first // _LANES : (first + _PIECE) // _LANES].transpose(1, 2).flatten(0, 1)
            states[first : first + _PIECE] = self._encoder.norm(part[: self._tokens - first])
        return states


def _layer(layer: Any, copies: LargePages | None) -> Layer:
    window = layer.self_attn.sliding_window
    behind, ahead = (ALL, ALL) if window is None else reach(window)
    return Layer(layer, behind=behind, ahead=ahead, copies=copies, tiled=copies is not None)


def _run(function: Any, layer: Layer, window: _Window, part: slice) -> None:
    function(byref(layer), byref(window), part.start, part.stop)


def _columns(rows: torch.Tensor) -> torch.Tensor:
    """Rows (T, M) as native code has them: (T / 16, M, 16), padded with zeros."""
    padded = functional.pad(rows, (0, 0, 0, -len(rows) % TILE_ROW))
    return padded.unflatten(0, (-1, _LANES)).transpose(1, 2).contiguous()
