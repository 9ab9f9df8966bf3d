"""Train the low-rank difference: `python -m model.training.train --data FOLDER --folder FOLDER`.

On two cores `torchrun --nproc-per-node 2 -m model.training.train ...`, with OMP_NUM_THREADS=1: a process on each.
Resumable: everything is in the run folder (`state.pt`, `log.csv`), written atomically; start the same command again to
go on. A step encodes some documents once each and asks them some 100 questions.
"""

import argparse
import random
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from tokenizers import Tokenizer

from model.checkpoints import load_checkpoint
from model.checkpoints.adapter import load_adapter
from model.checkpoints.files import load_tokenizer
from model.checkpoints.gemma3 import assemble_base, gemma_config, read_gemma_weights, read_tokenizer
from model.checkpoints.initialise import Initialisation, build_model, initial_weights, t5gemma2_config
from model.checkpoints.placement import best_device, best_dtype
from model.training.curves import Log
from model.training.data import Tokens, TrainingPassage
from model.training.forward import Head, exact_matches
from model.training.mixture import Mixture
from model.training.packing import Batch
from model.training.real_documents import real_passages
from model.training.recipe import REAL, SHAPES, SOURCES, Recipe
from model.training.similarities import Similarities
from model.training.sources import keep_sources, kept_passages, load_sources
from model.training.trainer import Trainer
from model.training.workers import Workers, workers

CHECK_BATCHES, CHECK_DOCUMENTS = 3, 4  # for each check
FREQUENT_TOKENS = 12_000  # of the answers, that the head always knows


@dataclass(frozen=True, slots=True, kw_only=True)
class RealDocuments:
    """A folder of real documents with questions, and the file of their page texts (`python -m app.bench pages`).

    found_by: the checkpoint that chooses passages by its states, too; None: words alone do.
    """

    folder: Path
    pages: Path
    found_by: str | None = None

    def passages(self, run: Path, tokens: Tokens, *, development: bool) -> list[TrainingPassage]:
        file = run / f"real-{'development' if development else 'train'}.safetensors"

        def made() -> list[TrainingPassage]:
            similarities = None
            if self.found_by is not None:
                similarities = Similarities(load_checkpoint(self.found_by, cache_folder=run), run)
            return real_passages(self.folder, self.pages, tokens, similarities, development=development)

        return kept_passages(file, made)


def read_sources(
    data: Path, real: RealDocuments | None, run: Path, tokens: Tokens, most: int | None
) -> dict[str, list[TrainingPassage]]:
    """What is learned from, tokenized once, `most` passages of each source at most, but all about real documents."""
    longest = max(shape.length for shape in SHAPES.values())
    sources = keep_sources(run / "sources.safetensors", data / "train", SOURCES, tokens, longest=longest, most=most)
    return sources | ({REAL: real.passages(run, tokens, development=False)} if real else {})


def prepare(
    base: Path,
    sources: dict[str, list[TrainingPassage]],
    tokens: Tokens,
    recipe: Recipe,
    *,
    processes: Workers,
    loaders: int,
) -> Trainer:
    """The model at its start, with what it learns from."""
    device = best_device()
    dtype = best_dtype(device)
    gemma = read_gemma_weights(base, dtype)
    start, depth = Initialisation(encoder_layers=recipe.encoder_layers), gemma_config().num_hidden_layers
    weights = initial_weights(gemma, depth, start)
    model = build_model(t5gemma2_config(gemma_config(), start.encoder_layers), weights, dtype)
    torch.nn.Module.to(model, device)
    frequent = frequent_tokens(passage for passages in sources.values() for passage in passages)
    head = Head(model.lm_head.out_proj.weight.detach(), frequent.to(device))
    usual = initial_weights(gemma, depth, replace(start, identity_from=None))
    shares = {"unanswerable": recipe.unanswerable, "whole": recipe.whole}
    mixture = Mixture(sources, recipe.mixture, tokens, "train", **shares)
    return Trainer(model, head, mixture, recipe, usual, workers=processes, loaders=loaders)


def frequent_tokens(passages: Iterable[TrainingPassage]) -> torch.Tensor:
    """The most frequent tokens of the answers, at most `FREQUENT_TOKENS`."""
    counts = Counter(token for passage in passages for pair in passage.pairs for token in pair.answer)
    return torch.tensor([token for token, _ in counts.most_common(FREQUENT_TOKENS)])


