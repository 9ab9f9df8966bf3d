"""A layer of either stack, as native code is given it: `layer.h` has the same structure."""

from __future__ import annotations

from ctypes import Structure, c_float, c_int32, c_void_p
from typing import Any

import torch

from model.kernels.large_pages import LargePages
from model.kernels.library import TILE_ROW
from model.kernels.pointers import pointer
from model.kernels.strips import as_tiles, int8_strips

ALL = 2**30  # tokens: as far as any window reaches
_MOST_COPIED = 2**27  # numbers of a stack's layers: those of a larger model take too much memory twice
_ALIGNMENT = 2**16  # bytes that a stack's copies take beside their numbers, at most

_PROJECTIONS = {
    "self_attn": ("q_proj", "k_proj", "v_proj", "o_proj"),
    "mlp": ("gate_proj", "up_proj", "down_proj"),
}
_NORMS = {
    "before_attention": "pre_self_attn_layernorm",
    "q_norm": "self_attn.q_norm",
    "k_norm": "self_attn.k_norm",
    "after_attention": "post_self_attn_layernorm",
    "before_feed_forward": "pre_feedforward_layernorm",
    "after_feed_forward": "post_feedforward_layernorm",
}

# Not queries: a few channels of what they are made of are huge, their weights small, and int8 loses those (14% of
# q_proj's output, under 1% of the others'). Nor keys and values, which are multiplied from both sides.
_IN_INT8 = {"o_proj", "gate_proj", "up_proj", "down_proj"}


def room_for_copies(layers: torch.nn.Module) -> LargePages | None:
    """Where copies of the matrices of a stack's layers may lie; None: they take too much memory twice."""
    if sum(weight.numel() for weight in layers.parameters()) > _MOST_COPIED:
        return None
    return LargePages(sum(weight.nbytes for weight in layers.parameters()) + _ALIGNMENT)


class Layer(Structure):
    _fields_ = [
        *((name, c_int32) for name in ("hidden", "inner", "heads", "key_heads", "head_dim")),
        *((name, c_int32) for name in ("tiled", "in_int8", "behind", "ahead")),
        *((name, c_float) for name in ("eps", "scaling")),
        *((name, c_void_p) for names in _PROJECTIONS.values() for name in names),
        *((name, c_void_p) for name in _NORMS),
    ]

    def __init__(
        self,
        layer: Any,
        *,
        behind: int,
        ahead: int,
        copies: LargePages | None = None,
        tiled: bool = False,
        in_int8: bool = False,
    ) -> None:
        """A token of `layer` sees so many tokens before and after itself.

        `copies`: where the matrices are copied; None: they are the module's, which must live as long. `tiled`: they are
        copied as tiles. `in_int8`: those of `_IN_INT8` are copied in int8.
        """
        attention, config = layer.self_attn, layer.self_attn.config
        self._kept: list[torch.Tensor] = []
        self.matrix_bytes = 0
        super().__init__(
            hidden=config.hidden_size,
            inner=layer.mlp.gate_proj.out_features,
            heads=config.num_attention_heads,
            key_heads=config.num_key_value_heads,
            head_dim=attention.head_dim,
            tiled=tiled,
            in_int8=in_int8,
            behind=behind,
            ahead=ahead,
            eps=attention.q_norm.eps,
            scaling=attention.scaling,
        )
        for part, names in _PROJECTIONS.items():
            for name in names:
                weight = getattr(getattr(layer, part), name).weight.detach()
                pointer(weight, weight.dtype, *self._shape_of(name))
                if copies is not None:
                    weight = copies.put(_as_read(weight, tiled=tiled, in_int8=in_int8 and name in _IN_INT8))
                setattr(self, name, self._keep(weight))
                self.matrix_bytes += weight.nbytes
        for name, norm in _NORMS.items():
            gain = 1.0 + layer.get_submodule(norm).weight.detach().float()
            setattr(self, name, self._keep(gain, self.head_dim if name in ("q_norm", "k_norm") else self.hidden))

    def _shape_of(self, name: str) -> tuple[int, int]:
        """Outputs and inputs of a matrix."""
        queries, keys = self.heads * self.head_dim, self.key_heads * self.head_dim
        outputs = {"q_proj": queries, "k_proj": keys, "v_proj": keys, "gate_proj": self.inner, "up_proj": self.inner}
        inputs = {"o_proj": queries, "down_proj": self.inner}
        return outputs.get(name, self.hidden), inputs.get(name, self.hidden)

    def _keep(self, tensor: torch.Tensor, *shape: int) -> int:
        self._kept.append(tensor)
        return pointer(tensor, tensor.dtype, *(shape or tensor.shape))


def _as_read(matrix: torch.Tensor, *, tiled: bool, in_int8: bool) -> torch.Tensor:
    if in_int8:
        return int8_strips(matrix)
    return as_tiles(matrix, TILE_ROW) if tiled else matrix
