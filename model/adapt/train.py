"""Train the low-rank difference: `python -m model.adapt.train --data FOLDER --run FOLDER`.

Resumable: everything is in the run folder (`state.pt`, `log.csv`), written atomically; start the same command again to
go on. A step encodes a few documents once each and asks them some 30 questions.
"""

import argparse
import itertools
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import torch
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from model.adapt.adapter import load_adapter
from model.adapt.base import assemble_base, gemma_config, read_gemma_weights, read_tokenizer
from model.adapt.curves import Log
from model.adapt.data import IGNORED, Batch, Mixture, Shape, Tokens
from model.adapt.forward import Head, answer_logits, exact_matches
from model.adapt.initialise import Initialisation, build_model, initial_weights, t5gemma2_config
from model.adapt.low_rank import add_low_rank
from model.adapt.recipe import SHAPE_WEIGHTS, SHAPES, SOURCES, Recipe
from model.adapt.sources import keep_sources, load_sources, used_tokens
from model.checkpoints.placement import best_device, best_dtype


def save_atomically(value: dict, file: Path) -> None:
    """Write beside the file, then rename: a run that dies leaves the last good state."""
    torch.save(value, file.with_suffix(".part"))
    os.replace(file.with_suffix(".part"), file)  # noqa: PTH105 - replaces on every platform


def optimizer_for(
    trained: dict[str, torch.nn.Parameter], gemma: dict[str, torch.Tensor], recipe: Recipe
) -> torch.optim.Optimizer:
    """AdamW without weight decay. Each norm has a rate in proportion to its gains in Gemma, from 0.6 to 320."""
    usual = initial_weights(gemma, gemma_config().num_hidden_layers)
    rates = {
        name: recipe.gain_learning_rate * float((1 + usual[name].float()).abs().mean())
        for name, value in trained.items()
        if value.ndim == 1
    }
    factors = [value for value in trained.values() if value.ndim == 2]
    groups = [{"params": factors, "base_lr": recipe.learning_rate}]
    groups += [{"params": [trained[name]], "base_lr": rate} for name, rate in rates.items()]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.0, foreach=True)


