"""A question is a fact unless the router is sure, and nothing asks the decoder what it cannot do."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from model.answering.messages import NOT_FOUND
from model.answering.router import Router, question_features
from model.engine import Engine
from model.types import Intent, RouterWeights
from tests.helpers.tiny import TEXT, document, last, tiny_checkpoint


def weights_for(intent: Intent, size: int, *, least: float = 0.5, bias: float = 5.0) -> RouterWeights:
    """A router that takes everything for this intent, as sure as the bias says."""
    return RouterWeights(
        intents=("fact", intent), matrix=torch.zeros(2, size), bias=torch.tensor([0.0, bias]), least=least
    )


def routed(intent: Intent) -> Engine:
    checkpoint = tiny_checkpoint()
    hidden = checkpoint.model.model.decoder.config.hidden_size
    return Engine(replace(checkpoint, router=weights_for(intent, 2 * hidden)))


@pytest.mark.parametrize(("bias", "told"), [(5.0, "summary"), (0.1, "fact"), (-5.0, "fact")])
def test_what_it_is_not_sure_of_is_a_fact(bias: float, told: str) -> None:
    router = Router(weights_for("summary", 8, least=0.6, bias=bias), lambda _: torch.ones(3, 4))
    assert router.intent("Sum it up") == told


@pytest.mark.parametrize(("bias", "told"), [(0.1, "authors"), (-0.1, "fact"), (-0.6, "fact")])
def test_what_the_decoder_answers_from_the_beginning_may_be_less_sure(bias: float, told: str) -> None:
    router = Router(weights_for("authors", 8, least=0.6, bias=bias), lambda _: torch.ones(3, 4))
    assert router.intent("Whose work is it?") == told


def test_features_are_the_mean_and_the_last_state() -> None:
    states = torch.tensor([[1.0, 3.0], [3.0, 5.0]])
    assert question_features(states).tolist() == [2.0, 4.0, 3.0, 5.0]
    assert question_features(torch.zeros(0, 2)).tolist() == [0.0] * 4


def test_without_a_router_everything_is_a_fact() -> None:
    engine = Engine(tiny_checkpoint())
    assert engine.intent("Summarise this") == "fact"
    assert engine.refers_back("And in 2023?") and not engine.refers_back("Who keeps the lamp?")


def test_a_whole_document_question_is_quoted_and_no_document_token_is_read_for_it() -> None:
    engine = routed("summary")
    answer = last(engine.answer(engine.encode(document(TEXT)), "Sum it up"))
    assert answer.finished and answer.found and answer.tokens == 0 and answer.encoder_tokens == 0
    assert answer.evidence and all(place.verbatim for place in answer.evidence)


def test_an_instruction_that_cannot_be_followed_is_answered_so() -> None:
    engine = routed("translate")
    answer = last(engine.answer(engine.encode(document(TEXT)), "Put it into Welsh"))
    assert answer.is_message and not answer.found and answer.text != NOT_FOUND


def test_quoted_and_decoded_answers_come_in_the_questions_order() -> None:
    engine = routed("title")
    encoded = engine.encode(document("# Of Wells\n\n" + TEXT))
    engine.answering = replace(engine.answering, router=_ByWord({"title": "title"}))  # type: ignore[arg-type]
    *_, answers = engine.answer_batch(encoded, ["Who?", "title?", "When?"])
    assert [answer.question for answer in answers] == ["Who?", "title?", "When?"]
    assert answers[1].text == "Of Wells" and answers[0].tokens > 0 and answers[2].tokens > 0
    alone = last(engine.answer(encoded, "When?"))
    assert alone.text == answers[2].text


def test_a_follow_up_is_told_by_the_router_too() -> None:
    engine = routed("follow_up")
    assert engine.refers_back("the other one")


class _ByWord:
    def __init__(self, words: dict[str, Intent]) -> None:
        self._words = words

    def intent(self, question: str) -> Intent:
        return next((intent for word, intent in self._words.items() if word in question), "fact")
