"""The decoder's layers in native code, for a few new tokens of a few sequences: `src/decoder_layer.cpp`."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import CFUNCTYPE, POINTER, addressof, c_int32, c_void_p
from dataclasses import replace
from typing import Any

import torch

from model.kernels.huge_pages import HugePages
from model.kernels.layer import UNLIMITED, PackedLayer, memory_for_copies
from model.kernels.library import (
    INT8_TILE_K,
    TILE,
    TILE_K,
    are_multiples,
    function,
    has_matrix_tiles,
    supports,
    tiles_support,
)
from model.kernels.limits import FITTED, NativeLimits
from model.kernels.pointers import pointer, pointer_array
from model.kernels.structs import DecoderStep, DocumentMemory
from model.network.kv_cache import SelfAttentionCache
from model.network.t5gemma2 import Rotary, T5Gemma2
from model.network.threads import parallel_map, pieces
from model.types import CancelledCallback, Memory

_MIN_TILE_ROWS = 4  # tokens that are multiplied by tiles (row_major.h)
# New tokens of all sequences that tiles multiply; with more, PyTorch's products use the processor better.
_MOST_TOKENS_BY_TILES = 128
_PIECE = 512  # states whose keys' RMS is computed together
_FEW_SEQUENCES = 6  # without tiles
_MANY_SEQUENCES = 16  # over a document of few tokens
_SEQUENCES_BY_TOKENS = 2**14  # what many sequences may be times the document's tokens

_Cancelled = CFUNCTYPE(c_int32)


class DecoderLayers:
    """A model's decoder layers, packed for the library. Made once a model; it keeps alive what it points at."""

    def __init__(
        self, library: ctypes.CDLL, model: T5Gemma2, *, int8_weights: bool = False, limits: NativeLimits = FITTED
    ) -> None:
        """`int8_weights`: matrices are copied in int8, half their bytes or a quarter; those of a larger model are read
        as they are.
        """
        arguments = POINTER(c_void_p), POINTER(DocumentMemory), POINTER(DecoderStep), c_int32, _Cancelled
        self._forward = function(library, "decoder_layers", model.dtype, *arguments)
        self._forward.restype = c_int32
        self.tiled = model.dtype == torch.bfloat16 and has_matrix_tiles(library)
        self._accepts_int8 = self.tiled and not model.model.decoder.config.hidden_size % INT8_TILE_K
        self.gives_key_inv_rms = self.tiled and tiles_support(model.model.decoder.layers)
        size, at = c_int32, c_void_p
        self._key_inv_rms = function(library, "key_inv_rms", None, at, size, at, size, size, size, at)
        self._model = model
        layers = model.model.decoder.layers
        copied = int8_weights and are_multiples(layers, INT8_TILE_K)
        copies = memory_for_copies(layers, limits.copied_numbers) if copied else None
        self._long_document = limits.long_document
        self.in_int8 = copies is not None
        self._layers = [_packed(layer, copies) for layer in layers]
        self.matrix_bytes = sum(layer.matrix_bytes for layer in self._layers)

    @staticmethod
    def supports(model: T5Gemma2) -> bool:
        """Whether native code can compute the model's decoder layers: their sizes suit it, and all are on the CPU."""
        return all(supports(weight) for weight in model.model.decoder.layers.parameters())

    def accepts(self, memories: Sequence[Memory]) -> bool:
        """Whether they attend to these memories as they are: all in the model's dtype or, by tiles, all in int8."""
        found = {memory.hidden.dtype for memory in memories}
        return found == {self._model.dtype} or (self._accepts_int8 and found == {torch.int8})

    def bind(self, memories: Sequence[Memory]) -> BoundLayers:
        """These layers over the memories of a document.

        Raises ValueError where they do not `accept` them, or one is not of the model's sizes.
        """
        if not self.accepts(memories):
            found = {memory.hidden.dtype for memory in memories}
            raise ValueError(
                f"The states are in {found}, the model in {self._model.dtype}: use `memory.to_device` first."
            )
        return BoundLayers(
            self._forward,
            self._layers,
            memories,
            dtype=self._model.dtype,
            tiled=self.tiled,
            long_document=self._long_document,
        )

    def key_inv_rms(self, states: torch.Tensor) -> torch.Tensor:
        """`Memory.key_inv_rms`, (L, K, T) float32, of states (T, H), contiguous. Only where `gives_key_inv_rms`."""
        shape = len(self._layers), self._layers[0].key_heads, len(states)
        inv_rms = torch.empty(shape)
        layers = _addresses(self._layers)
        read = pointer(states, torch.bfloat16, len(states), self._layers[0].hidden)
        written = pointer(inv_rms, torch.float32, *shape)

        def compute(part: slice) -> None:
            self._key_inv_rms(layers, len(self._layers), read, part.start, part.stop, len(states), written)

        for _ in parallel_map(compute, pieces(len(states), _PIECE, TILE_K)):
            pass
        return inv_rms


