"""Train the low-rank difference: `python -m model.adapt.train --data FOLDER --run FOLDER`.

Resumable: everything is in the run folder (`state.pt`, `log.csv`), written atomically; start the same command again to
go on. A step encodes about 2,000 document tokens once and asks them some 40 questions.
"""

import argparse
import csv
import math
import os
import random
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from model.adapt.adapter import load_adapter
from model.adapt.base import assemble_base, gemma_config, read_gemma_weights, read_tokenizer
from model.adapt.data import Batch, Mixture, Passage, Shape, Tokens, read_rows
from model.adapt.forward import Head, answer_logits, exact_matches
from model.adapt.initialise import Initialisation, build_model, initial_weights, t5gemma2_config
from model.adapt.low_rank import add_low_rank

SHAPES = {
    "short": Shape(documents=8, windows=1, window=256, overlap=0, answers=192),
    "page": Shape(documents=4, windows=1, window=512, overlap=0, answers=384),
    "joined": Shape(documents=2, windows=2, window=512, overlap=128, answers=640),
}
SHAPE_WEIGHTS = {"short": 0.5, "page": 0.3, "joined": 0.2}
SOURCES = {
    "squad": ["squad11_train", "squad2_unans_train"],
    "squad_answerable": ["squad11_train"],
    "shifts": ["squadshifts"],
    "forms": ["receipts", "sroie"],
    "tables": ["tatqa_dev", "hitab", "wikitables"],
    "pages": ["policyqa", "doc2dial_rc_val", "nq_oracle", "fairytaleqa"],
    "languages": ["piaf", "squad_es", "squad_it", "xquad", "norquad", "poquad"],
}
MIXTURE = {
    "records": 0.25,
    "squad": 0.15,
    "squad_answerable": 0.28,
    "shifts": 0.10,
    "forms": 0.10,
    "tables": 0.04,
    "pages": 0.03,
    "languages": 0.05,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The training's settings."""

    rank: int = 64
    steps: int = 1500
    warmup: int = 20
    learning_rate: float = 1e-3
    gain_learning_rate: float = 2e-3  # relative to the gain's usual size in Gemma, which runs from 0.6 to 320
    clip: float = 1.0
    seed: int = 1


def used_tokens(sources: dict, tokens: Tokens) -> torch.Tensor:
    """Every token of the passages and pairs, and of a thousand generated records."""
    seen: set[int] = {tokens.eos, *tokens.separator}
    rng = random.Random(0)
    records = [tokens.record(rng, split) for split in ("train", "check") for _ in range(1000)]
    for passages in [*sources.values(), records]:
        for passage in passages:
            seen.update(passage.ids)
            for prompt, answer in passage.pairs:
                seen.update(prompt)
                seen.update(answer)
    return torch.tensor(sorted(seen))


def load_sources(
    folder: Path, names: dict[str, list[str]], tokens: Tokens, longest: int, *, answerable: bool = False
) -> dict[str, list[Passage]]:
    """Passages of each kind from the JSON-lines files in `folder`; on wish without the unanswerable questions."""
    sources = {}
    for kind, files in names.items():
        rows = (row for name in files for row in read_rows(folder / f"{name}.jsonl.gz"))
        rows = (row for row in rows if row["answers"] or not answerable)
        sources[kind] = tokens.passages(rows, longest)
        print(
            f"{kind}: {len(sources[kind])} passages, {sum(len(p.pairs) for p in sources[kind])} questions", flush=True
        )
    return sources


def learning_rate_factor(step: int, recipe: Recipe) -> float:
    """Linear warm-up, then a cosine that ends at a twentieth."""
    if step < recipe.warmup:
        return (step + 1) / recipe.warmup
    done = min(1.0, (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup))
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done))


def save_atomically(value: dict, file: Path) -> None:
    """Write beside the file, then rename: a run that dies leaves the last good state."""
    torch.save(value, file.with_suffix(".part"))
    os.replace(file.with_suffix(".part"), file)  # noqa: PTH105 - replaces on every platform


