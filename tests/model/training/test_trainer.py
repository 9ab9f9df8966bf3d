"""Laws of the training loop, on a tiny random model that learns by heart."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

import pytest
import torch

from model.checkpoints.adapter import averaged, write_adapter
from model.training.curves import read_log
from model.training.data import Tokens, TrainingPassage
from model.training.export import adapter_of
from model.training.forward import Head
from model.training.lora import LoraLinear, add_lora
from model.training.mixture import Mixture
from model.training.packing import Shape
from model.training.recipe import Recipe
from model.training.train import train
from model.training.trainer import Trainer
from model.training.workers import Workers
from tests.helpers.awaited import PATIENCE
from tests.helpers.tiny import TEXT, tiny_model, tiny_tokenizer

SHAPES = {"passage": Shape(chunks=1, chunk_size=300, overlap=0, answers=200, filled=False)}


def tiny_trainer(
    steps: int, *, frozen_encoder: bool = False, workers: Workers | None = None, dtype: torch.dtype = torch.float32
) -> Trainer:
    tokens = Tokens(tiny_tokenizer())
    pairs = tokens.pairs([("Question: Who?\nAnswer:", "Omar Haddad"), ("Question: When?\nAnswer:", "1907")])
    texts = [
        TrainingPassage(ids=tokens.encode([TEXT[start : start + 60]])[0], pairs=pairs) for start in range(0, 120, 20)
    ]
    model = tiny_model().to(dtype)
    usual = {name: value.detach().clone() for name, value in model.named_parameters() if value.ndim == 1}
    head = Head(model.model.encoder.text_model.embed_tokens.weight.detach(), torch.arange(400))
    recipe = Recipe(rank=4, steps=steps, documents=3, warmup=2, learning_rate=0.02, frozen_encoder=frozen_encoder)
    torch.manual_seed(1)
    mixture = Mixture({"prose": texts}, {"prose": 1.0}, tokens, "train")
    return Trainer(model, head, mixture, recipe, usual, shapes=SHAPES, workers=workers)


def losses(trainer: Trainer, count: int) -> list[float]:
    return [trainer.train_step()["loss"] for _ in range(count)]


def test_training_lowers_the_loss_and_leaves_what_is_frozen() -> None:
    trainer = tiny_trainer(15)
    frozen = [layer.frozen.clone() for layer in trainer.model.modules() if isinstance(layer, LoraLinear)]
    curve = losses(trainer, 15)
    assert sum(curve[-3:]) < 0.7 * sum(curve[:3])
    kept = [layer.frozen for layer in trainer.model.modules() if isinstance(layer, LoraLinear)]
    assert all(torch.equal(*pair) for pair in zip(frozen, kept, strict=True))


def test_a_frozen_encoder_stays_as_it_is_and_is_exported_all_the_same(tmp_path: Path) -> None:
    trainer = tiny_trainer(2, frozen_encoder=True)
    before = {name: value.detach().clone() for name, value in trainer.trained.items()}
    losses(trainer, 2)
    trainer.save(tmp_path / "state.pt")
    moved = {
        name for name, value in adapter_of(tmp_path / "state.pt").by_name().items() if (value != before[name]).any()
    }
    assert moved
    assert not any(name.startswith("model.encoder") for name in moved)


def test_a_step_in_bfloat16_is_nearly_the_one_in_float32() -> None:
    """Its chunks are longer than the band of the local layers."""
    [exact], [rounded] = (losses(tiny_trainer(1, dtype=dtype), 1) for dtype in (torch.float32, torch.bfloat16))
    assert rounded == pytest.approx(exact, rel=0.05)


def test_the_norms_of_the_two_stacks_are_trained_apart() -> None:
    """Both begin with the same tensors of Gemma's."""
    model = tiny_model()
    encoder, decoder = (
        stack.layers[0].self_attn.q_norm for stack in (model.model.encoder.text_model, model.model.decoder)
    )
    encoder.weight = decoder.weight
    add_lora(model, rank=2)
    with torch.no_grad():
        encoder.weight.add_(1)
    assert not torch.equal(encoder.weight, decoder.weight)


def test_a_run_that_was_cut_off_goes_on_as_if_it_had_not(tmp_path: Path) -> None:
    whole = losses(tiny_trainer(6), 6)
    first = tiny_trainer(6)
    begun = losses(first, 3)
    first.save(tmp_path / "state.pt")
    second = tiny_trainer(6)
    second.restore(tmp_path / "state.pt")
    assert second.step == 3
    assert begun + losses(second, 3) == pytest.approx(whole, rel=1e-4)


def test_other_processes_lay_out_the_same_steps_in_order() -> None:
    batches = tiny_trainer(4).batches
    here, there = ([batch.answer_ids.tolist() for batch in batches.coming(1, loaders)] for loaders in (0, 2))
    assert len(here) == 3 and here == there


@dataclass(frozen=True, slots=True, kw_only=True)
class Halves(Workers):
    """One of two processes: gives its part of a sum away, and gets the other's."""

    given: Queue[torch.Tensor]
    got: Queue[torch.Tensor]

    def add_up(self, values: torch.Tensor) -> None:
        self.given.put(values.clone())
        values.add_(self.got.get(timeout=PATIENCE))


def test_documents_shared_out_give_the_gradient_of_one_process() -> None:
    alone, queues = tiny_trainer(1), (Queue[torch.Tensor](), Queue[torch.Tensor]())
    halves = [
        tiny_trainer(1, workers=Halves(rank=rank, count=2, given=queues[rank], got=queues[1 - rank]))
        for rank in range(2)
    ]
    figures = alone.train_step()
    with ThreadPoolExecutor(2) as pool:
        for shared in pool.map(Trainer.train_step, halves):
            assert shared == pytest.approx(figures, rel=1e-4)
    for name, value in alone.trained.items():
        for half in halves:
            assert torch.allclose(value, half.trained[name], atol=1e-4), name


def test_a_run_leaves_a_log_and_an_adapter_that_can_be_exported(tmp_path: Path) -> None:
    trainer = tiny_trainer(4)
    train(trainer, {}, tmp_path, check_every=2)
    assert [step for step, _ in read_log(tmp_path / "log.csv")["loss"]] == [1, 2, 3, 4]
    adapter = adapter_of(tmp_path / "state.pt")
    again = tiny_trainer(4)
    again.begin_with(adapter.by_name())
    assert all(torch.equal(value, trainer.trained[name]) for name, value in again.trained.items())
    assert len(write_adapter(adapter, tmp_path / "adapter.safetensors")) == 64


def test_an_average_lies_between_the_run_and_its_start(tmp_path: Path) -> None:
    trainer = tiny_trainer(4)
    trainer.save(tmp_path / "start.pt")
    losses(trainer, 3)
    trainer.save(tmp_path / "end.pt")
    start, end = adapter_of(tmp_path / "start.pt"), adapter_of(tmp_path / "end.pt")
    mean = averaged(end, start, 0.25)
    for name, (up, down) in mean.factors.items():
        first, last = (one.factors[name][0].T @ one.factors[name][1] for one in (start, end))
        error = (up.T @ down - (0.75 * last + 0.25 * first)).norm()
        assert error <= 0.2 * (last - first).norm(), name  # factors are averaged, so nearly
    for name, gain in mean.norms.items():
        assert torch.allclose(gain, 0.75 * end.norms[name] + 0.25 * start.norms[name])
