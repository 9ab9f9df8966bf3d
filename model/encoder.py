"""The encoder side: token ids -> hidden states -> memory, through transformers' own modules.

Layer by layer rather than in one call, so that a person can stop a long window between two layers.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import T5Gemma2ForConditionalGeneration

from model.errors import Cancelled
from model.types import CancelledCallback, Memory
from model.vision.features import input_embeddings


def sliding_window_mask(size: int, sliding_window: int, device: torch.device) -> torch.Tensor:
    """Who sees whom in a local encoder layer, (1, 1, T, T) bool: half a window to each side (transformers' rule)."""
    positions = torch.arange(size, device=device)
    distance = positions[:, None] - positions[None, :]
    near = (distance < (sliding_window + 1) // 2) & (-distance < sliding_window // 2 + 1)
    return near[None, None]


@torch.inference_mode()
def encode_window(
    model: T5Gemma2ForConditionalGeneration,
    ids: torch.Tensor,
    cancelled: CancelledCallback | None = None,
    *,
    image_features: torch.Tensor | None = None,
) -> torch.Tensor:
    """The encoder's last hidden states, (T, H), of one window of token ids, (T,), that begins with `<bos>`.

    image_features: (N, H), what was seen, a row for each image token among the ids.
    """
    encoder = model.model.encoder.text_model
    config = encoder.config
    hidden = input_embeddings(model, ids, image_features)[None]
    positions = torch.arange(ids.shape[0], device=ids.device)[None]
    rotary = {kind: encoder.rotary_emb(hidden, positions, kind) for kind in set(config.layer_types)}
    masks = {
        "full_attention": None,
        "sliding_attention": sliding_window_mask(ids.shape[0], config.sliding_window, ids.device),
    }
    for kind, layer in zip(config.layer_types, encoder.layers, strict=True):
        if cancelled is not None and cancelled():
            raise Cancelled("Reading was stopped. What was read of this document is not kept.")
        hidden = layer(hidden, rotary[kind], masks[kind], positions)
    return encoder.norm(hidden)[0]


@torch.inference_mode()
def memory_of(model: T5Gemma2ForConditionalGeneration, hidden: torch.Tensor) -> Memory:
    """The memory of encoder states (T, H): the states, and for each decoder layer the scale that `k_norm` gives a key.

    Cross keys carry no position, so `k_norm(W_k h)` is `W_k h` times one number per token and head, times a fixed gain:
    with that number at hand, attention needs the states alone.
    """
    scales = []
    for layer in model.model.decoder.layers:
        attention = layer.self_attn
        keys = attention.k_proj(hidden).unflatten(-1, (-1, attention.head_dim)).float()  # (T, K, D)
        scales.append(torch.rsqrt(keys.square().mean(-1) + attention.k_norm.eps).T)  # (K, T)
    return Memory(hidden=hidden.contiguous(), key_scales=torch.stack(scales).contiguous())


def place(memory: Memory, device: torch.device, dtype: torch.dtype) -> Memory:
    """The memory where the decoder is: a saved one comes from the CPU, perhaps of a machine with another precision."""
    return Memory(hidden=memory.hidden.to(device, dtype), key_scales=memory.key_scales.to(device))


def join_memories(memories: Sequence[Memory]) -> Memory:
    """Memories one behind the other. Attention over it is attention over one tensor of the same rows."""
    if len(memories) == 1:
        return memories[0]
    return Memory(
        hidden=torch.cat([memory.hidden for memory in memories]),
        key_scales=torch.cat([memory.key_scales for memory in memories], dim=-1),
    )
