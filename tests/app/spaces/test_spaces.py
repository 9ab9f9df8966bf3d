"""The ZeroGPU engine under a stand-in that pickles arguments and results, as ZeroGPU does between its processes."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
import torch

from app.spaces.engine import ZeroGpuEngine
from app.spaces.zero_gpu import LONGEST_SECONDS, ZeroGpu
from model.checkpoints.lent_gpu import is_lent
from model.engine import Engine
from model.errors import DocumentError, ReadonceError
from model.types import EncodedDocument
from tests.helpers.tiny import TEXT, document, last, tiny_checkpoint


class StandIn:
    """`spaces.GPU` as far as it can be had without a Space: its process is forked at the first call and kept."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.decorated: dict[Callable[..., Any], Callable[..., Any]] = {}

    def __call__(self, *, duration: Callable[..., float]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def decorate(task: Callable[..., Any]) -> Callable[..., Any]:
            forked: list[Callable[..., Any]] = []

            def call(*arguments: Any) -> Any:
                self.asked.append(duration(*arguments))
                forked[:] = forked or [copy.deepcopy(task)]
                return pickle.loads(pickle.dumps(forked[0](*pickle.loads(pickle.dumps(arguments)))))

            return self.decorated.setdefault(task, call)

        return decorate


@pytest.fixture
def lent() -> tuple[StandIn, ZeroGpuEngine]:
    stand_in = StandIn()
    gpu = ZeroGpu(stand_in, device="cpu")  # decorated before there is an engine, as on a Space
    return stand_in, ZeroGpuEngine(tiny_checkpoint(), gpu)


def test_what_comes_back_is_what_an_engine_here_encodes(lent: tuple[StandIn, ZeroGpuEngine]) -> None:
    stand_in, engine = lent
    read = document(TEXT, "")
    read = replace(read, pages=(read.pages[0], replace(read.pages[1], figures=1.0)))
    pixels = np.random.default_rng(0).integers(0, 256, (300, 200, 3), np.uint8)
    pieces: list[EncodedDocument] = []
    encoded = engine.encode(read, views="auto", picture=lambda _: pixels, chunk_read=pieces.append)
    here = Engine(engine.checkpoint).encode(read, views="auto", picture=lambda _: pixels)
    assert torch.equal(encoded.memory.hidden, here.memory.hidden)
    assert encoded.document == here.document and encoded.document.pages[1].view == "image"
    assert pieces == [encoded] and encoded.memory.hidden.device.type == "cpu"
    assert len(stand_in.asked) == 1 and 5 <= stand_in.asked[0] <= LONGEST_SECONDS


def test_questions_cost_no_quota(lent: tuple[StandIn, ZeroGpuEngine]) -> None:
    stand_in, engine = lent
    encoded = engine.encode(document(TEXT))
    answer = last(engine.answer(encoded, "Who is the treasurer?"))
    assert answer.encoder_tokens == 0 and len(stand_in.asked) == 1
    assert engine.encoder_tokens == encoded.token_count


def test_another_checkpoint_gets_another_process(lent: tuple[StandIn, ZeroGpuEngine]) -> None:
    _, engine = lent
    before = engine.encode(document(TEXT))
    other = ZeroGpuEngine(tiny_checkpoint(seed=1), engine._gpu)
    after = other.encode(document(TEXT))
    assert (before.fingerprint, after.fingerprint) == ("tiny-0", "tiny-1")
    assert last(other.answer(after, "Who?")).finished


def test_encodings_are_kept_in_the_precision_that_was_chosen() -> None:
    engine = ZeroGpuEngine(tiny_checkpoint(), ZeroGpu(StandIn(), device="cpu"), memory_precision="int8")
    memory = engine.encode(document(TEXT)).memory
    assert memory.hidden.dtype == torch.int8 and memory.hidden_scales is not None


def test_an_error_over_there_keeps_its_words(lent: tuple[StandIn, ZeroGpuEngine]) -> None:
    with pytest.raises(DocumentError, match=r"report\.pdf has 1 pages and no text"):
        lent[1].encode(document(""))


def test_a_used_up_quota_is_told_in_its_own_words() -> None:
    def refuse(*_: Any) -> None:
        raise gr.Error("You have exceeded your GPU quota.", title="ZeroGPU quota exceeded")

    engine = ZeroGpuEngine(tiny_checkpoint(), ZeroGpu(lambda **_: lambda _task: refuse, device="cpu"))
    with pytest.raises(ReadonceError, match=r"did not read report\.pdf: You have exceeded your GPU quota\. Try again"):
        engine.encode(document(TEXT))


def test_more_text_asks_for_more_seconds_but_never_for_more_than_a_day_has() -> None:
    gpu = ZeroGpu(StandIn(), operations_a_second=1e10)
    gpu.serve(tiny_checkpoint())
    asked = [gpu.seconds(document("x" * length), {}, False) for length in (10, 10_000, 10_000_000)]
    assert asked == sorted(asked) and asked[0] < 10 and asked[-1] == LONGEST_SECONDS


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("1", True), ("", False), ("false", False)])
def test_a_space_says_that_its_gpu_is_lent(value: str, expected: bool) -> None:
    assert is_lent({"SPACES_ZERO_GPU": value}) is expected
    assert not is_lent({}) and ZeroGpu.borrowed() is None


def test_the_readme_is_a_space_card() -> None:
    """The fields that a Space needs, and versions that agree with the requirements."""
    root = Path(__file__).resolve().parents[3]
    _, card, _ = (root / "README.md").read_text("utf-8").split("---\n", 2)
    fields = dict(line.split(": ", 1) for line in card.splitlines() if ": " in line)
    assert fields["sdk"] == "gradio" and (root / fields["app_file"]).is_file()
    assert fields["sdk_version"].startswith("6.") and fields["license"] == "agpl-3.0"
    assert fields["python_version"] >= '"3.11' and len(fields["short_description"]) <= 60
