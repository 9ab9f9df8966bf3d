"""Confidence is a logistic regression, and an uncalibrated checkpoint is doubted by its probability and attention."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model.answering.confidence import Calibration, decoded_features, seems_doubtful
from model.answering.evidence import Grounding
from model.answering.prompts import NOT_IN_DOCUMENT
from model.answering.reranker import Features, QuestionContext, features
from model.checkpoints.adapter import adapter_info
from model.engine import Engine
from model.types import Answer, CalibrationWeights, Evidence, PageAttention
from tests.helpers.tiny import TEXT, document, tiny_checkpoint

ROOM = "The library of Lindau was founded by Ada Keller. Its treasurer is Omar Haddad. It has 80 chairs."
PLACE = Evidence(document="a", document_index=0, page=1, start=0, end=3, quote="lit", score=1.0, verbatim=True)


def of(answer: str, *others: tuple[str, float], log_probability: float = -0.5) -> Features:
    asked = QuestionContext.of("Who is the treasurer of the library?", ROOM)
    chosen = features(asked, answer, [log_probability])
    rivals = [features(asked, other, [nats]) for other, nats in others]
    return decoded_features(chosen, rivals, answer, 40, Grounding())


def test_the_confidence_is_a_probability_that_grows_with_its_evidence() -> None:
    calibration = Calibration(CalibrationWeights(weights={"bias": -1.0, "verbatim": 3.0}, doubt_below=0.5))
    unsure, sure = calibration.confidence({}), calibration.confidence({"verbatim": 1.0})
    assert 0 < unsure < 0.5 < sure < 1
    assert calibration.is_doubtful(unsure) and not calibration.is_doubtful(sure)


@pytest.mark.parametrize("score", [-1e4, -40.0, 0.0, 40.0, 1e4])
def test_no_score_overflows(score: float) -> None:
    calibration = Calibration(CalibrationWeights(weights={"bias": score}, doubt_below=0.5))
    assert 0 <= calibration.confidence({}) <= 1


def test_a_rival_and_a_likely_refusal_make_less_sure() -> None:
    alone, beside = of("Omar Haddad"), of("Omar Haddad", ("Ada Keller", -0.7), (NOT_IN_DOCUMENT, -0.9))
    assert beside["lead"] < alone["lead"]
    assert beside["lead_over_refusing"] < alone["lead_over_refusing"]


def test_a_figure_without_its_label_is_marked() -> None:
    assert of("80")["figure_without_label"] > 0
    assert of("Omar Haddad")["figure_without_label"] == 0.0


def test_words_of_its_own_stand_nowhere() -> None:
    assert of("Yes")["judgement"] == 1.0 and of("Yes")["verbatim"] == 0.0
    assert of("Omar Haddad")["judgement"] == 0.0 and of("Omar Haddad")["verbatim"] == 1.0


@pytest.mark.parametrize(
    ("probability", "verbatim", "share", "sought", "doubtful"),
    [
        (0.9, True, 0.2, 1.0, False),
        (0.9, False, 0.6, 1.0, False),
        (0.9, False, 0.2, 1.0, True),  # it stands nowhere, and the decoder looked here and there
        (0.3, True, 0.6, 1.0, True),
        (0.9, True, 0.6, 0.2, True),  # it stands on one page, and was sought on another
    ],
)
def test_an_uncalibrated_answer_is_doubted_by_probability_and_attention(
    probability: float, verbatim: bool, share: float, sought: float, doubtful: bool
) -> None:
    pages = (
        PageAttention(document_index=0, page=1, share=share, first_token_attention=sought),
        PageAttention(document_index=0, page=2, share=0.1, first_token_attention=1 - sought),
    )
    place = replace(PLACE, verbatim=verbatim)
    answer = Answer(question="?", text="lit", probability=probability, evidence=(place,), attention=pages)
    assert seems_doubtful(answer) is doubtful


def test_a_calibrated_checkpoint_says_how_likely_its_answers_are_right() -> None:
    ranked = replace(tiny_checkpoint(), reranker_weights=adapter_info().ranking, passage_tokens=60)
    never, always = (CalibrationWeights(weights={"bias": 2.0}, doubt_below=limit) for limit in (0.5, 0.95))
    for weights, doubtful in ((never, False), (always, True)):
        engine = Engine(replace(ranked, calibration=weights))
        encoded = engine.encode(document(TEXT))
        *_, found = engine.answer_batch(encoded, ["Who founded the library?", "What is the total?"])
        for answer in found:
            assert answer.finished and answer.text and answer.found and 0 < answer.probability <= 1
            assert answer.confidence == pytest.approx(0.8808, abs=1e-3)
            assert answer.doubtful is doubtful
