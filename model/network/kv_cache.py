"""The decoder's cache of its own keys and values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from model.network.t5gemma2 import T5Gemma2

KeyInvRms = Callable[[torch.Tensor], torch.Tensor]
"""States (T, H) -> `1 / rms(W_k h_t)` of every decoder layer and key head, (L, K, T) float32."""


@dataclass(slots=True, kw_only=True)
class SelfAttentionCache:
    """The decoder's own keys and values, filled from the left: buffer (2, layers, N, K, capacity, D).

    In a captured CUDA graph the shapes are fixed: `at`, (S,) long, holds the places of the new tokens, a layer returns
    its whole buffer, and the attention bias masks what is not written.
    """

    buffer: torch.Tensor
    length: int = 0
    at: torch.Tensor | None = None

    @classmethod
    def empty(cls, model: T5Gemma2, answers: int, capacity: int, device: torch.device) -> SelfAttentionCache:
        """A cache for so many answers of at most `capacity` tokens; what is not written is undefined."""
        config = model.model.decoder.config
        shape = 2, config.num_hidden_layers, answers, config.num_key_value_heads, capacity, config.head_dim
        return cls(buffer=torch.empty(shape, dtype=model.dtype, device=device))

    @property
    def keys(self) -> tuple[torch.Tensor, ...]:
        """Of each layer, (N, K, capacity, D)."""
        return self.buffer[0].unbind()

    @property
    def values(self) -> tuple[torch.Tensor, ...]:
        """Of each layer, (N, K, capacity, D)."""
        return self.buffer[1].unbind()

    @property
    def capacity(self) -> int:
        return self.buffer.shape[4]

    @property
    def filled(self) -> torch.Tensor:
        """What is written so far, (2, layers, N, K, length, D)."""
        return self.buffer[..., : self.length, :]

    def extend(self, layer: int, keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Append keys and values (N, K, S, D) of a layer; returns all of them. `length` moves once a forward pass."""
        own_keys, own_values = self.buffer[0, layer], self.buffer[1, layer]
        if self.at is not None:
            return own_keys.index_copy_(2, self.at, keys), own_values.index_copy_(2, self.at, values)
        end = self.length + keys.shape[2]
        own_keys[:, :, self.length : end] = keys
        own_values[:, :, self.length : end] = values
        return own_keys[:, :, :end], own_values[:, :, :end]

    def select(self, answers: torch.Tensor) -> SelfAttentionCache:
        """A copy with these answers alone, (M,) indices."""
        return SelfAttentionCache(buffer=self.buffer.index_select(2, answers), length=self.length)
