"""Encoder states of many short texts together: for fitting, where reading each alone would be too slow."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional

from model.network.t5gemma2 import Layer, Rotary, T5Gemma2, reach, rotated


@torch.inference_mode()
def states_of(model: T5Gemma2, texts: Sequence[Sequence[int]]) -> list[torch.Tensor]:
    """The encoder's last states (T, H) of each text's token ids, as `encode_chunk` gives them.

    Raises ValueError where the texts are longer than a local layer's window, which would need a mask.
    """
    stack = model.model.encoder.text_model
    config = stack.config
    lengths = [len(text) for text in texts]
    longest = max(lengths)
    if longest > min(reach(config.sliding_window)):
        raise ValueError(f"{longest} tokens are more than a window of {config.sliding_window} takes in one piece")
    ids = torch.tensor([[*text, *[0] * (longest - len(text))] for text in texts], device=model.device)
    hidden: torch.Tensor = stack.embed_tokens(ids)
    positions = torch.arange(longest, device=model.device)[None]
    is_text = (positions < torch.tensor(lengths, device=model.device)[:, None])[:, None, None]  # (N, 1, 1, T)
    rotary = {kind: stack.rotary_emb(hidden, positions, kind) for kind in set(config.layer_types)}
    for kind, layer in zip(config.layer_types, stack.layers, strict=True):
        attended = _attended(layer, layer.pre_self_attn_layernorm(hidden), rotary[kind], is_text)
        hidden = hidden + layer.post_self_attn_layernorm(attended)
        hidden = hidden + layer.post_feedforward_layernorm(layer.mlp(layer.pre_feedforward_layernorm(hidden)))
    states: torch.Tensor = stack.norm(hidden)
    return [row[:length] for row, length in zip(states, lengths, strict=True)]


def _attended(layer: Layer, normed: torch.Tensor, rotary: Rotary, is_text: torch.Tensor) -> torch.Tensor:
    own = layer.self_attn

    def heads(projected: torch.Tensor) -> torch.Tensor:
        return projected.unflatten(-1, (-1, own.head_dim)).transpose(1, 2)

    queries = rotated(own.q_norm(heads(own.q_proj(normed))), rotary)
    keys = rotated(own.k_norm(heads(own.k_proj(normed))), rotary)
    values = heads(own.v_proj(normed))
    found = functional.scaled_dot_product_attention(
        queries, keys, values, attn_mask=is_text, scale=own.scaling, enable_gqa=True
    )
    projected: torch.Tensor = own.o_proj(found.transpose(1, 2).flatten(2))
    return projected