def make_checks(folder: Path, real: Sequence[TrainingPassage], tokens: Tokens) -> dict[str, list[Batch]]:
    """Fixed batches that are never trained on: generated records in unseen names, the dev rows, real documents."""
    rng = random.Random(7)
    shape = SHAPES["passage"]
    files = {"short": ["short"], "forms_dev": ["forms"]}
    sources = load_sources(folder, files, tokens, longest=shape.length, answerable=True)
    sources |= {REAL: list(real)} if real else {}
    checks = {}
    for name in ("records", *sources):
        mixture = Mixture(sources, {name: 1.0}, tokens, "check")
        checks[name] = [mixture.batch([shape] * CHECK_DOCUMENTS, rng) for _ in range(CHECK_BATCHES)]
    return checks


def kept_tokenizer(base: Path, folder: Path) -> Tokenizer:
    """The tokenizer, converted once."""
    if not folder.exists():
        read_tokenizer(base).save_pretrained(folder)
    return load_tokenizer(folder, name=str(folder))


def argument_parser() -> argparse.ArgumentParser:
    """Options that torchrun does not take for abbreviations of its own, such as `--run-path` and `--start-method`."""
    parser = argparse.ArgumentParser(prog="python -m model.training.train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with train/*.jsonl.gz and dev/*.jsonl.gz")
    parser.add_argument("--real", type=Path, help="folder of real documents, with questions.jsonl and documents.jsonl")
    parser.add_argument("--pages", type=Path, help="their page texts, as `python -m app.bench pages` writes them")
    parser.add_argument(
        "--found-by",
        metavar="CHECKPOINT",
        help="choose their passages by this checkpoint's states, too: `embedded`, where the encoder stays frozen",
    )
    parser.add_argument("--folder", type=Path, required=True, help="folder of this run: state, log, base weights")
    parser.add_argument(
        "--adapter", type=Path, help="an adapter of the same rank to start from, such as assets/embedded.safetensors"
    )
    parser.add_argument("--steps", type=int, default=Recipe().steps)
    parser.add_argument("--learning-rate", type=float, default=Recipe().learning_rate)
    parser.add_argument("--documents", type=int, default=Recipe().documents, help="of a step")
    parser.add_argument("--contexts", type=int, help="of each source at most (default: all)")
    parser.add_argument(
        "--encoder-layers",
        type=int,
        default=Recipe().encoder_layers,
        help="of Gemma's 18; the start's, to go on from it",
    )
    parser.add_argument("--frozen-encoder", action="store_true", help="the decoder alone learns")
    parser.add_argument(
        "--unanswerable", type=float, default=Recipe().unanswerable, help="share of such questions that are asked"
    )
    parser.add_argument("--loaders", type=int, default=0, help="further processes that lay out documents: for a GPU")
    parser.add_argument("--check-every", type=int, default=50)
    return parser


def main() -> None:
    arguments = argument_parser().parse_args()
    torch.manual_seed(0)
    recipe = Recipe(
        steps=arguments.steps,
        learning_rate=arguments.learning_rate,
        documents=arguments.documents,
        passages=arguments.contexts,
        encoder_layers=arguments.encoder_layers,
        frozen_encoder=arguments.frozen_encoder,
        unanswerable=arguments.unanswerable,
    )
    run: Path = arguments.folder
    run.mkdir(parents=True, exist_ok=True)
    with workers() as processes:
        with processes.in_turn():
            base = assemble_base(run)
            tokens = Tokens(kept_tokenizer(base, run / "tokenizer"))
            real = _real_documents(arguments)
            sources = read_sources(arguments.data, real, run, tokens, recipe.passages)
            held = real.passages(run, tokens, development=True) if real else []
        trainer = prepare(base, sources, tokens, recipe, processes=processes, loaders=arguments.loaders)
        if (run / "state.pt").exists():
            trainer.restore(run / "state.pt")
        elif arguments.adapter is not None:
            trainer.begin_with(load_adapter(arguments.adapter).by_name())
        checks = make_checks(arguments.data / "dev", held, tokens) if processes.rank == 0 else {}
        train(trainer, checks, run, arguments.check_every)


def _real_documents(arguments: argparse.Namespace) -> RealDocuments | None:
    if not arguments.real:
        return None
    return RealDocuments(folder=arguments.real, pages=arguments.pages, found_by=arguments.found_by)


def train(trainer: Trainer, checks: dict[str, list[Batch]], run: Path, check_every: int) -> None:
    """Step by step to the recipe's end; the first process saves the state and makes the checks now and then."""
    log = Log(run, list(checks))
    first = trainer.workers.rank == 0
    while trainer.step < trainer.recipe.steps:
        started = time.perf_counter()
        figures = trainer.train_step()
        seconds = time.perf_counter() - started
        if first and trainer.step % check_every == 0:
            trainer.save(run / "state.pt")
            figures |= {name: exact_matches(trainer.model, trainer.head, batches) for name, batches in checks.items()}
        if first:
            log.add({"step": trainer.step, "seconds": seconds, **figures})
    if first:
        trainer.save(run / "state.pt")


if __name__ == "__main__":
    main()
