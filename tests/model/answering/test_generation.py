"""Laws of generation: one snapshot a token, how an answer ends, and what a stop leaves."""

from dataclasses import replace

import pytest

from model.answering.prompts import prompt_ids
from model.checkpoints.checkpoint import Checkpoint
from model.decoder.decoder import Decoder
from model.engine import Engine
from model.errors import Cancelled
from model.types import EncodedDocument, GenerationOptions
from tests.helpers.tiny import TEXT, document, last

WHO = "Who is the treasurer?"


@pytest.fixture
def encoded(checkpoint: Checkpoint) -> EncodedDocument:
    return Engine(checkpoint).encode(document(TEXT))


def greedy(checkpoint: Checkpoint, encoded: EncodedDocument, tokens: int) -> list[int]:
    """The likeliest token after each, one by one."""
    prompt = prompt_ids(checkpoint, WHO)
    decoder = Decoder(checkpoint.model, [encoded.memory], 1, len(prompt) + tokens)
    output, ids = decoder.begin([prompt]), list[int]()
    for _ in range(tokens):
        ids.append(int(output.logits.argmax()))
        output = decoder.step([ids[-1]])
    return ids


def test_snapshots_grow_by_one_token_and_only_the_last_is_finished(
    checkpoint: Checkpoint, encoded: EncodedDocument
) -> None:
    answers = list(Engine(checkpoint).answer(encoded, WHO, options=GenerationOptions(max_new_tokens=6)))
    assert [answer.tokens for answer in answers] == [1, 2, 3, 4, 5, 6]
    assert [answer.finished for answer in answers] == [False] * 5 + [True]
    assert {answer.first_token_seconds for answer in answers} == {answers[0].first_token_seconds}
    assert all(answer.evidence == () and answer.attention == () for answer in answers[:-1])
    assert answers[-1].attention != ()


def test_the_text_is_that_of_the_likeliest_tokens(checkpoint: Checkpoint, encoded: EncodedDocument) -> None:
    answer = last(Engine(checkpoint).answer(encoded, WHO, options=GenerationOptions(max_new_tokens=6)))
    ids = greedy(checkpoint, encoded, 6)
    assert answer.text == checkpoint.tokenizer.decode(ids, skip_special_tokens=True).rstrip("\ufffd").strip()


def test_an_answer_ends_at_the_limit_or_at_an_end_token(checkpoint: Checkpoint, encoded: EncodedDocument) -> None:
    options = GenerationOptions(max_new_tokens=6)
    assert last(Engine(checkpoint).answer(encoded, WHO, options=options)).stop_reason == "length"
    ids = greedy(checkpoint, encoded, 3)
    config = checkpoint.model.model.decoder.config
    before, config.eos_token_id = config.eos_token_id, ids[2]
    try:
        ended = last(Engine(checkpoint).answer(encoded, WHO, options=options))
    finally:
        config.eos_token_id = before
    assert ended.stop_reason == "end"
    assert ended.tokens == 1 + ids.index(ids[2])


def test_a_stop_keeps_what_there_is_and_says_so(checkpoint: Checkpoint, encoded: EncodedDocument) -> None:
    seen: list[int] = []
    answers = []
    for answer in Engine(checkpoint).answer(
        encoded, WHO, options=GenerationOptions(max_new_tokens=9), cancelled=lambda: len(seen) >= 3
    ):
        answers.append(answer)
        seen.append(answer.tokens)
    assert [answer.tokens for answer in answers] == [1, 2, 3, 3]
    assert (answers[-1].finished, answers[-1].stop_reason) == (True, "stopped")
    assert answers[-1].text == answers[-2].text


def test_a_stop_before_the_first_token_leaves_no_answer(checkpoint: Checkpoint, encoded: EncodedDocument) -> None:
    with pytest.raises(Cancelled, match="before the answer began"):
        list(Engine(checkpoint).answer(encoded, WHO, cancelled=lambda: True))


def test_a_checkpoint_that_answers_from_passages_attends_to_fewer_tokens(checkpoint: Checkpoint) -> None:
    focused = replace(checkpoint, passage_tokens=40)
    encoded = Engine(focused).encode(document(TEXT * 3))
    options = GenerationOptions(max_new_tokens=3)
    some = last(Engine(focused).answer(encoded, "Who is the treasurer?", options=options))
    everything = last(Engine(focused).answer(encoded, WHO, options=replace(options, whole_document=True)))
    assert 0 < some.shown_tokens < everything.shown_tokens == encoded.token_count
