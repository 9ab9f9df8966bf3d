"""T5Gemma 2's two text stacks: transformers' modules by name, weights and numbers, without transformers.

Importing transformers' own takes longer than importing torch, and the engine never calls their attention. So the
embedded checkpoint, which has no vision tower and lies on one device, is made of these; any other is transformers' own
class. The engine takes either (`T5Gemma2`). These are the weights; the forward passes are `encoder/encoder.py` and
`decoder/forward.py`, and what attention does with them is the `attention.py` beside each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

_FILE = "model.safetensors"
_STORED = re.compile(r"^(model\.encoder\.)(?=layers|embed_tokens|norm)")  # as some versions of transformers write it
_TIED = ("lm_head.out_proj.weight", "model.decoder.embed_tokens.weight", "model.encoder.text_model.embed_tokens.weight")

Rotary = tuple[torch.Tensor, torch.Tensor]
"""cos and sin, (N, T, D)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackConfig:
    """One stack's part of config.json, under transformers' names."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    layer_types: tuple[str, ...]
    sliding_window: int
    max_position_embeddings: int
    query_pre_attn_scalar: float
    rms_norm_eps: float
    final_logit_softcapping: float | None
    bos_token_id: int
    eos_token_id: int
    rope_parameters: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> StackConfig:
        """From a dict that holds these and others. Raises KeyError for one that lacks some."""
        return cls(**{name: values[name] for name in cls.__slots__})


class T5Gemma2(Protocol):
    """What the engine needs of a model: `TextT5Gemma2`, or transformers' `T5Gemma2ForConditionalGeneration`."""

    model: Any  # encoder.text_model and decoder, each with config, embed_tokens, layers, norm and rotary_emb
    lm_head: Any  # out_proj

    @property
    def device(self) -> torch.device: ...

    @property
    def dtype(self) -> torch.dtype: ...

    def parameters(self) -> Iterator[nn.Parameter]: ...


class RMSNorm(nn.Module):
    """Computed in float32, with the gain stored as its difference from one."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.empty(size))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gain = 1.0 + self.weight.float()
        if x.device.type != "cpu":
            return functional.rms_norm(x.float(), self.weight.shape, gain, self.eps).type_as(x)
        # On a CPU that is made of six passes, each with a tensor of its own: two to six times as slow for a document
        wide = x.to(torch.float32, copy=True)
        square = torch.linalg.vector_norm(wide, dim=-1, keepdim=True).square_().div_(wide.shape[-1])
        return wide.mul_(square.add_(self.eps).rsqrt_()).mul_(gain).type_as(x)


class ScaledEmbedding(nn.Embedding):
    """Token ids (N, T) -> (N, T, H), times the square root of H."""

    def __init__(self, vocabulary: int, size: int) -> None:
        # Filled by nobody: on the meta device that alone would import torch._dynamo, for seconds.
        super().__init__(vocabulary, size, _weight=torch.empty(vocabulary, size))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        # Made on a GPU it would be waited for.
        rounded = torch.tensor(self.embedding_dim**0.5, dtype=self.weight.dtype).item()
        return super().forward(ids) * rounded


class RotaryEmbedding(nn.Module):
    """The angles of a position, by kind of layer; global layers turn slower."""

    def __init__(self, config: StackConfig) -> None:
        super().__init__()
        self._config = config

    def forward(self, x: torch.Tensor, positions: torch.Tensor, kind: str) -> Rotary:
        """cos and sin, (N, T, D), of positions (N, T), where and as x is."""
        rope, size = self._config.rope_parameters[kind], self._config.head_dim
        powers = torch.arange(0, size, 2, dtype=torch.float, device=x.device) / size
        frequencies = 1.0 / (rope["rope_theta"] ** powers * rope.get("factor", 1.0))
        angles = (positions[..., None].float() * frequencies).repeat(1, 1, 2)
        return angles.cos().to(x.dtype), angles.sin().to(x.dtype)


def rotated(heads: torch.Tensor, rotary: Rotary) -> torch.Tensor:
    """RoPE: heads (N, heads, T, D), each pair of numbers D / 2 apart turned by its position's angle."""
    cos, sin = (table[:, None] for table in rotary)
    first, second = heads.chunk(2, dim=-1)
    return heads * cos + torch.cat((-second, first), dim=-1) * sin