class BoundLayers:
    """The layers over one document."""

    def __init__(
        self,
        forward: Any,
        layers: Sequence[PackedLayer],
        memories: Sequence[Memory],
        *,
        dtype: torch.dtype,
        tiled: bool,
        long_document: int,
    ) -> None:
        """`dtype` is the model's. `tiled`: products are by matrix tiles (AMX), so several tokens cost what one does.

        `long_document`: `NativeLimits.long_document`.
        """
        self._long_document = long_document
        self.tiled = tiled
        self._dtype = dtype
        self._forward = forward
        self._layers = layers
        self._addresses = _addresses(layers)
        memories = [memory for memory in memories if len(memory.hidden)]
        self._memories = [_contiguous(memory) for memory in memories]  # kept alive, as what is pointed at
        self._tokens = sum(len(memory.hidden) for memory in memories)
        self._documents = (DocumentMemory * len(layers))(*map(self._document, range(len(layers))))

    def is_faster(self, sequences: int, new_tokens: int) -> bool:
        """Whether so many new tokens of each of so many sequences take less time than with PyTorch's operations."""
        if self.tiled:
            return sequences * new_tokens <= _MOST_TOKENS_BY_TILES or self._tokens >= self._long_document
        is_small = sequences <= _MANY_SEQUENCES and sequences * self._tokens <= _SEQUENCES_BY_TOKENS
        return new_tokens == 1 and (sequences <= _FEW_SEQUENCES or is_small)

    def is_batch_invariant(self, tokens: int) -> bool:
        """Whether a pass of so many tokens of one sequence gives each the same numbers, whatever the others are.

        Fewer are multiplied without tiles or in smaller blocks, and query rows of several key heads are scaled group by
        group.
        """
        layer = self._layers[0]
        return self.tiled and layer.key_heads == 1 and tokens >= _MIN_TILE_ROWS and tokens * layer.heads > TILE

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
        """Replace the last tokens' rows of hidden (N, S, H) float32 by the layers' output.

        All tokens' keys and values go into the cache, but nothing else of the others leaves the last layer.

        rotary: of each layer cos and sin, (N, S, D) float32. starts: (N,), where each sequence's own tokens begin.
        visible_mask: (N, T) bool; None: everything. Returns the last tokens' attention over the document in each layer,
        mean over heads: (L, N, T) float32, or (L, N, 0) without `return_attention`. None where it was `cancelled`
        before a layer.

        Raises ValueError where a tensor is of another shape or type, or the cache has too little room.
        """
        attention = hidden.new_empty(len(self._layers), len(hidden), self._tokens if return_attention else 0)
        step = self._step(hidden, rotary, starts, cache, visible_mask)
        step.attention = pointer(attention, torch.float32, *attention.shape) or None
        callback = _Cancelled(cancelled) if cancelled else _Cancelled()
        done = self._forward(self._addresses, self._documents, step, len(self._layers), callback)
        return attention if done else None

    def _step(
        self,
        hidden: torch.Tensor,
        rotary: Sequence[Rotary],
        starts: torch.Tensor,
        cache: SelfAttentionCache,
        visible_mask: torch.Tensor | None,
    ) -> DecoderStep:
        (sequences, new_tokens, _), layer = hidden.shape, self._layers[0]
        if cache.length + new_tokens > cache.capacity or not len(rotary) == len(self._layers) == len(cache.keys):
            raise ValueError(f"{new_tokens} tokens behind {cache.length} do not fit a cache of {cache.capacity}")
        table = torch.float32, sequences, new_tokens, layer.head_dim
        tables = [[pointer(values, *table) for values in cos_and_sin] for cos_and_sin in rotary]
        own = self._dtype, sequences, layer.key_heads, cache.capacity, layer.head_dim
        mask = torch.bool, sequences, self._tokens
        return DecoderStep(
            sequences=sequences,
            new_tokens=new_tokens,
            past=cache.length,
            capacity=cache.capacity,
            threads=torch.get_num_threads(),
            starts=pointer(starts, torch.int64, sequences),
            visible_mask=None if visible_mask is None else pointer(visible_mask, *mask),
            hidden=pointer(hidden, torch.float32, sequences, new_tokens, layer.hidden),
            cos=pointer_array(cos for cos, _ in tables),
            sin=pointer_array(sin for _, sin in tables),
            keys=pointer_array(pointer(keys, *own) for keys in cache.keys),
            values=pointer_array(pointer(values, *own) for values in cache.values),
        )

    def _document(self, index: int) -> DocumentMemory:
        """The memories for the layer of this index."""
        layer, in_int8 = self._layers[0], any(memory.hidden.dtype == torch.int8 for memory in self._memories)
        states, tokens, channels, inv_rms = [], [], [], []
        for memory in self._memories:
            count, found = len(memory.hidden), memory.key_inv_rms
            states.append(pointer(memory.hidden, torch.int8 if in_int8 else self._dtype, count, layer.hidden))
            first = pointer(found, torch.float32, len(self._layers), layer.key_heads, count)
            inv_rms.append(first + index * found.stride(0) * found.element_size())
            if in_int8:
                tokens.append(pointer(memory.hidden_scales, torch.float32, count))
                channels.append(pointer(memory.channel_scales, torch.float32, layer.hidden))
        return DocumentMemory(
            parts=len(states),
            tokens=self._tokens,
            lengths=(c_int32 * len(states))(*(len(memory.hidden) for memory in self._memories)),
            states=pointer_array(states),
            token_scales=pointer_array(tokens) if in_int8 else None,
            channel_scales=pointer_array(channels) if in_int8 else None,
            key_inv_rms=pointer_array(inv_rms),
        )


def _contiguous(memory: Memory) -> Memory:
    return replace(
        memory,
        hidden=memory.hidden.contiguous(),
        key_inv_rms=memory.key_inv_rms.contiguous(),
        hidden_scales=None if memory.hidden_scales is None else memory.hidden_scales.contiguous(),
        channel_scales=None if memory.channel_scales is None else memory.channel_scales.contiguous(),
    )


def _packed(layer: Any, copies: HugePages | None) -> PackedLayer:
    window = layer.self_attn.sliding_window
    before = UNLIMITED if window is None else window - 1
    return PackedLayer(layer, before=before, after=0, copies=copies, in_int8=copies is not None)


def _addresses(layers: Sequence[PackedLayer]) -> Any:
    return pointer_array(map(addressof, layers))
