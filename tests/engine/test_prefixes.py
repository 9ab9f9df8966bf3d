"""Laws of what questions begin with alike: one that is asked after others says what it says when asked alone."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from model.checkpoint import Checkpoint
from model.decoder import Decoder
from model.decoder_pass import DecoderOutput
from model.encoder import encode_window
from model.engine import Engine
from model.memory import memory_of
from model.native.decoder_layers import DecoderLayers
from model.prefixes import Prefixes
from model.t5gemma2 import T5Gemma2
from model.types import GenerationOptions, Memory, Turn
from tests.engine.test_engine_laws import TOLERANCE, ids_of
from tests.engine.test_native import layers_of, needs_compiler
from tests.tiny import TEXT, document, last, relative_error, tiny_model

FIRST = ids_of(30, seed=3).tolist()  # longer than the local window of 8
PROMPTS = [FIRST, [*FIRST[:20], 9, 8, 7], FIRST, [*FIRST, 11, 12], FIRST[:6], [2, 9], [5, 6, 7]]


def memories_of(model: T5Gemma2, *lengths: int) -> list[Memory]:
    return [memory_of(model, encode_window(model, ids_of(length, seed=length))) for length in lengths]


def said(
    model: T5Gemma2,
    memories: Sequence[Memory],
    prompt: Sequence[int],
    prefixes: Prefixes | None,
    layers: DecoderLayers | None = None,
    shown: torch.Tensor | None = None,
) -> list[DecoderOutput]:
    decoder = Decoder(model, memories, 1, capacity=40, prefixes=prefixes, layers=layers, shown=shown)
    return [decoder.begin([prompt]), decoder.step([7]), decoder.step([8])]


def assert_same(ours: Sequence[DecoderOutput], theirs: Sequence[DecoderOutput]) -> None:
    for one, other in zip(ours, theirs, strict=True):
        for name in ("logits", "attention", "sought"):
            assert relative_error(getattr(one, name), getattr(other, name)) < TOLERANCE


def known(prefixes: Prefixes, memories: Sequence[Memory], prompt: Sequence[int]) -> int:
    rows = prefixes.longest(memories, prompt)
    return 0 if rows is None else rows.shape[-2]


def test_a_question_after_others_says_what_it_says_alone() -> None:
    model = tiny_model()
    memories, prefixes = memories_of(model, 30, 17), Prefixes()
    for prompt in PROMPTS:
        assert_same(said(model, memories, prompt, prefixes), said(model, memories, prompt, None))


@needs_compiler
def test_in_native_code_too(folder: Path) -> None:
    model = tiny_model()
    layers = layers_of(model, folder)
    memories, prefixes = memories_of(model, 30, 17), Prefixes()
    for prompt in PROMPTS:
        assert_same(said(model, memories, prompt, prefixes, layers), said(model, memories, prompt, None, layers))


def test_what_is_known_of_a_prompt_is_its_beginning_and_never_all_of_it() -> None:
    model = tiny_model()
    memories, prefixes = memories_of(model, 30), Prefixes()
    for prompt, expected in zip(PROMPTS, [0, 20, 29, 30, 5, 1, 0], strict=True):
        assert known(prefixes, memories, prompt) == expected
        said(model, memories, prompt, prefixes)


def test_other_documents_know_nothing_of_it_and_nothing_is_left_of_one_that_is_gone() -> None:
    model = tiny_model()
    memories, prefixes = memories_of(model, 30), Prefixes()
    others = memories_of(model, 30)  # equal, but another reading
    said(model, memories, FIRST, prefixes)
    assert known(prefixes, memories, FIRST) == 29
    assert known(prefixes, others, FIRST) == known(prefixes, [*memories, *others], FIRST) == 0
    del memories
    gc.collect()
    assert prefixes._kept == ()


def test_few_beginnings_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.prefixes._MOST", 2)
    model = tiny_model()
    memories, prefixes = memories_of(model, 30), Prefixes()
    for start in (5, 6, 7):
        said(model, memories, [start, 8, 9], prefixes)
    assert [known(prefixes, memories, [start, 8, 9]) for start in (5, 6, 7)] == [0, 2, 2]


def test_a_question_that_is_shown_a_part_neither_uses_nor_leaves_any() -> None:
    model = tiny_model()
    memories, prefixes = memories_of(model, 30), Prefixes()
    shown = torch.arange(30)[None] % 2 == 0
    assert_same(said(model, memories, FIRST, prefixes, shown=shown), said(model, memories, FIRST, None, shown=shown))
    assert known(prefixes, memories, FIRST) == 0


def test_a_conversation_goes_on_from_where_it_was(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is that of an engine that was asked nothing before, and the turns are not decoded anew."""
    options = GenerationOptions(max_new_tokens=6)
    engine, fresh = Engine(checkpoint), Engine(checkpoint)
    encoded = engine.encode(document(TEXT))
    first = last(engine.answer(encoded, "Who is the treasurer?", options=options))
    turns = [Turn(question=first.question, answer=first.text)]
    sizes: list[int] = []
    decode = Decoder._decode

    def noted(decoder: Decoder, ids: torch.Tensor, *, looking: bool) -> DecoderOutput:
        sizes.append(ids.shape[1])
        return decode(decoder, ids, looking=looking)

    monkeypatch.setattr(Decoder, "_decode", noted)
    second = last(engine.answer(encoded, "And when was it founded?", history=turns, options=options))
    again = sizes[0]
    sizes.clear()
    alone = last(fresh.answer(encoded, "And when was it founded?", history=turns, options=options))
    assert second.text == alone.text
    assert second.confidence == pytest.approx(alone.confidence, rel=1e-4)
    assert again < sizes[0] - 10
