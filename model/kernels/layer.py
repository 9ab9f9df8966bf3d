"""A layer of either stack, its weights packed as native code reads them."""

from __future__ import annotations

from typing import Any

import torch

from model.kernels.huge_pages import HugePages
from model.kernels.library import TILE_K
from model.kernels.pointers import pointer
from model.kernels.structs import NORMS, PROJECTIONS, Layer
from model.kernels.weight_panels import pack_int8_panels, pack_tiles

UNLIMITED = 2**30  # tokens before or after: more than any chunk has
_ALIGNMENT = 2**16  # bytes that a stack's copies take beside their numbers, at most

# Not queries: a few channels of what they are made of are huge, their weights small, and int8 loses those (14% of
# q_proj's output, under 1% of the others'). Nor keys and values, which are multiplied from both sides.
_IN_INT8 = {"o_proj", "gate_proj", "up_proj", "down_proj"}


def memory_for_copies(layers: torch.nn.Module, most_numbers: int) -> HugePages | None:
    """Memory for copies of the matrices of a stack's layers; None where they have more than so many numbers."""
    if sum(weight.numel() for weight in layers.parameters()) > most_numbers:
        return None
    return HugePages(sum(weight.nbytes for weight in layers.parameters()) + _ALIGNMENT)


class PackedLayer(Layer):
    """It keeps alive what it points at, but for matrices that are not copied."""

    def __init__(
        self,
        layer: Any,
        *,
        before: int,
        after: int,
        copies: HugePages | None = None,
        tiled: bool = False,
        in_int8: bool = False,
    ) -> None:
        """A token of `layer` attends to that many tokens before and after itself.

        `copies`: where the matrices are copied to; None: they are the module's, which must live as long. `tiled`: they
        are copied as tiles. `in_int8`: those of `_IN_INT8` are copied in int8.

        Raises ValueError for a matrix of another shape than the layer's sizes say.
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
            before=before,
            after=after,
            eps=attention.q_norm.eps,
            scaling=attention.scaling,
        )
        for part, names in PROJECTIONS.items():
            for name in names:
                weight = getattr(getattr(layer, part), name).weight.detach()
                pointer(weight, weight.dtype, *self._shape_of(name))
                if copies is not None:
                    weight = copies.copy(_packed(weight, tiled=tiled, in_int8=in_int8 and name in _IN_INT8))
                setattr(self, name, self._keep(weight))
                self.matrix_bytes += weight.nbytes
        for name, norm in NORMS.items():
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


def _packed(matrix: torch.Tensor, *, tiled: bool, in_int8: bool) -> torch.Tensor:
    if in_int8:
        return pack_int8_panels(matrix)
    return pack_tiles(matrix, TILE_K) if tiled else matrix
