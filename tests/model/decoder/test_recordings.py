"""Laws of passes that are recorded once and replayed: they say what a pass says that was not recorded."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from model.decoder.cuda_graphs import Capture, CudaGraph, CudaGraphPool, GraphShape
from model.decoder.decoder import Decoder, DecoderParts
from model.decoder.forward import DecoderOutput
from model.decoder.output_head import OutputHead
from model.encoder.encoder import encode_chunk
from model.encoding.memory import build_memory
from model.network.t5gemma2 import T5Gemma2
from model.types import Memory
from tests.helpers.tiny import ids_of, relative_error, tiny_config, tiny_model

TOLERANCE = 1e-4
SHAPES = [(4, 1), (4, 2), (4, 4)]
MOVES = [None, None, [2, 0, 1], [0, 0, 1], None, [1, 2], [0, 1, 1, 0, 1, 0, 0, 1, 1], None, None, [8, 0, 3], [0], None]
NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=[pytest.mark.cuda, NO_GPU])])
def device(request: pytest.FixtureRequest) -> torch.device:
    return torch.device(request.param)


class Graphs:
    """Makes graphs, and keeps them all. A CPU captures nothing: there the work is done again."""

    def __init__(self) -> None:
        self.made: list[CudaGraph] = []

    def __call__(self, model: T5Gemma2, head: OutputHead, shape: GraphShape) -> CudaGraph:
        again: Capture | None = (lambda work, _: work) if model.device.type == "cpu" else None
        self.made.append(CudaGraph(model, head, shape, capture=again))
        return self.made[-1]


def memories_of(model: T5Gemma2, *lengths: int) -> list[Memory]:
    ids = (ids_of(length, seed=length).to(model.device) for length in lengths)
    return [build_memory(model, encode_chunk(model, some)) for some in ids]


def said(decoder: Decoder, prompts: Sequence[Sequence[int]]) -> list[DecoderOutput]:
    """In a search whose rows move, become more than there were, and fewer; a token each that depends on its row."""
    outputs = [decoder.begin(prompts)]
    running = len(prompts)
    for move in MOVES:
        if move is not None:
            decoder.select([*move, *move, *move])  # more than there is room for, and no more after all
            decoder.select(list(range(len(move))))
            running = len(move)
        outputs.append(decoder.step([7 + len(outputs) + 5 * row for row in range(running)]))
    return outputs


def assert_same(ours: Sequence[DecoderOutput], theirs: Sequence[DecoderOutput]) -> None:
    for one, other in zip(ours, theirs, strict=True):
        for name in ("logits", "attention", "middle_layer_attention"):
            assert getattr(one, name).shape == getattr(other, name).shape
            assert relative_error(getattr(one, name), getattr(other, name)) < TOLERANCE


@pytest.mark.parametrize("lengths", [(3, 14, 9), (3, 90, 20)])
@pytest.mark.parametrize("hiding", [False, True])
@pytest.mark.parametrize(("heads", "key_heads"), SHAPES)
def test_a_recorded_pass_says_what_a_pass_says(
    heads: int, key_heads: int, hiding: bool, lengths: Sequence[int], device: torch.device
) -> None:
    """Questions of unequal length, longer than the local window of 8; short ones are recorded, too."""
    model = tiny_model(tiny_config(heads=heads, key_heads=key_heads)).to(device)
    memories = memories_of(model, 30, 17)
    prompts = [ids_of(count, seed=count).tolist() for count in lengths]
    shown = torch.rand(3, 47, generator=torch.Generator().manual_seed(0)).to(device) < 0.5 if hiding else None
    given = model, memories, 3, max(lengths) + len(MOVES)
    recordings = CudaGraphPool(model, make=Graphs())
    theirs = said(Decoder(*given, visible_mask=shown), prompts)
    for _ in range(3):  # begun, recorded, replayed
        assert_same(
            said(Decoder(*given, visible_mask=shown, parts=DecoderParts(cuda_graphs=recordings)), prompts), theirs
        )


def test_nothing_of_the_answer_before_is_left(device: torch.device) -> None:
    """A shorter document and fewer questions than what the same recordings worked on before."""
    model = tiny_model().to(device)
    recordings = CudaGraphPool(model, make=(graphs := Graphs()))
    many = [ids_of(count, seed=count).tolist() for count in (12, 14, 9)]
    said(Decoder(model, memories_of(model, 300), 3, 40, parts=DecoderParts(cuda_graphs=recordings)), many)
    begun = len(graphs.made)
    given = model, memories_of(model, 21), 3, 40
    few = [ids_of(count, seed=count).tolist() for count in (2, 5, 1)]
    assert_same(said(Decoder(*given, parts=DecoderParts(cuda_graphs=recordings)), few), said(Decoder(*given), few))
    assert len(graphs.made) == begun


def test_decoders_at_the_same_time_have_recordings_of_their_own(device: torch.device) -> None:
    model = tiny_model().to(device)
    recordings, memories = CudaGraphPool(model, make=Graphs()), memories_of(model, 30)
    prompts = [ids_of(count, seed=count).tolist() for count in (4, 7)]
    decoders = [Decoder(model, memories, 1, 20, parts=DecoderParts(cuda_graphs=recordings)) for _ in prompts]
    alone = [Decoder(model, memories, 1, 20) for _ in prompts]
    pairs = list(zip(decoders, alone, prompts, strict=True))
    assert_same([one.begin([prompt]) for one, _, prompt in pairs], [one.begin([prompt]) for _, one, prompt in pairs])
    for token in (9, 8, 7):
        assert_same([one.step([token]) for one in decoders], [one.step([token]) for one in alone])


def test_nobody_looks_where_no_evidence_is_wanted(device: torch.device) -> None:
    model = tiny_model().to(device)
    given = model, memories_of(model, 30), 1, 20
    decoders = [
        Decoder(*given, return_attention=False, parts=DecoderParts(cuda_graphs=some))
        for some in (CudaGraphPool(model, make=Graphs()), None)
    ]
    outputs = [[one.begin([[2, 9]]), one.step([7]), one.step([8]), one.step([9])] for one in decoders]
    assert all(output.attention.shape == output.middle_layer_attention.shape == (1, 0) for output in outputs[0])
    for ours, theirs in zip(*outputs, strict=True):
        assert relative_error(ours.logits, theirs.logits) < TOLERANCE


def test_few_recordings_are_kept(device: torch.device) -> None:
    model = tiny_model().to(device)
    recordings, memories = CudaGraphPool(model, make=(graphs := Graphs()), most_idle=2), memories_of(model, 30)
    for capacity in (10, 100, 200, 10, 200):  # each begins a recording for its prompt; the first is gone by then
        Decoder(model, memories, 1, capacity, parts=DecoderParts(cuda_graphs=recordings)).begin([[2, 9]])
    assert [recording.shape.capacity for recording in graphs.made] == [64, 128, 256, 64]


def test_a_gpu_records_and_a_processor_does_not(device: torch.device) -> None:
    assert (CudaGraphPool.of(tiny_model().to(device)) is not None) == (device.type == "cuda")
