"""The output head: 262,144 logits from 640 numbers, the largest matrix that a token goes through.

On the CPU it is read in four bits a number where there are matrix tiles (`model/kernels/output_head.py`), else in int8
(one scale a row), a half of bfloat16's bytes and a quarter of float32's. That is exact enough to find the likeliest
tokens, not to tell two of them apart: so the best get their exact logits. Greedy decoding is unchanged unless the best
token is thrown out of 2,048 (of 64 in int8).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from model.kernels.output_head import NativeOutputHead
from model.network.int8 import quantized_pieces
from model.network.t5gemma2 import T5Gemma2
from model.network.topk import largest

_CANDIDATES = 64
_MOST_ROWS = 4  # more questions at once use the processor better in full precision
_MOST_ROWS_FBGEMM = {torch.float32: 64, torch.bfloat16: 8}

Product = Callable[[torch.Tensor], torch.Tensor]
"""hidden (N, H) -> nearly the logits (N, vocabulary), float32."""

_NO_PRODUCT: tuple[int, Product] = (0, torch.Tensor.float)


class OutputHead:
    """`model.lm_head` and its softcap. `quantized` keeps a second copy of the matrix, for the CPU; `native` is one."""

    def __init__(self, model: T5Gemma2, *, quantized: bool = False, native: NativeOutputHead | None = None) -> None:
        self._weight = model.lm_head.out_proj.weight.detach()
        self._softcap: float | None = model.model.decoder.config.final_logit_softcapping
        self._native = native
        usable = quantized and native is None and self._weight.device.type == "cpu"
        self._most_rows, self._nearly = _int8_product(self._weight) if usable else _NO_PRODUCT

    @torch.inference_mode()
    def __call__(self, hidden: torch.Tensor) -> torch.Tensor:
        """hidden (N, H) of the decoder's last norm -> logits (N, vocabulary) in float32."""
        if self._native is not None and len(hidden) <= self._native.MOST_ROWS:
            logits = self._native(hidden)
        elif len(hidden) > self._most_rows:
            logits = functional.linear(hidden, self._weight).float()
        else:
            logits = self._nearly(hidden)
            best = largest(logits, _CANDIDATES)  # (N, candidates)
            exact = (self._weight[best].float() @ hidden.float()[:, :, None])[..., 0]
            logits.scatter_(1, best, exact)
        return logits if self._softcap is None else self._softcap * torch.tanh(logits / self._softcap)


@torch.inference_mode()
def _int8_product(weight: torch.Tensor) -> tuple[int, Product]:
    """The product with weight (V, H) in int8, and for how many questions at most it pays.

    FBGEMM, on x86, rounds the inputs to 7 bits as well, and goes through the matrix nearly as fast as the memory gives
    it: 7 ms for one row and 9 for four on a Sapphire Rapids, where the other kernel takes 12 and 20, and bfloat16 20.
    """
    rows, scales = _quantize(weight)
    if "fbgemm" in torch.backends.quantized.supported_engines:
        packed = _packed(rows, scales)
        return _MOST_ROWS_FBGEMM.get(weight.dtype, 0), lambda hidden: torch.ops.quantized.linear_dynamic(
            hidden.float(), packed, reduce_range=True
        )
    if hasattr(torch, "_weight_int8pack_mm"):
        halved = scales.bfloat16()
        return _MOST_ROWS, lambda hidden: torch._weight_int8pack_mm(hidden.bfloat16(), rows, halved).float()
    return _NO_PRODUCT


def _packed(rows: torch.Tensor, scales: torch.Tensor) -> Any:
    """rows (V, H) int8 as FBGEMM wants them. PyTorch 2.13 warns that later ones may not have it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        zeros = torch.zeros(len(rows), dtype=torch.long)
        matrix = torch._make_per_channel_quantized_tensor(rows, scales.double(), zeros, 0)
        return torch.ops.quantized.linear_prepack(matrix, None)


@torch.inference_mode()
def _quantize(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """weight (V, H) as int8 and a float32 scale a row."""
    rows = torch.empty(weight.shape, dtype=torch.int8)
    scales = torch.empty(len(weight))
    for piece, some, of_some in quantized_pieces(weight):
        rows[piece], scales[piece] = some, of_some
    return rows, scales
