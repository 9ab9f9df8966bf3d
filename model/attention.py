"""Merged attention (paper, section 2.2) in its absorbed form: the decoder attends to states, not to stored keys.

transformers projects the encoder's states to keys and values in every decoder layer and keeps them for every token:
18 times 512 numbers at 270M. But a cross key is `k_norm(W_k h_t)`, without RoPE, so with q normed, rotated and scaled

    score(q, t) = q . k_norm(W_k h_t) = [W_k^T (g * q)] . h_t * r_t        g = 1 + k_norm.weight
    r_t         = 1 / sqrt(mean((W_k h_t)^2) + eps)                        `Memory.key_scales`
    output      = W_v (sum_t p_t h_t)                                      p from one softmax over own and cross keys

and one tensor of states, 640 numbers a token, serves all layers, heads and questions. It is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from transformers.models.t5gemma2.modeling_t5gemma2 import T5Gemma2MergedAttention, apply_rotary_pos_emb

from model.types import Memory


@dataclass(slots=True, kw_only=True)
class SelfAttentionCache:
    """The decoder's own keys and values, one buffer for each layer, filled from the left. Each (K, capacity, D)."""

    keys: list[torch.Tensor]
    values: list[torch.Tensor]
    length: int = 0

    @classmethod
    def empty(cls, layers: int, heads: int, capacity: int, head_dim: int, like: torch.Tensor) -> SelfAttentionCache:
        def buffers() -> list[torch.Tensor]:
            return [like.new_empty(heads, capacity, head_dim) for _ in range(layers)]

        return cls(keys=buffers(), values=buffers())

    def extend(self, layer: int, keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Write S new rows of a layer behind `length`; returns all its rows. `length` moves once a pass."""
        end = self.length + keys.shape[1]
        self.keys[layer][:, self.length : end] = keys
        self.values[layer][:, self.length : end] = values
        return self.keys[layer][:, :end], self.values[layer][:, :end]


def _by_key_head(module: T5Gemma2MergedAttention, weight: torch.Tensor) -> torch.Tensor:
    """`k_proj` or `v_proj` weights as (K, D, H)."""
    return weight.unflatten(0, (-1, module.head_dim))


def merged_attention(
    module: T5Gemma2MergedAttention,
    hidden: torch.Tensor,
    rotary: tuple[torch.Tensor, torch.Tensor],
    mask: torch.Tensor,
    cache: SelfAttentionCache,
    memory: Memory,
) -> tuple[torch.Tensor, torch.Tensor]:
    """One decoder layer's attention for S new tokens.

    hidden: (S, H). rotary: cos and sin, (1, S, D). mask: (S, past + S), True where a token may look at its own kind.
    Returns the output, (S, H), and each token's attention over the document, mean over heads, (S, T) float32.
    """
    layer = module.layer_idx
    split = (*hidden.shape[:-1], -1, module.head_dim)
    queries = module.q_norm(module.q_proj(hidden).view(split)).transpose(0, 1)[None]  # (1, heads, S, D)
    keys = module.k_norm(module.k_proj(hidden).view(split)).transpose(0, 1)[None]
    values = module.v_proj(hidden).view(split).transpose(0, 1)  # (K, S, D)
    queries, keys = apply_rotary_pos_emb(queries, keys, *rotary)
    own_keys, own_values = cache.extend(layer, keys[0], values)
    groups = module.num_key_value_groups
    # Query heads that share a key head become its rows: (K, groups * S, D)
    rows = (queries[0] * module.scaling).reshape(own_keys.shape[0], groups * hidden.shape[0], module.head_dim)
    own = rows @ own_keys.transpose(1, 2)  # (K, groups * S, past + S)
    own = own.float().masked_fill(~mask.repeat(groups, 1), -torch.inf)
    gained = rows * (1 + module.k_norm.weight.float()).to(rows.dtype)
    absorbed = gained @ _by_key_head(module, module.k_proj.weight)  # (K, groups * S, H)
    cross = (absorbed @ memory.hidden.T).float() * memory.key_scales[layer][:, None, :]  # (K, groups * S, T)
    weights = torch.softmax(torch.cat([own, cross], dim=-1), dim=-1)
    own_weights, cross_weights = weights.split([own.shape[-1], cross.shape[-1]], dim=-1)
    summed = cross_weights.to(rows.dtype) @ memory.hidden  # (K, groups * S, H)
    from_document = summed @ _by_key_head(module, module.v_proj.weight).transpose(1, 2)  # (K, groups * S, D)
    output = own_weights.to(rows.dtype) @ own_values + from_document
    by_head = output.unflatten(1, (groups, -1)).flatten(0, 1)  # (heads, S, D)
    seen = cross_weights.unflatten(1, (groups, -1)).mean(dim=(0, 1))
    return module.o_proj(by_head.transpose(0, 1).flatten(1)), seen
