"""A checkpoint: weights, tokenizer and what is known about them. `model/checkpoints/` loads one by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from tokenizers import Tokenizer

from model.errors import NO_MESSAGE, Message
from model.network.t5gemma2 import T5Gemma2
from model.types import CalibrationWeights, RetrievalProjection, RouterWeights

if TYPE_CHECKING:
    from transformers import Gemma3ImageProcessorPil


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A T5Gemma 2, ready to read and answer: in eval mode, on its device, in its dtype."""

    name: str  # as the person named it: `embedded`, a hub name or a folder
    model: T5Gemma2
    tokenizer: Tokenizer
    chunk_size: int  # tokens that the encoder reads together
    chunk_overlap: int  # tokens that two neighbouring chunks share
    fingerprint: str  # of configuration and weights: an encoding belongs to the checkpoint that made it
    description: str  # one sentence for people: which checkpoint it is, and what it cannot do
    image_processor: Gemma3ImageProcessorPil | None = None  # None: it has no vision tower
    offloaded: Message = NO_MESSAGE  # one sentence for people: which weights are moved in only while they are used
    # Weights of the features by which it chooses among likely answers (`model/answering/reranker.py`); None: it gives
    # the likeliest.
    reranker_weights: Mapping[str, float] | None = None
    retrieval: RetrievalProjection | None = None  # compares questions with passages; None: words alone find passages
    router: RouterWeights | None = None  # tells what a question wants; None: always a fact
    calibration: CalibrationWeights | None = None  # how likely an answer is right; None: the decoder's probability
    passage_tokens: int | None = None  # tokens of passages that it answers best from; None: all

    @property
    def supports_vision(self) -> bool:
        """Whether it can read pictures of pages."""
        return self.image_processor is not None

    @property
    def bos(self) -> int:
        """The id that every chunk and every prompt begins with."""
        return int(self.model.model.decoder.config.bos_token_id or 0)

    @property
    def device(self) -> torch.device:
        return self.model.device

    @property
    def dtype(self) -> torch.dtype:
        return self.model.dtype