class Run:
    """A training run: the model with its trained difference, the data, and where it stands."""

    def __init__(self, arguments: argparse.Namespace, recipe: Recipe) -> None:
        self.folder: Path = arguments.run
        self.folder.mkdir(parents=True, exist_ok=True)
        self.recipe = recipe
        base = assemble_base(self.folder)
        self.tokens = Tokens(_tokenizer(base, self.folder / "tokenizer"))
        longest = max(shape.length for shape in SHAPES.values())
        kept, rows = self.folder / "sources.safetensors", arguments.data / "train"
        sources = keep_sources(kept, rows, SOURCES, self.tokens, longest=longest, most=recipe.passages)
        self.mixture = Mixture(sources, recipe.mixture, self.tokens, "train")
        dtype = best_dtype(best_device())
        gemma = read_gemma_weights(base, dtype)
        everything = itertools.chain.from_iterable(sources.values())
        self.head = Head(gemma["embed_tokens.weight"], used_tokens(everything, self.tokens))
        start = Initialisation()
        config = t5gemma2_config(gemma_config(), start.encoder_layers)
        self.model = build_model(config, initial_weights(gemma, gemma_config().num_hidden_layers, start), dtype)
        self.trained = add_low_rank(self.model, recipe.rank)
        self.optimizer = optimizer_for(self.trained, gemma, recipe)
        self.checks = self._checks(arguments.data / "dev")
        self.step = 0
        self._restore(arguments.start)

    def _checks(self, folder: Path) -> dict[str, list[tuple[Batch, Shape]]]:
        """Fixed batches that are never trained on: generated records in unseen names, and the dev rows."""
        rng = random.Random(7)
        files = {"short": ["short"], "forms_dev": ["forms"]}
        shape = replace(SHAPES["passage"], documents=4)
        sources = load_sources(folder, files, self.tokens, longest=shape.length, answerable=True)
        checks = {}
        for name in ("records", "short", "forms_dev"):
            mixture = Mixture(sources, {name: 1.0}, self.tokens, "check")
            checks[name] = [(mixture.batch(shape, rng), shape) for _ in range(3)]
        return checks

    def _restore(self, start: Path | None) -> None:
        state_file = self.folder / "state.pt"
        if state_file.exists():
            state = torch.load(state_file, weights_only=True)
            self.step = state["step"]
            self.optimizer.load_state_dict(state["optimizer"])
            self._load_difference(state["trained"])
        elif start is not None:
            self._load_difference(load_adapter(start).by_name())

    @torch.no_grad()
    def _load_difference(self, values: dict[str, torch.Tensor]) -> None:
        for name, value in self.trained.items():
            value.copy_(values[name])

    def save(self) -> None:
        trained = {name: value.detach() for name, value in self.trained.items()}
        state = {"step": self.step, "optimizer": self.optimizer.state_dict(), "trained": trained}
        save_atomically(state, self.folder / "state.pt")

    def _backward(self, batch: Batch, shape: Shape, tokens: int) -> float:
        """One document's share of the step's loss, its gradients added to the others'."""
        loss, _ = self.head.loss(*answer_logits(self.model, batch, shape))
        (loss / tokens).backward()
        return loss.item() / tokens

    def train_step(self, pool: ThreadPoolExecutor) -> dict[str, float]:
        """One step; returns the document tokens read, the loss in nats a token and the gradient's norm."""
        rng = random.Random(self.recipe.seed * 1_000_003 + self.step)
        names = rng.choices(list(SHAPE_WEIGHTS), list(SHAPE_WEIGHTS.values()), k=self.recipe.documents)
        shapes = [SHAPES[name] for name in names]
        batches = [self.mixture.batch(shape, rng) for shape in shapes]
        tokens = sum(int((batch.targets != IGNORED).sum()) for batch in batches)
        for group in self.optimizer.param_groups:
            group["lr"] = group["base_lr"] * self.recipe.factor(self.step)
        loss = sum(pool.map(self._backward, batches, shapes, itertools.repeat(tokens)))
        norm = torch.nn.utils.clip_grad_norm_(self.trained.values(), self.recipe.clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        read = sum(batch.window_ids.numel() for batch in batches)
        return {"tokens": read, "loss": loss, "norm": norm.item()}


def _tokenizer(base: Path, folder: Path) -> PreTrainedTokenizerBase:
    if not folder.exists():
        read_tokenizer(base).save_pretrained(folder)
    return AutoTokenizer.from_pretrained(folder)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m model.adapt.train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with train/*.jsonl.gz and dev/*.jsonl.gz")
    parser.add_argument("--run", type=Path, required=True, help="folder of this run: state, log, base weights")
    parser.add_argument(
        "--start", type=Path, help="an adapter of the same rank to start from, such as assets/embedded.safetensors"
    )
    parser.add_argument("--steps", type=int, default=Recipe().steps)
    parser.add_argument("--learning-rate", type=float, default=Recipe().learning_rate)
    parser.add_argument("--documents", type=int, default=Recipe().documents, help="documents of a step")
    parser.add_argument("--passages", type=int, help="of each source at most (default: all)")
    parser.add_argument("--check-every", type=int, default=50)
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    torch.manual_seed(0)
    recipe = Recipe(
        steps=arguments.steps,
        learning_rate=arguments.learning_rate,
        documents=arguments.documents,
        passages=arguments.passages,
    )
    run = Run(arguments, recipe)
    log = Log(run.folder, list(run.checks))
    torch.set_num_threads(1)  # each document has a thread of its own
    with ThreadPoolExecutor(recipe.threads) as pool:
        while run.step < arguments.steps:
            started = time.perf_counter()
            figures = run.train_step(pool)
            seconds = time.perf_counter() - started
            if run.step % arguments.check_every == 0:
                run.save()
                figures |= {name: exact_matches(run.model, run.head, batches) for name, batches in run.checks.items()}
            log.add({"step": run.step, "seconds": seconds, **figures})
    run.save()


if __name__ == "__main__":
    main()
