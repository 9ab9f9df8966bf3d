"""What answering with one checkpoint needs beside its network, the same for all questions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from model.answering.confidence import Calibration
from model.answering.document_index import DocumentIndexes
from model.answering.reranker import Reranker
from model.answering.router import Router
from model.answering.tuning import FITTED, Tuning
from model.checkpoints.checkpoint import Checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweringParts:
    """What the stages of answering share; None where the checkpoint has no weights for it.

    router: tells what a question wants. reranker: chooses among candidate answers. calibration: tells how likely an
    answer is right. indexes: of the encodings that were asked. tuning: the numbers that benchmarks fit.
    """

    router: Router | None = None
    reranker: Reranker | None = None
    calibration: Calibration | None = None
    indexes: DocumentIndexes = field(default_factory=DocumentIndexes)
    tuning: Tuning = FITTED

    @classmethod
    def of(
        cls, checkpoint: Checkpoint, encode_question: Callable[[str], torch.Tensor], tuning: Tuning
    ) -> AnsweringParts:
        """The parts that a checkpoint has weights for.

        `encode_question`: a question's encoder states (Q, H), without `<bos>`; the router and retrieval both need them.
        """
        weights = checkpoint.reranker_weights
        return cls(
            router=Router(checkpoint.router, encode_question) if checkpoint.router else None,
            reranker=None if weights is None else Reranker(weights=weights),
            calibration=Calibration(checkpoint.calibration) if checkpoint.calibration else None,
            indexes=DocumentIndexes(checkpoint.retrieval, encode_question, tuning.passages),
            tuning=tuning,
        )
