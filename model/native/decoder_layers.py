"""The decoder's layers, one pass of `decoder_layer.cpp` each, for a few new tokens of a few answers."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import POINTER, Structure, c_float, c_int32, c_void_p
from typing import Any

import torch

from model.attention import SelfAttentionCache
from model.native.library import function, suits
from model.t5gemma2 import Rotary, T5Gemma2
from model.types import Memory

_MOST_ROWS_BY_TILES = 128  # new tokens of all answers; with more, PyTorch's products use the processor better
_FEW = 6  # answers, without tiles
_MANY = 16  # answers, over a document of few tokens
_ANSWERS_BY_TOKENS = 2**14  # what many answers may be times the document's tokens


class _Layer(Structure):
    _fields_ = [
        *((name, c_int32) for name in ("hidden", "inner", "heads", "key_heads", "head_dim", "window")),
        *((name, c_float) for name in ("eps", "scaling")),
        *((name, c_void_p) for name in ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")),
        *((name, c_void_p) for name in ("before_attention", "q_norm", "k_norm", "after_attention")),
        *((name, c_void_p) for name in ("before_feed_forward", "after_feed_forward")),
    ]


class _Document(Structure):
    _fields_ = [
        *((name, c_int32) for name in ("parts", "tokens")),
        ("lengths", POINTER(c_int32)),
        ("states", POINTER(c_void_p)),
        ("scales", POINTER(c_void_p)),
        ("shown", c_void_p),
    ]


class _Tokens(Structure):
    _fields_ = [
        *((name, c_int32) for name in ("answers", "size", "past", "capacity", "threads")),
        *((name, c_void_p) for name in ("starts", "cos", "sin", "keys", "values", "hidden", "attention")),
    ]


class DecoderLayers:
    """A model's decoder layers, as the library wants them. Made once a model: what they point at, it keeps alive."""

    def __init__(self, library: ctypes.CDLL, model: T5Gemma2) -> None:
        self._run = function(library, "decoder_layer", model.dtype, *map(POINTER, (_Layer, _Document, _Tokens)))
        self._tiled = model.dtype == torch.bfloat16 and bool(library.multiplies_tiles())
        self._model = model
        self._gains: list[torch.Tensor] = []
        self._layers = [self._layer(layer) for layer in model.model.decoder.layers]

    @staticmethod
    def fit(model: T5Gemma2) -> bool:
        """Whether native code can go through the model's decoder layers: the sizes suit it, and all are on the CPU."""
        return all(suits(weight) for weight in model.model.decoder.layers.parameters())

    def over(self, memories: Sequence[Memory]) -> LayersOver:
        """These layers over the memories of a document.

        Raises ValueError for states in another dtype than the model's.
        """
        if found := {memory.hidden.dtype for memory in memories} - {self._model.dtype}:
            raise ValueError(f"The states are in {found}, the model in {self._model.dtype}: use `memory.placed` first.")
        return LayersOver(self._run, self._layers, memories, tiled=self._tiled)

    def _layer(self, layer: Any) -> _Layer:
        attention, mlp = layer.self_attn, layer.mlp
        config = attention.config
        projections = {name: getattr(attention, name) for name in ("q_proj", "k_proj", "v_proj", "o_proj")}
        projections |= {name: getattr(mlp, name) for name in ("gate_proj", "up_proj", "down_proj")}
        return _Layer(
            hidden=config.hidden_size,
            inner=mlp.gate_proj.out_features,
            heads=config.num_attention_heads,
            key_heads=config.num_key_value_heads,
            head_dim=attention.head_dim,
            window=attention.sliding_window or 0,
            eps=attention.q_norm.eps,
            scaling=attention.scaling,
            **{name: projection.weight.data_ptr() for name, projection in projections.items()},
            before_attention=self._gain(layer.pre_self_attn_layernorm),
            q_norm=self._gain(attention.q_norm),
            k_norm=self._gain(attention.k_norm),
            after_attention=self._gain(layer.post_self_attn_layernorm),
            before_feed_forward=self._gain(layer.pre_feedforward_layernorm),
            after_feed_forward=self._gain(layer.post_feedforward_layernorm),
        )

    def _gain(self, norm: Any) -> int:
        self._gains.append(1.0 + norm.weight.detach().float())
        return self._gains[-1].data_ptr()


class LayersOver:
    """The layers over one document: where its states lie, and each layer's scales."""

    def __init__(self, run: Any, layers: Sequence[_Layer], memories: Sequence[Memory], *, tiled: bool) -> None:
        """`tiled`: products go through the processor's matrix tiles (AMX), so several rows cost what one does."""
        self.tiled = tiled
        self._run = run
        self._layers = layers
        memories = [memory for memory in memories if len(memory.hidden)]
        self._hidden = [memory.hidden.contiguous() for memory in memories]  # kept alive, as what it points at
        self._scales = [memory.key_scales.contiguous() for memory in memories]
        self._tokens = sum(map(len, self._hidden))
        self._documents = [self._document(index) for index in range(len(layers))]

    def pay(self, answers: int, size: int) -> bool:
        """Whether `size` new tokens of each of so many answers are better off here than with PyTorch's operations."""
        if self.tiled:
            return answers * size <= _MOST_ROWS_BY_TILES
        return size == 1 and (answers <= _FEW or (answers <= _MANY and answers * self._tokens <= _ANSWERS_BY_TOKENS))

    @torch.inference_mode()
    def through(
        self,
        index: int,
        hidden: torch.Tensor,
        rotary: Rotary,
        starts: torch.Tensor,
        cache: SelfAttentionCache,
        *,
        shown: torch.Tensor | None = None,
        looking: bool = True,
    ) -> torch.Tensor:
        """Replace hidden (N, S, H) float32 by what a layer makes of it; the tokens' keys and values go into the cache.

        rotary: cos and sin, (N, S, D) float32. starts: (N,), where each answer's own tokens begin. shown: (N, T) bool;
        None: everything. Returns the last tokens' attention over the document, mean over heads: (N, T) float32, or
        (N, 0) where nobody is `looking`.
        """
        answers, size, _ = hidden.shape
        document = self._documents[index]
        document.shown = None if shown is None else shown.data_ptr()
        attention = hidden.new_empty(answers, self._tokens if looking else 0)
        keys, values = cache.keys[index], cache.values[index]
        tokens = _Tokens(
            answers=answers,
            size=size,
            past=cache.length,
            capacity=keys.shape[2],
            threads=torch.get_num_threads(),
            starts=starts.data_ptr(),
            cos=rotary[0].data_ptr(),
            sin=rotary[1].data_ptr(),
            keys=keys.data_ptr(),
            values=values.data_ptr(),
            hidden=hidden.data_ptr(),
            attention=attention.data_ptr() or None,
        )
        self._run(self._layers[index], document, tokens)
        return attention

    def _document(self, index: int) -> _Document:
        return _Document(
            parts=len(self._hidden),
            tokens=self._tokens,
            lengths=(c_int32 * len(self._hidden))(*map(len, self._hidden)),
            states=_pointers(self._hidden),
            scales=_pointers([scales[index] for scales in self._scales]),
        )


def _pointers(tensors: Sequence[torch.Tensor]) -> Any:
    return (c_void_p * len(tensors))(*[tensor.data_ptr() for tensor in tensors])
