"""Encoder states -> the memory that the decoder attends to, in the precision in which it is kept.

At 270M a token takes 1,280 bytes of states in bfloat16, or 640 and a scale in int8, beside 72 bytes of key scales.
Some channels of the states are hundreds of times as large as the others, so in int8 each channel has a scale as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from model.network.int8 import quantize
from model.network.kv_cache import KeyInvRms
from model.network.residency import weights_on_device
from model.network.t5gemma2 import T5Gemma2
from model.types import Memory, Precision

_SMALLEST_CHANNEL = 0.1  # of the median: a channel that is silent in one window may speak in the next


@torch.inference_mode()
def build_memory(model: T5Gemma2, hidden: torch.Tensor, key_inv_rms: KeyInvRms | None = None) -> Memory:
    """The memory of encoder states (T, H): the states, and for each decoder layer the scale that `k_norm` gives a key.

    Cross keys carry no position, so `k_norm(W_k h)` is `W_k h` times one number per token and head, times a fixed gain:
    with that number at hand, attention needs the states alone. `key_inv_rms`, the model's, makes them in native code.
    """
    hidden = hidden.contiguous()
    if key_inv_rms is not None:
        return Memory(hidden=hidden, key_inv_rms=key_inv_rms(hidden))
    scales = []
    for layer in model.model.decoder.layers:
        attention = layer.self_attn
        with weights_on_device(layer):
            keys = attention.k_proj(hidden).unflatten(-1, (-1, attention.head_dim)).float()  # (T, K, D)
        scales.append(torch.rsqrt(keys.square().mean(-1) + attention.k_norm.eps).T)  # (K, T)
    return Memory(hidden=hidden, key_inv_rms=torch.stack(scales).contiguous())


@torch.inference_mode()
def to_precision(memory: Memory, precision: Precision | None, beside: Memory | None = None) -> Memory:
    """The memory as it is kept: None leaves it as the encoder made it; int8 has one scale a token and one a channel.

    Those of the channels are taken from a memory `beside` which it will be joined.
    """
    if precision is None or memory.hidden.dtype == torch.int8:
        return memory
    if precision != "int8":
        return Memory(hidden=memory.hidden.to(getattr(torch, precision)), key_inv_rms=memory.key_inv_rms)
    hidden = memory.hidden.float()
    channels = _channel_scales(hidden) if beside is None or beside.channel_scales is None else beside.channel_scales
    rows, scales = quantize(hidden / channels)
    return Memory(hidden=rows, key_inv_rms=memory.key_inv_rms, hidden_scales=scales, channel_scales=channels)


def bytes_in_precision(model: T5Gemma2, tokens: int, precision: Precision | None) -> int:
    """What so many tokens take in the precision in which they are kept."""
    decoder = model.model.decoder.config
    item = (getattr(torch, precision) if precision else model.dtype).itemsize
    in_int8 = precision == "int8"
    scales = decoder.num_hidden_layers * decoder.num_key_value_heads + in_int8
    return int(tokens * (decoder.hidden_size * item + scales * 4) + in_int8 * decoder.hidden_size * 4)


def _channel_scales(hidden: torch.Tensor) -> torch.Tensor:
    """How large each channel of states (T, H) is, (H,) float32: the root of its mean square."""
    size = hidden.square().mean(0).sqrt()
    return size.clamp(min=_SMALLEST_CHANNEL * float(size.median()) or 1.0)


@torch.inference_mode()
def to_device(memory: Memory, device: torch.device, dtype: torch.dtype) -> Memory:
    """The memory where and as the decoder computes: a kept one may come from the CPU, a file, another machine."""
    hidden = memory.hidden.to(device)
    if memory.hidden_scales is not None and memory.channel_scales is not None:
        hidden = hidden * memory.hidden_scales.to(device)[:, None] * memory.channel_scales.to(device)
    return Memory(hidden=hidden.to(dtype), key_inv_rms=memory.key_inv_rms.to(device))


def select_tokens(memory: Memory, rows: torch.Tensor) -> Memory:
    """Only these rows, (T,) bool: attention to them is attention to a memory of theirs alone."""
    if bool(rows.all()):
        return memory
    rows = rows.to(memory.hidden.device)
    return replace(
        memory,
        hidden=memory.hidden[rows],
        key_inv_rms=memory.key_inv_rms[..., rows],
        hidden_scales=None if memory.hidden_scales is None else memory.hidden_scales[rows],
    )


def join_memories(memories: Sequence[Memory]) -> Memory:
    """Memories of one precision behind each other. Attention over it is attention over one tensor of the same rows.

    In int8 they have the same channel scales (see `kept`).
    """
    if len(memories) == 1:
        return memories[0]
    scales = [memory.hidden_scales for memory in memories if memory.hidden_scales is not None]
    return Memory(
        hidden=torch.cat([memory.hidden for memory in memories]),
        key_inv_rms=torch.cat([memory.key_inv_rms for memory in memories], dim=-1),
        hidden_scales=torch.cat(scales) if scales else None,
        channel_scales=memories[0].channel_scales,
    )
