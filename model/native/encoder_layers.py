"""The encoder's layers by a processor's matrix tiles (AMX), each piece of a window on a core: `encoder_layer.cpp`.

Sixteen tokens lie side by side there, a token a lane; the states stay float32 from the first layer to the last. The
matrices are copied as tiles, 200 MB at 270M: read so, they keep up with the multiplying.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Mapping
from ctypes import POINTER, Structure, byref, c_int32, c_void_p
from functools import partial
from typing import Any

import torch
from torch.nn import functional

from model.cores import side_by_side
from model.encoder_attention import reach
from model.native.layer import ALL, Layer
from model.native.library import suits
from model.t5gemma2 import Rotary, T5Gemma2

_LANES = 16
_DEPTH = 32  # numbers of a tile's row: sizes are multiples of it, and windows are padded to one
_PIECE = 512  # tokens that go through a layer together: the more, the less often weights are read; these fit the cache


class _Window(Structure):
    _fields_ = [("tokens", c_int32), *((name, c_void_p) for name in ("hidden", "cos", "sin", "keys", "values"))]


class EncoderLayers:
    """A model's encoder layers, as the library wants them. Made once a model."""

    def __init__(self, library: ctypes.CDLL, model: T5Gemma2) -> None:
        self._functions = [library.encoder_keys_and_values, library.encoder_layer]
        for function in self._functions:
            function.argtypes, function.restype = [POINTER(Layer), POINTER(_Window), c_int32, c_int32], None
        self._encoder = model.model.encoder.text_model
        self._layers = [_layer(layer) for layer in self._encoder.layers]

    @staticmethod
    def fit(model: T5Gemma2) -> bool:
        """Whether tiles suit the model's encoder layers, if the processor has them."""
        layers = model.model.encoder.text_model.layers
        sizes = {size for weight in layers.parameters() for size in weight.shape} | {layers[0].self_attn.head_dim}
        in_bfloat16 = all(suits(weight) and weight.dtype == torch.bfloat16 for weight in layers.parameters())
        return in_bfloat16 and not any(size % _DEPTH for size in sizes)

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
        self._keys, self._values = (hidden.new_empty(padded * width) for _ in range(2))

    def through(self, index: int) -> Iterator[float]:
        """Through one layer, piece by piece; yields the fraction done before each."""
        cos, sin = self._rotary[self._encoder.config.layer_types[index]]
        tables = (self._hidden, cos, sin, self._keys, self._values)
        window = _Window(self._tokens, *(table.data_ptr() for table in tables))
        pieces = _pieces(self._tokens)
        yield 0.0
        for function in self._functions:
            work: Callable[[tuple[int, int]], None] = partial(_run, function, self._layers[index], window)
            for (_, end), _ in zip(pieces, side_by_side(work, pieces), strict=True):
                if end < self._tokens and function is self._functions[-1]:
                    yield end / self._tokens

    def states(self) -> torch.Tensor:
        """The states behind the encoder's last norm, (T, H)."""
        states = self._keys.new_empty(self._tokens, self._hidden.shape[1])
        for first in range(0, self._tokens, _PIECE):
            part = self._hidden[first // _LANES : (first + _PIECE) // _LANES].transpose(1, 2).flatten(0, 1)
            states[first : first + _PIECE] = self._encoder.norm(part[: self._tokens - first])
        return states


def _layer(layer: Any) -> Layer:
    window = layer.self_attn.sliding_window
    behind, ahead = (ALL, ALL) if window is None else reach(window)
    return Layer(layer, behind=behind, ahead=ahead, tiled=True)


def _run(function: Any, layer: Layer, window: _Window, piece: tuple[int, int]) -> None:
    function(byref(layer), byref(window), *piece)


def _pieces(tokens: int) -> list[tuple[int, int]]:
    """As many for each core, of nearly one size."""
    cores = torch.get_num_threads()
    count = -(-tokens // (cores * _PIECE)) * cores
    size = -(-tokens // (count * _DEPTH)) * _DEPTH
    return [(first, min(first + size, tokens)) for first in range(0, tokens, size)]


def _columns(rows: torch.Tensor) -> torch.Tensor:
    """Rows (T, M) as native code has them: (T / 16, M, 16), padded with zeros."""
    padded = functional.pad(rows, (0, 0, 0, -len(rows) % _DEPTH))
    return padded.unflatten(0, (-1, _LANES)).transpose(1, 2).contiguous()