class Attention(nn.Module):
    """The projections and norms of an attention layer. The decoder's are used for its own tokens and the document's."""

    def __init__(self, config: StackConfig, layer_idx: int) -> None:
        super().__init__()
        self.config = config
        self.layer_idx = layer_idx
        self.head_dim = config.head_dim
        self.num_key_value_groups = config.num_attention_heads // config.num_key_value_heads
        self.scaling = config.query_pre_attn_scalar**-0.5
        self.is_sliding = config.layer_types[layer_idx] == "sliding_attention"
        self.sliding_window = config.sliding_window if self.is_sliding else None
        queries, keys = (n * config.head_dim for n in (config.num_attention_heads, config.num_key_value_heads))
        self.q_proj = nn.Linear(config.hidden_size, queries, bias=False)
        self.k_proj = nn.Linear(config.hidden_size, keys, bias=False)
        self.v_proj = nn.Linear(config.hidden_size, keys, bias=False)
        self.o_proj = nn.Linear(queries, config.hidden_size, bias=False)
        self.q_norm = RMSNorm(config.head_dim, config.rms_norm_eps)
        self.k_norm = RMSNorm(config.head_dim, config.rms_norm_eps)


class FeedForward(nn.Module):
    """Gated, with GELU's tanh approximation."""

    def __init__(self, config: StackConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down_proj(functional.gelu(self.gate_proj(x), approximate="tanh") * self.up_proj(x))


class Layer(nn.Module):
    """The parts of a layer, of either stack."""

    def __init__(self, config: StackConfig, layer_idx: int) -> None:
        super().__init__()
        self.self_attn = Attention(config, layer_idx)
        self.mlp = FeedForward(config)
        self.pre_self_attn_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_self_attn_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.pre_feedforward_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_feedforward_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)


class Stack(nn.Module):
    """A stack's layers and what stands before and behind them. Both stacks and the head share one embedding."""

    def __init__(self, config: StackConfig, embed_tokens: ScaledEmbedding) -> None:
        super().__init__()
        self.config = config
        self.embed_tokens = embed_tokens
        self.layers = nn.ModuleList(Layer(config, index) for index in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.rotary_emb = RotaryEmbedding(config)


class TextT5Gemma2(nn.Module):
    """Both stacks, where transformers has them: `model.encoder.text_model`, `model.decoder`, `lm_head.out_proj`."""

    def __init__(self, encoder: StackConfig, decoder: StackConfig) -> None:
        super().__init__()
        embedding = ScaledEmbedding(decoder.vocab_size, decoder.hidden_size)
        self.model: Any = nn.Module()
        self.model.encoder = nn.Module()
        self.model.encoder.text_model = Stack(encoder, embedding)
        self.model.decoder = Stack(decoder, embedding)
        self.lm_head: Any = nn.Module()
        self.lm_head.out_proj = nn.Linear(decoder.hidden_size, decoder.vocab_size, bias=False)
        self.tie_weights()

    def tie_weights(self) -> None:
        """Make the output head the embedding."""
        self.lm_head.out_proj.weight = self.model.decoder.embed_tokens.weight

    @property
    def device(self) -> torch.device:
        return self.lm_head.out_proj.weight.device

    @property
    def dtype(self) -> torch.dtype:
        return self.lm_head.out_proj.weight.dtype


def load_text_t5gemma2(folder: Path, device: torch.device, dtype: torch.dtype) -> TextT5Gemma2:
    """The text stacks of a folder in transformers' layout; a vision tower in it is left alone.

    In the file's own dtype, on the CPU, the weights are the mapped file. Raises OSError, ValueError, KeyError or
    RuntimeError for a folder that is damaged or holds something else.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    with torch.device("meta"):
        model = TextT5Gemma2(StackConfig.of(config["encoder"]["text_config"]), StackConfig.of(config["decoder"]))
    stored = {_STORED.sub(r"\1text_model.", name): value for name, value in load_file(folder / _FILE).items()}
    weights = {name: stored[name].to(device, dtype) for name in model.state_dict().keys() & stored.keys()}
    embedding = next(weights[name] for name in _TIED if name in weights)
    model.load_state_dict(weights | dict.fromkeys(_TIED, embedding), assign=True)
    model.tie_weights()
    return model.requires_grad_(False).eval()


def reach(sliding_window: int) -> tuple[int, int]:
    """How many tokens behind and ahead of itself a token of a local layer sees."""
    return (sliding_window + 1) // 2 - 1, sliding_window // 2
