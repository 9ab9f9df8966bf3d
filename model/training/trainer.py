"""One training step after the other, and where the training stands.

A step's documents are shared out among processes (`workers.py`); each takes its own end to end through both stacks, and
their gradients are added up before the step.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import torch
from transformers import T5Gemma2ForConditionalGeneration

from model.training.batches import Batches
from model.training.forward import Head, answer_states
from model.training.lora import add_lora, merge
from model.training.mixture import Mixture
from model.training.packing import IGNORED, Batch, Shape
from model.training.recipe import SHAPES, Recipe
from model.training.workers import Workers


class Trainer:
    """The model with its trained difference, the optimizer, and the number of steps done.

    `usual`: Gemma's own norm gains, under the names that `lora.add_lora` gives the trained ones; `loaders`:
    processes that lay out the steps to come.
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
        workers: Workers | None = None,
        loaders: int = 0,
    ) -> None:
        self.model, self.head, self.recipe = model, head, recipe
        self.workers = workers or Workers()
        self.batches = Batches(mixture, recipe, shapes or SHAPES, self.workers)
        self._loaders = loaders
        self._coming: Iterator[Batch] | None = None
        self.trained = add_lora(model, recipe.rank)
        learning = dict(self.trained)
        if recipe.frozen_encoder:
            model.model.encoder.requires_grad_(False)
            learning = {name: value for name, value in self.trained.items() if value.requires_grad}
        self.optimizer = optimizer_for(learning, usual, recipe)
        self._sums = self._gradients_in_one(list(learning.values()))
        self.step = 0

    def _gradients_in_one(self, learning: list[torch.nn.Parameter]) -> torch.Tensor:
        """Every gradient as a part of one tensor, with the loss and two counts behind: one sum over all processes."""
        sums = torch.zeros(sum(value.numel() for value in learning) + 3, device=learning[0].device)
        parts = sums[:-3].split([value.numel() for value in learning])
        for value, part in zip(learning, parts, strict=True):
            value.grad = part.view_as(value)
        return sums

    def train_step(self) -> dict[str, float]:
        """One step; returns the document tokens read, the loss in nats a token and the gradient's norm."""
        if self._coming is None:
            self._coming = self.batches.coming(self.step, self._loaders)
        batch = next(self._coming)
        self._sums.zero_()
        loss, _ = self.head.loss(*answer_states(self.model, batch), batch)
        loss.backward()
        counts = [loss.item(), int((batch.targets != IGNORED).sum()), len(batch.chunk_ids)]
        self._sums[-3:] = torch.tensor(counts, device=self._sums.device)
        self.workers.add_up(self._sums)
        total, targets, read = self._sums[-3:].tolist()
        gradients = self._sums[:-3].div_(targets)
        norm = gradients.norm().item()
        gradients.mul_(min(1.0, self.recipe.clip / max(norm, 1e-6)))
        for group in self.optimizer.param_groups:
            group["lr"] = group["base_lr"] * self.recipe.factor(self.step)
        self.optimizer.step()
        merge(self.model)
        self.step += 1
        return {"tokens": read, "loss": total / targets, "norm": norm}

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
        self.step, self._coming = state["step"], None
        self.optimizer.load_state_dict(state["optimizer"])
        self.begin_with(state["trained"])

    @torch.no_grad()
    def begin_with(self, values: dict[str, torch.Tensor]) -> None:
        """Take over a difference of the same rank; layers that this model lacks are left out."""
        for name, value in self.trained.items():
            value.copy_(values[name])
        merge(self.model)


def optimizer_for(
    trained: dict[str, torch.nn.Parameter], usual: dict[str, torch.Tensor], recipe: Recipe
) -> torch.optim.Optimizer:
    """AdamW without weight decay. Each norm has a rate in proportion to its gains in Gemma, from 0.6 to 320."""
    groups = [{"params": [value for value in trained.values() if value.ndim == 2], "base_lr": recipe.learning_rate}]
    for name, value in trained.items():
        if value.ndim == 1:
            rate = recipe.gain_learning_rate * float((1 + usual[name].float()).abs().mean())
            groups.append({"params": [value], "base_lr": rate})
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True)
