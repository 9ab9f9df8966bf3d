"""The projection for late interaction: trained on frozen encoder states, with other passages as negatives.

A question's score for a passage is MaxSim (`model/answering/late_interaction.py`); the loss is the cross-entropy of the
right passage among all passages of the batch. Those of the question's own text are the hard negatives. Both matrices
begin as whitening: the principal directions of the states, each scaled to unit variance, which without any training is
already better than words alone across languages. Some thousand passages train in minutes on a CPU.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

from model.answering.late_interaction import projected
from model.types import RetrievalProjection

SIZE = 128
TEXTS_AT_ONCE = 20
QUESTIONS_OF_A_TEXT = 3
RATE = 2e-3
_SAMPLED = 20_000  # states that the whitening is computed from
_START_TEMPERATURE = 30.0  # what similarities are multiplied by before the softmax


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedText:
    """A text for training. states: (T, H). passages: tokens [first, last) each. questions: (states (Q, H), passage)."""

    states: torch.Tensor
    passages: tuple[tuple[int, int], ...]
    questions: tuple[tuple[torch.Tensor, int], ...]


def whitening(states: torch.Tensor, size: int = SIZE) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean (H,) of states (N, H), and the matrix (H, size) of their whitened principal directions."""
    mean = states.mean(0)
    sampled = (states - mean)[torch.randperm(len(states), generator=torch.Generator().manual_seed(0))[:_SAMPLED]]
    _, scales, directions = torch.linalg.svd(sampled, full_matrices=False)
    return mean, directions[:size].T / (scales[:size] / math.sqrt(len(sampled))).clamp(min=1e-6)


class ProjectionModel(nn.Module):
    """Both sides' matrices and means, and the temperature of the loss."""

    def __init__(self, states: torch.Tensor, size: int = SIZE) -> None:
        super().__init__()
        mean, matrix = whitening(states, size)
        self.document_mean, self.document = nn.Parameter(mean.clone()), nn.Parameter(matrix / 8)
        self.question_mean, self.question = nn.Parameter(mean.clone()), nn.Parameter(matrix / 8)
        self.log_temperature = nn.Parameter(torch.tensor(math.log(_START_TEMPERATURE)))

    def loss(self, texts: Sequence[EncodedText], draw: random.Random) -> torch.Tensor:
        """Of some questions of each text, over all passages of all texts."""
        owner, first = [], 0
        questions: list[tuple[torch.Tensor, int]] = []
        for text in texts:
            owner.append(_owner(text, first))
            drawn = draw.sample(text.questions, min(QUESTIONS_OF_A_TEXT, len(text.questions)))
            questions += [(states, first + passage) for states, passage in drawn]
            first += len(text.passages)
        document = projected(torch.cat([text.states for text in texts]), self.document_mean, self.document)
        asked = projected(torch.cat([states for states, _ in questions]), self.question_mean, self.question)
        best = asked.new_full((len(asked), first + 1), -1.0)
        best = best.scatter_reduce(1, torch.cat(owner).expand(len(asked), -1), asked @ document.T, "amax")
        by_question = best[:, 1:].split([len(states) for states, _ in questions])
        scores = torch.stack([part.mean(0) for part in by_question])
        right = torch.tensor([passage for _, passage in questions])
        return functional.cross_entropy(scores * self.log_temperature.exp(), right)

    def projection(self) -> RetrievalProjection:
        return RetrievalProjection(
            document=self.document.detach(),
            question=self.question.detach(),
            document_mean=self.document_mean.detach(),
            question_mean=self.question_mean.detach(),
        )


def train(
    texts: Sequence[EncodedText], *, steps: int, report: Callable[[int, float], None], seed: int = 1
) -> RetrievalProjection:
    """Train on the texts; `report` gets each step and its loss."""
    draw = random.Random(seed)
    model = ProjectionModel(torch.cat([text.states[::7] for text in texts]).float())
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=1e-4)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / 20) * (1 - step / steps) + 1e-5
        loss = model.loss(draw.sample(texts, min(TEXTS_AT_ONCE, len(texts))), draw)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        report(step, loss.item())
    return model.projection()


def write_projection(projection: RetrievalProjection, file: Path) -> None:
    """Write it in float16: half the bytes, and similarities to three digits."""
    names = "document", "question", "document_mean", "question_mean"
    save_file({name: getattr(projection, name).half().contiguous() for name in names}, file)


def _owner(text: EncodedText, first: int) -> torch.Tensor:
    """The number of each token's passage (T,), counted from 1 + first; 0 for a token of none."""
    owner = torch.zeros(len(text.states), dtype=torch.long)
    for index, (start, end) in enumerate(text.passages, start=first + 1):
        owner[start:end] = index
    return owner
