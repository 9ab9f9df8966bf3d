"""UL2: nothing of a text is lost, and the five denoisers take out what their names say."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from model.training.data import Tokens, TrainingPassage
from model.training.mixture import TEXT, Mixture
from model.training.packing import IGNORED, Shape
from model.training.ul2 import DENOISERS, FIRST_SENTINEL, SENTINELS, Denoiser, choose_denoiser, denoise, restore
from tests.helpers.tiny import tiny_tokenizer

TEXT_IDS = list(range(1000, 2280))
SENTINEL_IDS = range(FIRST_SENTINEL, FIRST_SENTINEL + SENTINELS)


def taken(written: list[int]) -> int:
    return sum(token not in SENTINEL_IDS for token in written)


@pytest.mark.parametrize("denoiser", DENOISERS)
@pytest.mark.parametrize("size", [2, 3, 17, 512, 4096])
def test_both_parts_together_are_the_text(denoiser: Denoiser, size: int) -> None:
    ids = list(range(1000, 1000 + size))
    for seed in range(20):
        parts = denoise(ids, denoiser, random.Random(seed))
        assert restore(parts) == ids
        assert parts.read and parts.written


@pytest.mark.parametrize("denoiser", DENOISERS)
def test_the_share_that_is_taken_out_is_the_rate(denoiser: Denoiser) -> None:
    parts = denoise(TEXT_IDS, denoiser, random.Random(0))
    assert taken(parts.written) / len(TEXT_IDS) == pytest.approx(denoiser.rate, abs=0.01)


@pytest.mark.parametrize("denoiser", [one for one in DENOISERS if not one.prefix])
def test_spans_have_their_mean_length_and_their_sentinels_in_order(denoiser: Denoiser) -> None:
    parts = denoise(TEXT_IDS, denoiser, random.Random(0))
    spans = [token for token in parts.written if token in SENTINEL_IDS]
    assert spans == [token for token in parts.read if token in SENTINEL_IDS]
    assert spans == list(range(FIRST_SENTINEL, FIRST_SENTINEL + len(spans)))
    assert taken(parts.written) / len(spans) == pytest.approx(denoiser.mean_span, rel=0.02)


def test_spans_stand_everywhere_in_the_text() -> None:
    """Each token is as likely to be taken out as any other, but for the first ones and the last."""
    rng = random.Random(0)
    written = Counter[int]()
    for _ in range(2000):
        written.update(denoise(TEXT_IDS[:100], DENOISERS[0], rng).written)
    shares = [written[token] / 2000 for token in TEXT_IDS[10:90]]
    assert min(shares) > 0.10 and max(shares) < 0.20


def test_the_prefix_denoiser_is_a_language_model() -> None:
    parts = denoise(TEXT_IDS, DENOISERS[-1], random.Random(0))
    assert (parts.read, parts.written) == (TEXT_IDS[:320], TEXT_IDS[320:])


def test_the_mixture_is_one_to_one_to_one_to_one_to_four() -> None:
    rng = random.Random(0)
    drawn = Counter(choose_denoiser(rng) for _ in range(8000))
    assert [round(drawn[denoiser] / 1000, 1) for denoiser in DENOISERS] == pytest.approx([1, 1, 1, 1, 4], abs=0.2)


def test_the_sentinels_are_tokens_that_no_text_has() -> None:
    """In Gemma's vocabulary <unused0> to <unused98> have the ids 6 to 104."""
    assert (FIRST_SENTINEL, FIRST_SENTINEL + SENTINELS - 1) == (6, 104)


def test_training_draws_denoised_text_from_its_passages() -> None:
    tokens = Tokens(tiny_tokenizer())
    source = TrainingPassage(ids=list(range(200, 390)), pairs=[])
    shape = Shape(chunks=1, chunk_size=200, overlap=0, answers=160)
    mixture = Mixture({"prose": [source]}, {TEXT: 1.0, "prose": 1e-9}, tokens, "train")
    batch = mixture.batch([shape] * 2, random.Random(1))
    for (start, end), (first, last) in zip(batch.chunks, batch.spans, strict=True):
        targets = batch.targets[first:last]
        asked = targets != IGNORED
        read = batch.chunk_ids[start:end].tolist()[1:]
        written = targets[asked].tolist()
        assert written.pop() == tokens.eos
        whole = [token for token in [*read, *written] if token not in SENTINEL_IDS]
        assert sorted(whole) == list(range(min(whole), min(whole) + len(whole)))
        assert batch.answer_ids[first:last][asked].tolist() == [tokens.bos, *written]
