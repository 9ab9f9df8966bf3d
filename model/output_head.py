"""The output head: 262,144 logits from 640 numbers, the largest matrix that a token goes through.

On the CPU it is read in int8 (one scale a row), a quarter of float32's bytes and half of bfloat16's. That is exact
enough to find the likeliest tokens, not to tell two of them apart: so the best `_CANDIDATES` get their exact logits.
Greedy decoding is unchanged unless int8 throws the best token out of that many.
"""

from __future__ import annotations

import torch
from torch.nn import functional
from transformers import T5Gemma2ForConditionalGeneration

from model.int8 import LARGEST

_CANDIDATES = 64
_MOST_ROWS = 4  # more questions at once use the processor better in full precision
_ROWS_AT_ONCE = 8192  # of the matrix, while it is quantised: they stay in the cache


class OutputHead:
    """`model.lm_head` and its softcap. `int8` keeps a second copy of the matrix, for the CPU."""

    def __init__(self, model: T5Gemma2ForConditionalGeneration, *, int8: bool = False) -> None:
        self._weight = model.lm_head.out_proj.weight.detach()
        self._softcap: float | None = model.model.decoder.config.final_logit_softcapping
        usable = int8 and self._weight.device.type == "cpu" and hasattr(torch, "_weight_int8pack_mm")
        self._quantised = _quantise(self._weight) if usable else None

    @torch.inference_mode()
    def __call__(self, hidden: torch.Tensor) -> torch.Tensor:
        """hidden (N, H) of the decoder's last norm -> logits (N, vocabulary) in float32."""
        if self._quantised is None or len(hidden) > _MOST_ROWS:
            logits = functional.linear(hidden, self._weight).float()
        else:
            logits = torch._weight_int8pack_mm(hidden.bfloat16(), *self._quantised).float()
            best = logits.topk(min(_CANDIDATES, logits.shape[1])).indices  # (N, candidates)
            exact = (self._weight[best].float() @ hidden.float()[:, :, None])[..., 0]
            logits.scatter_(1, best, exact)
        return logits if self._softcap is None else self._softcap * torch.tanh(logits / self._softcap)


@torch.inference_mode()
def _quantise(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """weight (V, H) as int8 and a bfloat16 scale a row."""
    rows = torch.empty(weight.shape, dtype=torch.int8)
    scales = torch.empty(len(weight), dtype=torch.bfloat16)
    for part in range(0, len(weight), _ROWS_AT_ONCE):
        piece = slice(part, part + _ROWS_AT_ONCE)
        scales[piece] = weight[piece].abs().amax(1).clamp(min=1e-12) / LARGEST
        rows[piece] = (weight[piece] / scales[piece, None].to(weight.dtype)).round_().clamp_(-LARGEST, LARGEST)
    return rows, scales
