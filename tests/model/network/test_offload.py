"""Weights that lie elsewhere: on the disk, on another GPU. States, answers and evidence do not change by a bit."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from model.checkpoints import load_checkpoint
from model.checkpoints.checkpoint import Checkpoint
from model.checkpoints.placement import DISK, Weights, find_place
from model.engine import Engine
from model.errors import CheckpointError
from model.network.offload import offload_by_layer
from model.types import EncodedDocument, GenerationOptions
from tests.helpers.hardware import some_hardware
from tests.helpers.tiny import TEXT, document, last, tiny_checkpoint

SHORT = GenerationOptions(max_new_tokens=6)


@pytest.fixture
def cramped(tiny_folder: Path, tmp_path: Path) -> Callable[[int], tuple[Checkpoint, str]]:
    """Load the tiny checkpoint on the CPU where so many bytes are free; also what was said before it loaded."""

    def load(free: int) -> tuple[Checkpoint, str]:
        said: list[str] = []
        checkpoint = load_checkpoint(
            str(tiny_folder),
            cache_folder=tmp_path,
            progress=lambda words, _: said.append(words),
            hardware=some_hardware(cpu=free),
        )
        return checkpoint, said[0]

    return load


def away(checkpoint: Checkpoint) -> set[str]:
    """Which stacks have layers whose weights are not in memory."""
    names = (name for name, weight in checkpoint.model.named_parameters() if weight.is_meta)
    return {name.split(".")[1] for name in names}


def same(one: EncodedDocument, other: EncodedDocument) -> bool:
    return torch.equal(one.memory.hidden, other.memory.hidden) and torch.equal(
        one.memory.key_inv_rms, other.memory.key_inv_rms
    )


@pytest.mark.parametrize(("free", "stacks"), [(1_100_000, {"encoder"}), (400_000, {"encoder", "decoder"})])
def test_from_the_disk_all_is_the_same(
    free: int, stacks: set[str], cramped: Callable[[int], tuple[Checkpoint, str]]
) -> None:
    whole, said = cramped(10**9)
    assert "partly" not in said and not away(whole) and not whole.offloaded
    spread, said = cramped(free)
    assert "on cpu" in said and "weights partly on disk: " in said
    assert "GB of its weights lie on the disk and come in while they work" in spread.offloaded
    assert away(spread) == stacks
    assert not spread.model.model.decoder.embed_tokens.weight.is_meta  # and so the output head, which is tied to it
    plain, engine = Engine(whole), Engine(spread)
    expected, encoded = plain.encode(document(TEXT)), engine.encode(document(TEXT))
    assert same(encoded, expected)
    ours = last(engine.answer(encoded, "Who is the treasurer?", options=SHORT))
    theirs = last(plain.answer(expected, "Who is the treasurer?", options=SHORT))
    assert (ours.text, ours.evidence) == (theirs.text, theirs.evidence)
    assert away(spread) == stacks  # they are let go again


def test_from_another_device_all_is_the_same() -> None:
    plain, spread = tiny_checkpoint(), tiny_checkpoint()
    layers = [f"model.encoder.text_model.layers.{index}" for index in (1, 6)]
    offload_by_layer(spread.model, layers, torch.device("cpu"))
    assert away(spread) == {"encoder"}
    assert same(Engine(spread).encode(document(TEXT)), Engine(plain).encode(document(TEXT)))


def test_threads_do_not_take_weights_from_each_other() -> None:
    checkpoint = tiny_checkpoint()
    expected = Engine(checkpoint).encode(document(TEXT))
    names = [name for name, _ in checkpoint.model.named_modules() if name.rpartition(".layers.")[2].isdigit()]
    offload_by_layer(checkpoint.model, [name for name in names if "vision" not in name], torch.device("cpu"))
    engine = Engine(checkpoint)
    with ThreadPoolExecutor(4) as threads:
        assert all(same(one, expected) for one in threads.map(engine.encode, [document(TEXT)] * 8))


LAYERS = {
    **{f"model.decoder.layers.{index}": 10 for index in range(4)},
    **{f"model.encoder.text_model.layers.{index}": 10 for index in range(4)},
}


def placed(**free: int) -> tuple[str, list[str]]:
    """Where 100 numbers of 4 bytes go, and where the layers lie that are not there."""
    hardware = replace(some_hardware(**free), room=1.0)
    place = find_place(Weights(total=100, layers=LAYERS), name="tiny", hardware=hardware)
    assert place.fits and all("encoder" in name for name in list(place.offloaded)[:4])
    return str(place.device), list(place.offloaded.values())


def test_encoder_layers_go_where_there_is_room() -> None:
    """They are read once a document, the decoder's once a token; one at a time passes through."""
    assert placed(cpu=400) == ("cpu", [])
    assert placed(cpu=399) == ("cpu", [DISK] * 2)
    assert placed(cpu=280) == ("cpu", [DISK] * 4)
    assert placed(cpu=200) == ("cpu", [DISK] * 6)
    assert placed(cuda_0=300, cuda_1=400, cpu=0) == ("cuda:1", [])
    assert placed(cuda_0=80, cuda_1=300, cpu=50) == ("cuda:1", ["cuda:0", "cuda:0", "cpu", DISK])
    assert placed(cuda_0=200, cpu=1_000) == ("cpu", [])  # the GPU would not even hold the decoder


def test_a_gpu_that_is_lent_takes_all_or_nothing() -> None:
    hardware = replace(some_hardware(cpu=399), room=1.0, lends_gpu=True)
    with pytest.raises(CheckpointError, match="does not fit"):
        find_place(Weights(total=100, layers=LAYERS), name="tiny", hardware=hardware)
