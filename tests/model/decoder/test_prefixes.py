"""Laws of what questions begin with alike: one that is asked after others says what it says alone, to the last bit."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from model.decoder.decoder import Decoder, DecoderParts
from model.decoder.forward import DecoderOutput
from model.decoder.prefix_cache import PrefixCache
from model.encoding.memory import to_precision
from model.kernels.decoder_layers import BoundLayers
from model.network.t5gemma2 import T5Gemma2
from model.types import Memory
from tests.helpers.int8_kernels import layers_of, memories_of, models
from tests.helpers.kernels import parts_of
from tests.helpers.targets import needs_compiler
from tests.helpers.tiny import ids_of

FIRST = ids_of(30, seed=3).tolist()  # longer than the local window of 8
PROMPTS = [FIRST, [*FIRST[:20], 9, 8, 7], FIRST, [*FIRST, 11, 12], FIRST[:6], [2, 9], [5, 6, 7, 8, 9, 10]]


def said(
    model: T5Gemma2,
    memories: Sequence[Memory],
    prompt: Sequence[int],
    parts: DecoderParts,
    shown: torch.Tensor | None = None,
) -> list[DecoderOutput]:
    decoder = Decoder(model, memories, 1, 40, parts, visible_mask=shown)
    return [decoder.begin([prompt]), decoder.step([7]), decoder.step([8])]


def assert_the_same(ours: Sequence[DecoderOutput], theirs: Sequence[DecoderOutput]) -> None:
    for one, other in zip(ours, theirs, strict=True):
        for name in ("logits", "attention", "middle_layer_attention"):
            assert torch.equal(getattr(one, name), getattr(other, name))


def known(prefixes: PrefixCache, memories: Sequence[Memory], beginning: Sequence[int]) -> int:
    rows = prefixes.longest(memories, beginning)
    return 0 if rows is None else rows.shape[-2]


@needs_compiler
@pytest.mark.parametrize("in_int8", [False, True])
@pytest.mark.parametrize(("heads", "key_heads"), [(4, 1), (4, 2), (2, 1)])
def test_a_question_after_others_says_what_it_says_alone(
    heads: int, key_heads: int, in_int8: bool, folder: Path
) -> None:
    _, model = models(heads, key_heads)
    layers = layers_of(model, folder, quantized=in_int8)
    memories = memories_of(model, 300, 40)
    if in_int8:
        first = to_precision(memories[0], "int8")
        memories = [first, to_precision(memories[1], "int8", first)]
    prefixes = PrefixCache()
    for prompt in PROMPTS:
        ours = said(model, memories, prompt, parts_of(layers, prefixes))
        assert_the_same(ours, said(model, memories, prompt, parts_of(layers)))


@needs_compiler
def test_what_is_known_is_not_decoded_anew_but_for_the_last_tokens(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, model = models(key_heads=1)
    parts = parts_of(layers_of(model, folder), PrefixCache())
    memories = memories_of(model, 40)
    sizes: list[int] = []
    forward = BoundLayers.forward

    def noted(layers: BoundLayers, hidden: torch.Tensor, *rest: Any, **how: Any) -> torch.Tensor | None:
        sizes.append(hidden.shape[1])
        return forward(layers, hidden, *rest, **how)

    monkeypatch.setattr(BoundLayers, "forward", noted)
    for prompt in PROMPTS:
        Decoder(model, memories, 1, 40, parts).begin([prompt])
    assert sizes == [30, 5, 5, 5, 5, 2, 6]


@needs_compiler
def test_a_question_that_is_shown_a_part_neither_uses_nor_leaves_any(folder: Path) -> None:
    _, model = models(key_heads=1)
    parts = parts_of(layers_of(model, folder), PrefixCache())
    memories = memories_of(model, 30)
    said(model, memories, FIRST, parts, torch.arange(30)[None] % 2 == 0)
    assert parts.prefix_cache is not None
    assert known(parts.prefix_cache, memories, FIRST) == 0


def memory() -> Memory:
    return Memory(hidden=torch.zeros(3, 4), key_inv_rms=torch.zeros(1, 1, 3))


def rows(prompt: Sequence[int]) -> torch.Tensor:
    """What each token leaves: its number."""
    return torch.tensor(prompt).float()[:, None].expand(2, 1, 1, 1, len(prompt), 1)


def test_the_longest_beginning_is_known() -> None:
    one, prefixes = [memory()], PrefixCache()
    for prompt in ([2, 5, 6, 7], [2, 5, 9]):
        prefixes.keep(one, prompt, rows(prompt))
    assert [known(prefixes, one, asked) for asked in ([2, 5, 6, 8], [2, 5, 9, 9], [2, 7], [3], [])] == [3, 3, 1, 0, 0]
    found = prefixes.longest(one, [2, 5, 6, 8])
    assert found is not None
    assert torch.equal(found, rows([2, 5, 6]))


def test_other_documents_know_nothing_of_it_and_nothing_is_left_of_one_that_is_gone() -> None:
    one, others, prefixes = [memory()], [memory()], PrefixCache()
    prefixes.keep(one, [2, 5], rows([2, 5]))
    assert known(prefixes, one, [2, 5]) == 2
    assert known(prefixes, others, [2, 5]) == known(prefixes, [*one, *others], [2, 5]) == 0
    del one
    gc.collect()
    assert prefixes.count == 0


def test_few_beginnings_are_kept() -> None:
    one, prefixes = [memory()], PrefixCache(most=2)
    for start in (5, 6, 7):
        prefixes.keep(one, [start, 8], rows([start, 8]))
    assert [known(prefixes, one, [start, 8]) for start in (5, 6, 7)] == [0, 2, 2]
