"""Encoder states of many short texts of one length together: for fitting, where a document's way is too slow."""

from __future__ import annotations

import torch
from torch.nn import functional

from model.network.t5gemma2 import Layer, Rotary, T5Gemma2, reach, rotated


@torch.inference_mode()
def states_of(model: T5Gemma2, ids: torch.Tensor) -> torch.Tensor:
    """The encoder's last states (N, T, H) of token ids (N, T), as `encode_chunk` gives them of one text.

    Raises ValueError where the texts are longer than a local layer's window, which would need a mask.
    """
    stack = model.model.encoder.text_model
    config = stack.config
    if ids.shape[1] > min(reach(config.sliding_window)):
        raise ValueError(f"{ids.shape[1]} tokens are more than a window of {config.sliding_window} takes in one piece")
    hidden: torch.Tensor = stack.embed_tokens(ids)
    positions = torch.arange(ids.shape[1], device=ids.device)[None]
    rotary = {kind: stack.rotary_emb(hidden, positions, kind) for kind in set(config.layer_types)}
    for kind, layer in zip(config.layer_types, stack.layers, strict=True):
        attended = _attended(layer, layer.pre_self_attn_layernorm(hidden), rotary[kind])
        hidden = hidden + layer.post_self_attn_layernorm(attended)
        hidden = hidden + layer.post_feedforward_layernorm(layer.mlp(layer.pre_feedforward_layernorm(hidden)))
    states: torch.Tensor = stack.norm(hidden)
    return states


def _attended(layer: Layer, normed: torch.Tensor, rotary: Rotary) -> torch.Tensor:
    own = layer.self_attn

    def heads(projected: torch.Tensor) -> torch.Tensor:
        return projected.unflatten(-1, (-1, own.head_dim)).transpose(1, 2)

    queries = rotated(own.q_norm(heads(own.q_proj(normed))), rotary)
    keys = rotated(own.k_norm(heads(own.k_proj(normed))), rotary)
    values = heads(own.v_proj(normed))
    found = functional.scaled_dot_product_attention(queries, keys, values, scale=own.scaling, enable_gqa=True)
    projected: torch.Tensor = own.o_proj(found.transpose(1, 2).flatten(2))
    return projected
