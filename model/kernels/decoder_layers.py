"""The decoder's layers, a pass of `decoder_layer.cpp` each, for a few new tokens of a few answers."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import CFUNCTYPE, POINTER, Structure, addressof, c_int32, c_void_p
from dataclasses import replace
from typing import Any

import torch

from model.kernels.large_pages import LargePages
from model.kernels.layer import ALL, Layer, room_for_copies
from model.kernels.library import INT8_TILE_ROW, TILE_ROW, are_whole, function, suits, tiles_suit
from model.kernels.pointers import pointer, pointer_array
from model.network.kv_cache import SelfAttentionCache
from model.network.t5gemma2 import Rotary, T5Gemma2
from model.network.threads import parallel_map, pieces
from model.types import CancelledCallback, Memory

_GROUP = 16  # rows that tiles take together
_FEWEST_STEADY = 4  # tokens that go by tiles (`suits_tiles`)
_MOST_ROWS_BY_TILES = 128  # new tokens of all answers; with more, PyTorch's products use the processor better,
_LONG = 2**12  # unless the document has so many tokens: over 8,192, 16 questions begin in 0.42 s, not in 0.82
_PIECE = 512  # states whose key scales are made together
_FEW = 6  # answers, without tiles
_MANY = 16  # answers, over a document of few tokens
_ANSWERS_BY_TOKENS = 2**14  # what many answers may be times the document's tokens


class _Document(Structure):
    _fields_ = [
        *((name, c_int32) for name in ("parts", "tokens")),
        ("lengths", POINTER(c_int32)),
        *((name, POINTER(c_void_p)) for name in ("states", "token_scales", "channel_scales")),
        ("scales", POINTER(c_void_p)),
        ("shown", c_void_p),
    ]


class _Step(Structure):
    _fields_ = [
        *((name, c_int32) for name in ("answers", "size", "past", "capacity", "threads")),
        *((name, c_void_p) for name in ("starts", "shown", "hidden", "attention")),
        *((name, POINTER(c_void_p)) for name in ("cos", "sin", "keys", "values")),
    ]


_Stopped = CFUNCTYPE(c_int32)


class DecoderLayers:
    """A model's decoder layers, as the library wants them. Made once a model: what they point at, it keeps alive."""

    def __init__(self, library: ctypes.CDLL, model: T5Gemma2, *, int8_weights: bool = False) -> None:
        """`int8_weights`: matrices are copied in int8, half their bytes or a quarter; those of a larger model are read
        as they are.
        """
        arguments = POINTER(c_void_p), POINTER(_Document), POINTER(_Step), c_int32, _Stopped
        self._run = function(library, "decoder_layers", model.dtype, *arguments)
        self._run.restype = c_int32
        self.tiled = model.dtype == torch.bfloat16 and bool(library.multiplies_tiles())
        self._takes_int8 = self.tiled and not model.model.decoder.config.hidden_size % INT8_TILE_ROW
        self.gives_key_scales = self.tiled and tiles_suit(model.model.decoder.layers)
        size, at = c_int32, c_void_p
        self._key_scales = function(library, "key_scales", None, at, size, at, size, size, size, at)
        self._model = model
        layers = model.model.decoder.layers
        copies = room_for_copies(layers) if int8_weights and are_whole(layers, INT8_TILE_ROW) else None
        self.in_int8 = copies is not None
        self._layers = [_layer(layer, copies) for layer in layers]
        self.matrix_bytes = sum(layer.matrix_bytes for layer in self._layers)

    @staticmethod
    def supports(model: T5Gemma2) -> bool:
        """Whether native code can go through the model's decoder layers: the sizes suit it, and all are on the CPU."""
        return all(suits(weight) for weight in model.model.decoder.layers.parameters())

    def accepts(self, memories: Sequence[Memory]) -> bool:
        """Whether they attend to these memories as they are kept: all in the model's dtype or, by tiles, in int8."""
        found = {memory.hidden.dtype for memory in memories}
        return found == {self._model.dtype} or (self._takes_int8 and found == {torch.int8})

    def bind(self, memories: Sequence[Memory]) -> BoundLayers:
        """These layers over the memories of a document.

        Raises ValueError where they do not `accept` them.
        """
        if not self.accepts(memories):
            found = {memory.hidden.dtype for memory in memories}
            raise ValueError(
                f"The states are in {found}, the model in {self._model.dtype}: use `memory.to_device` first."
            )
        return BoundLayers(self._run, self._layers, memories, dtype=self._model.dtype, tiled=self.tiled)

    def key_inv_rms(self, states: torch.Tensor) -> torch.Tensor:
        """Of states (T, H), contiguous: the memory's key scales, (L, K, T) float32. Only where `gives_key_scales`."""
        shape = len(self._layers), self._layers[0].key_heads, len(states)
        scales = torch.empty(shape)
        layers = _addresses(self._layers)
        read = pointer(states, torch.bfloat16, len(states), self._layers[0].hidden)
        written = pointer(scales, torch.float32, *shape)

        def make(part: slice) -> None:
            self._key_scales(layers, len(self._layers), read, part.start, part.stop, len(states), written)

        for _ in parallel_map(make, pieces(len(states), _PIECE, TILE_ROW)):
            pass
        return scales


