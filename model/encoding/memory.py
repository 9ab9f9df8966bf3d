"""The memory that the decoder attends to: encoder states with the inverse norms of their keys, in a given precision.

At 270M a token takes 1,280 bytes of states in bfloat16, or 640 and a scale in int8, beside 72 bytes of inverse norms.
Some channels of the states are hundreds of times as large as the others, so in int8 each channel has a scale as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from model.network.int8 import quantize
from model.network.kv_cache import KeyInvRms
from model.network.residency import weights_on_device
from model.network.t5gemma2 import T5Gemma2
from model.types import Memory, Precision

_SMALLEST_CHANNEL = 0.1  # of the median scale: a channel that is near zero in one chunk may be large in the next


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySizes:
    """What a memory's tensors and a decoder must agree on, beside the number of tokens."""

    channels: int
    layers: int
    key_heads: int

    @classmethod
    def of(cls, memory: Memory) -> MemorySizes:
        layers, key_heads, _ = memory.key_inv_rms.shape
        return cls(channels=memory.hidden.shape[1], layers=layers, key_heads=key_heads)

    def __str__(self) -> str:
        return f"{self.channels} channels, {self.layers} layers and {self.key_heads} key heads"


@torch.inference_mode()
def build_memory(model: T5Gemma2, hidden: torch.Tensor, key_inv_rms: KeyInvRms | None = None) -> Memory:
    """Build the memory of encoder states (T, H): the states, and `1 / rms(W_k h_t)` of every decoder layer and head.

    Cross keys carry no position (arXiv 2512.14856, section 2), so `k_norm(W_k h)` is `W_k h` times one number for each
    token and head, times a fixed gain: with that number, attention needs the states alone. `key_inv_rms`: native code
    that computes these numbers.
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
    """Convert the states to a precision; None leaves them as they are. int8 has a scale a token and one a channel.

    The channel scales are taken from the memory `beside`, with which this one will be joined.
    """
    if precision is None or memory.hidden.dtype == torch.int8:
        return memory
    if precision != "int8":
        return Memory(hidden=memory.hidden.to(getattr(torch, precision)), key_inv_rms=memory.key_inv_rms)
    hidden = memory.hidden.float()
    channels = _channel_scales(hidden) if beside is None or beside.channel_scales is None else beside.channel_scales
    rows, scales = quantize(hidden / channels)
    return Memory(hidden=rows, key_inv_rms=memory.key_inv_rms, hidden_scales=scales, channel_scales=channels)


def sizes_for(model: T5Gemma2) -> MemorySizes:
    """Those of every memory that this model's decoder can attend to."""
    config = model.model.decoder.config
    return MemorySizes(
        channels=config.hidden_size, layers=config.num_hidden_layers, key_heads=config.num_key_value_heads
    )


def bytes_in_precision(model: T5Gemma2, tokens: int, precision: Precision | None) -> int:
    """Bytes of a memory of so many tokens in a precision."""
    decoder = model.model.decoder.config
    item = (getattr(torch, precision) if precision else model.dtype).itemsize
    in_int8 = precision == "int8"
    scales = decoder.num_hidden_layers * decoder.num_key_value_heads + in_int8
    return int(tokens * (decoder.hidden_size * item + scales * 4) + in_int8 * decoder.hidden_size * 4)


def _channel_scales(hidden: torch.Tensor) -> torch.Tensor:
    """The root mean square of each channel of states (T, H): (H,) float32."""
    size = hidden.square().mean(0).sqrt()
    return size.clamp(min=_SMALLEST_CHANNEL * float(size.median()) or 1.0)


@torch.inference_mode()
def to_device(memory: Memory, device: torch.device, dtype: torch.dtype) -> Memory:
    """Move the memory to the decoder's device and dtype; int8 states are dequantized."""
    hidden = memory.hidden.to(device)
    if memory.hidden_scales is not None and memory.channel_scales is not None:
        hidden = hidden * memory.hidden_scales.to(device)[:, None] * memory.channel_scales.to(device)
    return Memory(hidden=hidden.to(dtype), key_inv_rms=memory.key_inv_rms.to(device))


def select_tokens(memory: Memory, rows: torch.Tensor) -> Memory:
    """The memory of some of its tokens, (T,) bool. Attention over it is attention with the others masked."""
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
    """Concatenate memories of one precision. In int8 they must share their channel scales (`to_precision`)."""
    if len(memories) == 1:
        return memories[0]
    scales = [memory.hidden_scales for memory in memories if memory.hidden_scales is not None]
    return Memory(
        hidden=torch.cat([memory.hidden for memory in memories]),
        key_inv_rms=torch.cat([memory.key_inv_rms for memory in memories], dim=-1),
        hidden_scales=torch.cat(scales) if scales else None,
        channel_scales=memories[0].channel_scales,
    )