def optimizer_for(
    trained: dict[str, torch.nn.Parameter], gemma: dict[str, torch.Tensor], recipe: Recipe
) -> torch.optim.Optimizer:
    """AdamW without weight decay. Each norm has a rate in proportion to its gains in Gemma.

    Without that, the layers that start as identity stay so: their gains begin at 0, belong at 20 to 300, and one rate
    for all moved them by 0.005 in 300 steps.
    """
    usual = initial_weights(gemma, gemma_config().num_hidden_layers, Initialisation(identity_from=None))
    rates = {
        name: recipe.gain_learning_rate * float((1 + usual[name].float()).abs().mean())
        for name, value in trained.items()
        if value.ndim == 1
    }
    factors = [value for value in trained.values() if value.ndim == 2]
    groups = [{"params": factors, "base_lr": recipe.learning_rate}]
    groups += [{"params": [trained[name]], "base_lr": rate} for name, rate in rates.items()]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.0)


class Run:
    """A training run: the model with its trained difference, the data, and where it stands."""

    def __init__(self, arguments: argparse.Namespace, recipe: Recipe) -> None:
        self.folder: Path = arguments.run
        self.folder.mkdir(parents=True, exist_ok=True)
        self.recipe = recipe
        base = assemble_base(self.folder)
        self.tokens = Tokens(_tokenizer(base, self.folder / "tokenizer"))
        longest = max(shape.length for shape in SHAPES.values())
        sources = load_sources(arguments.data / "train", SOURCES, self.tokens, longest)
        self.mixture = Mixture(sources, MIXTURE, self.tokens, "train")
        gemma = read_gemma_weights(base)
        self.head = Head(gemma["embed_tokens.weight"], used_tokens(sources, self.tokens))
        self.model = build_model(t5gemma2_config(gemma_config()), initial_weights(gemma, 18))
        self.trained = add_low_rank(self.model, recipe.rank)
        self.optimizer = optimizer_for(self.trained, gemma, recipe)
        self.checks = self._checks(arguments.data / "dev")
        self.step = 0
        self._restore(arguments.start)

    def _checks(self, folder: Path) -> dict[str, list[tuple[Batch, Shape]]]:
        """Fixed batches that are never trained on: generated records in unseen names, and the dev rows."""
        rng = random.Random(7)
        files = {"short": ["short"], "forms_dev": ["forms"]}
        sources = load_sources(folder, files, self.tokens, SHAPES["short"].length, answerable=True)
        checks = {}
        for name in ("records", "short", "forms_dev"):
            mixture = Mixture(sources, {name: 1.0}, self.tokens, "check")
            mixture.prose = ["short"] if name == "short" else []
            shape = SHAPES["short"]
            checks[name] = [(mixture.batch(shape, rng), shape) for _ in range(4)]
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
        for name, value in values.items():
            self.trained[name].copy_(value)

    def save(self) -> None:
        trained = {name: value.detach() for name, value in self.trained.items()}
        state = {"step": self.step, "optimizer": self.optimizer.state_dict(), "trained": trained}
        save_atomically(state, self.folder / "state.pt")

    def train_step(self) -> tuple[float, float, str]:
        """One step; returns the loss in nats a token, the gradient's norm and the shape's name."""
        rng = random.Random(self.recipe.seed * 1_000_003 + self.step)
        name = rng.choices(list(SHAPE_WEIGHTS), list(SHAPE_WEIGHTS.values()))[0]
        shape = SHAPES[name]
        for group in self.optimizer.param_groups:
            group["lr"] = group["base_lr"] * learning_rate_factor(self.step, self.recipe)
        loss, _ = self.head.loss(*answer_logits(self.model, self.mixture.batch(shape, rng), shape))
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.trained.values(), self.recipe.clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        return loss.item(), norm.item(), name

    def log(self, row: dict[str, object]) -> None:
        file = self.folder / "log.csv"
        fields = ["step", "seconds", "shape", "loss", "norm", *self.checks]
        new = not file.exists()
        with file.open("a", newline="") as out:
            writer = csv.DictWriter(out, fields)
            if new:
                writer.writeheader()
            writer.writerow(row)
        print({key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()}, flush=True)


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
    parser.add_argument("--check-every", type=int, default=50)
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    torch.manual_seed(0)
    run = Run(arguments, Recipe(steps=arguments.steps, learning_rate=arguments.learning_rate))
    while run.step < arguments.steps:
        started = time.perf_counter()
        loss, norm, name = run.train_step()
        row: dict[str, object] = {"step": run.step, "shape": name, "loss": loss, "norm": norm}
        row["seconds"] = time.perf_counter() - started
        if run.step % arguments.check_every == 0:
            run.save()
            row |= {check: exact_matches(run.model, run.head, batches) for check, batches in run.checks.items()}
        run.log(row)
    run.save()


if __name__ == "__main__":
    main()