class BoundLayers:
    """The layers over one document: where its states lie, and each layer's scales."""

    def __init__(
        self, run: Any, layers: Sequence[Layer], memories: Sequence[Memory], *, dtype: torch.dtype, tiled: bool
    ) -> None:
        """`dtype` is the model's. `tiled`: products go through the processor's matrix tiles (AMX), so several rows cost
        what one does.
        """
        self.tiled = tiled
        self._dtype = dtype
        self._run = run
        self._layers = layers
        self._addresses = _addresses(layers)
        memories = [memory for memory in memories if len(memory.hidden)]
        self._memories = [_contiguous(memory) for memory in memories]  # kept alive, as what is pointed at
        self._tokens = sum(len(memory.hidden) for memory in memories)
        self._documents = (_Document * len(layers))(*map(self._document, range(len(layers))))

    def is_faster(self, answers: int, size: int) -> bool:
        """Whether `size` new tokens of each of so many answers are better off here than with PyTorch's operations."""
        if self.tiled:
            return answers * size <= _MOST_ROWS_BY_TILES or self._tokens >= _LONG
        return size == 1 and (answers <= _FEW or (answers <= _MANY and answers * self._tokens <= _ANSWERS_BY_TOKENS))

    def is_batch_invariant(self, tokens: int) -> bool:
        """Whether a pass of so many tokens of one answer gives each the same numbers, whatever the others are.

        Fewer go without tiles or in smaller blocks, and rows of several key heads are scaled group by group.
        """
        layer = self._layers[0]
        return self.tiled and layer.key_heads == 1 and tokens >= _FEWEST_STEADY and tokens * layer.heads > _GROUP

    @torch.inference_mode()
    def forward(
        self,
        hidden: torch.Tensor,
        rotary: Sequence[Rotary],
        starts: torch.Tensor,
        cache: SelfAttentionCache,
        *,
        visible_mask: torch.Tensor | None = None,
        return_attention: bool = True,
        cancelled: CancelledCallback | None = None,
    ) -> torch.Tensor | None:
        """Replace the last tokens' rows of hidden (N, S, H) float32 by what the layers make of them.

        All tokens' keys and values go into the cache, but nothing else of the others leaves the last layer.

        rotary: of each layer cos and sin, (N, S, D) float32. starts: (N,), where each answer's own tokens begin.
        visible_mask: (N, T) bool; None: everything. Returns the last tokens' attention over the document in each layer,
        mean over heads: (L, N, T) float32, or (L, N, 0) without `return_attention`. None where it was `cancelled`
        before a layer.
        """
        attention = hidden.new_empty(len(self._layers), len(hidden), self._tokens if return_attention else 0)
        step = self._step(hidden, rotary, starts, cache, visible_mask)
        step.attention = pointer(attention, torch.float32, *attention.shape) or None
        stopped = _Stopped(cancelled) if cancelled else _Stopped()
        done = self._run(self._addresses, self._documents, step, len(self._layers), stopped)
        return attention if done else None

    def _step(
        self,
        hidden: torch.Tensor,
        rotary: Sequence[Rotary],
        starts: torch.Tensor,
        cache: SelfAttentionCache,
        visible_mask: torch.Tensor | None,
    ) -> _Step:
        """Raises ValueError where the tensors' shapes are not what `through` says, or the cache has no room."""
        (answers, size, _), layer = hidden.shape, self._layers[0]
        if cache.length + size > cache.capacity or not len(rotary) == len(self._layers) == len(cache.keys):
            raise ValueError(f"{size} tokens behind {cache.length} do not fit a cache of {cache.capacity}")
        tables = [[pointer(table, torch.float32, answers, size, layer.head_dim) for table in both] for both in rotary]
        own = answers, layer.key_heads, cache.capacity, layer.head_dim
        return _Step(
            answers=answers,
            size=size,
            past=cache.length,
            capacity=cache.capacity,
            threads=torch.get_num_threads(),
            starts=pointer(starts, torch.int64, answers),
            shown=None if visible_mask is None else pointer(visible_mask, torch.bool, answers, self._tokens),
            hidden=pointer(hidden, torch.float32, answers, size, layer.hidden),
            cos=pointer_array(cos for cos, _ in tables),
            sin=pointer_array(sin for _, sin in tables),
            keys=pointer_array(pointer(keys, self._dtype, *own) for keys in cache.keys),
            values=pointer_array(pointer(values, self._dtype, *own) for values in cache.values),
        )

    def _document(self, index: int) -> _Document:
        """The memories for the layer of this index. Raises ValueError where one is not of the model's sizes."""
        layer, in_int8 = self._layers[0], any(memory.hidden.dtype == torch.int8 for memory in self._memories)
        states, tokens, channels, scales = [], [], [], []
        for memory in self._memories:
            count, found = len(memory.hidden), memory.key_inv_rms
            states.append(pointer(memory.hidden, torch.int8 if in_int8 else self._dtype, count, layer.hidden))
            first = pointer(found, torch.float32, len(self._layers), layer.key_heads, count)
            scales.append(first + index * found.stride(0) * found.element_size())
            if in_int8:
                tokens.append(pointer(memory.hidden_scales, torch.float32, count))
                channels.append(pointer(memory.channel_scales, torch.float32, layer.hidden))
        return _Document(
            parts=len(states),
            tokens=self._tokens,
            lengths=(c_int32 * len(states))(*(len(memory.hidden) for memory in self._memories)),
            states=pointer_array(states),
            token_scales=pointer_array(tokens) if in_int8 else None,
            channel_scales=pointer_array(channels) if in_int8 else None,
            scales=pointer_array(scales),
        )


def _contiguous(memory: Memory) -> Memory:
    return replace(
        memory,
        hidden=memory.hidden.contiguous(),
        key_inv_rms=memory.key_inv_rms.contiguous(),
        hidden_scales=None if memory.hidden_scales is None else memory.hidden_scales.contiguous(),
        channel_scales=None if memory.channel_scales is None else memory.channel_scales.contiguous(),
    )


def _layer(layer: Any, copies: LargePages | None) -> Layer:
    window = layer.self_attn.sliding_window
    return Layer(
        layer, behind=ALL if window is None else window - 1, ahead=0, copies=copies, in_int8=copies is not None
    )


def _addresses(layers: Sequence[Layer]) -> Any:
    return pointer_array(map(addressof, layers))
