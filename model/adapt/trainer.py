"""One training step after the other, and where the training stands.

On a CPU a document is a forward and a backward pass of its own, so nothing is padded; `threads` of them are worked on
side by side, each on one core, and their gradients are added up before the step. On a GPU a pass takes many.
"""

import itertools
import os
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import torch
from transformers import T5Gemma2ForConditionalGeneration

from model.adapt.data import IGNORED, Batch, Shape
from model.adapt.forward import Head, answer_logits
from model.adapt.low_rank import add_low_rank
from model.adapt.mixture import Mixture
from model.adapt.recipe import SHAPE_WEIGHTS, SHAPES, Recipe


class Trainer:
    """The model with its trained difference, the optimizer, and the number of steps done.

    `usual`: Gemma's own norm gains, under the names that `low_rank.add_low_rank` gives the trained ones.
    """

    def __init__(
        self,
        model: T5Gemma2ForConditionalGeneration,
        head: Head,
        mixture: Mixture,
        recipe: Recipe,
        usual: dict[str, torch.Tensor],
        *,
        shapes: dict[str, Shape] | None = None,
    ) -> None:
        self.model, self.head, self.mixture, self.recipe = model, head, mixture, recipe
        self.shapes = {name: replace(shape, documents=recipe.batch) for name, shape in (shapes or SHAPES).items()}
        self.trained = add_low_rank(model, recipe.rank)
        learning = dict(self.trained)
        if recipe.frozen_encoder:
            model.model.encoder.requires_grad_(False)
            learning = {name: value for name, value in self.trained.items() if value.requires_grad}
        self.optimizer = optimizer_for(learning, usual, recipe)
        self.step = 0

    def train_step(self, pool: ThreadPoolExecutor) -> dict[str, float]:
        """One step; returns the document tokens read, the loss in nats a token and the gradient's norm."""
        rng = random.Random(self.recipe.seed * 1_000_003 + self.step)
        weights = [SHAPE_WEIGHTS[name] for name in self.shapes]
        shapes = rng.choices(list(self.shapes.values()), weights, k=self.recipe.documents)
        batches = [self.mixture.batch(shape, rng) for shape in shapes]
        tokens = sum(int((batch.targets != IGNORED).sum()) for batch in batches)
        for group in self.optimizer.param_groups:
            group["lr"] = group["base_lr"] * self.recipe.factor(self.step)
        loss = sum(pool.map(self._backward, batches, shapes, itertools.repeat(tokens)))
        learning = [value for group in self.optimizer.param_groups for value in group["params"]]
        norm = torch.nn.utils.clip_grad_norm_(learning, self.recipe.clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        read = sum(batch.window_ids.numel() for batch in batches)
        return {"tokens": read, "loss": loss, "norm": norm.item()}

    def _backward(self, batch: Batch, shape: Shape, tokens: int) -> float:
        """One forward pass's share of the step's loss, its gradients added to the others'."""
        loss, _ = self.head.loss(*answer_logits(self.model, batch, shape))
        (loss / tokens).backward()
        return loss.item() / tokens

    def save(self, file: Path) -> None:
        """Everything that going on needs, written beside the file and renamed: a run that dies leaves the last."""
        trained = {name: value.detach() for name, value in self.trained.items()}
        state = {"step": self.step, "optimizer": self.optimizer.state_dict(), "trained": trained}
        part = file.with_suffix(".part")
        torch.save(state, part)
        os.replace(part, file)  # noqa: PTH105 - replaces on every platform

    def restore(self, file: Path) -> None:
        """Go on where `save` was called."""
        state = torch.load(file, map_location=self.model.device, weights_only=True)
        self.step = state["step"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.begin_with(state["trained"])

    @torch.no_grad()
    def begin_with(self, values: dict[str, torch.Tensor]) -> None:
        """Take over a difference of the same rank; layers that this model lacks are left out."""
        for name, value in self.trained.items():
            value.copy_(values[name])


def optimizer_for(
    trained: dict[str, torch.nn.Parameter], usual: dict[str, torch.Tensor], recipe: Recipe
) -> torch.optim.Optimizer:
    """AdamW without weight decay. Each norm has a rate in proportion to its gains in Gemma, from 0.6 to 320."""
    groups = [{"params": [value for value in trained.values() if value.ndim == 2], "base_lr": recipe.learning_rate}]
    for name, value in trained.items():
        if value.ndim == 1:
            rate = recipe.gain_learning_rate * float((1 + usual[name].float()).abs().mean())
            groups.append({"params": [value], "base_lr": rate})
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.0)
