"""What the engine promises its users: nothing is read twice, order does not matter, stop stops, bad input says why."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from model.answering.prompts import HISTORY_TOKENS, decode_answer, prompt_ids, prompt_text
from model.checkpoints.checkpoint import Checkpoint
from model.decoder.decoder import Decoder
from model.encoding.file_format import join_chunks
from model.encoding.token_map import encode_text
from model.engine import Engine
from model.errors import Cancelled, DocumentError, EncodingError, QuestionError
from model.types import Answer, EncodedDocument, GenerationOptions, Turn
from tests.helpers.tiny import TEXT, document, last, tiny_checkpoint, tiny_model, tiny_tokenizer


def test_nothing_is_encoded_again_for_further_questions(checkpoint: Checkpoint) -> None:
    calls: list[int] = []
    layers = checkpoint.model.model.encoder.text_model.layers
    hooks = [
        layer.self_attn.o_proj.register_forward_hook(lambda _, inputs, __: calls.append(len(inputs[0])))
        for layer in layers
    ]
    engine = Engine(checkpoint)
    encoded = engine.encode(document(TEXT))
    read, layers_run = engine.encoder_tokens, len(calls)
    assert read == encoded.token_count
    assert layers_run == len(layers)
    for question in ("Who?", "When was it issued?", "How much?"):
        answer = last(engine.answer([encoded, encoded], question, options=GenerationOptions(max_new_tokens=5)))
        assert answer.encoder_tokens == 0
    assert (engine.encoder_tokens, len(calls)) == (read, layers_run)
    for hook in hooks:
        hook.remove()


def test_what_others_read_meanwhile_is_not_counted_for_an_answer(checkpoint: Checkpoint) -> None:
    """And what is read in the same call is: the number is counted, not assumed."""
    engine = Engine(checkpoint)
    encoded = engine.encode(document(TEXT))
    answers = engine.answer(encoded, "Who is the treasurer?", options=GenerationOptions(max_new_tokens=6))
    next(answers)
    with ThreadPoolExecutor(1) as another:
        another.submit(engine.encode, document(TEXT)).result()
    assert last(answers).encoder_tokens == 0
    reading = SimpleNamespace(intent=lambda question: "fact" if engine.encode(document(question)) else "")
    engine.answering = replace(engine.answering, router=reading)
    assert last(engine.answer(encoded, "Who is the treasurer?")).encoder_tokens > 0


def test_one_memory_for_many_questions_equals_fresh_runs_in_any_order(checkpoint: Checkpoint) -> None:
    questions = ["Who is the treasurer?", "What is the total?", "When?"]
    options = GenerationOptions(max_new_tokens=12)
    engine = Engine(checkpoint)
    encoded = engine.encode(document(TEXT))
    fresh = {
        question: last(Engine(checkpoint).answer(Engine(checkpoint).encode(document(TEXT)), question, options=options))
        for question in questions
    }
    for question in [*questions, *reversed(questions)]:
        answer = last(engine.answer(encoded, question, options=options))
        assert (answer.text, answer.confidence) == (fresh[question].text, fresh[question].confidence)


def test_a_long_document_is_read_in_windows_and_every_token_is_kept_once() -> None:
    checkpoint = tiny_checkpoint(chunk_size=24, chunk_overlap=8)
    engine = Engine(checkpoint)
    whole = Engine(tiny_checkpoint()).encode(document(TEXT))
    encoded = engine.encode(document(TEXT))
    kept = encoded.tokens.ids[encoded.tokens.ids != 2]
    assert encoded.chunks > 3
    assert torch.equal(kept, whole.tokens.ids[1:])
    assert encoded.token_count == len(kept) + encoded.chunks
    assert encoded.memory.hidden.shape[0] == encoded.memory.key_inv_rms.shape[-1] == encoded.token_count


def test_tokens_know_their_page_and_characters(checkpoint: Checkpoint) -> None:
    pages = (TEXT, "", "Zweite Seite: Straße, 日本語, naïve — 12 €.")
    encoded = Engine(checkpoint).encode(document(*pages))
    spelled = {1: "", 3: ""}
    for page, start, end in zip(
        encoded.tokens.pages.tolist(), encoded.tokens.starts.tolist(), encoded.tokens.ends.tolist(), strict=True
    ):
        if page:
            spelled[page] = spelled[page][:start] + pages[page - 1][start:end]
    assert spelled == {1: pages[0], 3: pages[2]}


def test_special_tokens_written_in_a_document_stay_text(checkpoint: Checkpoint) -> None:
    ids, _ = encode_text(checkpoint.tokenizer, "a <eos> b <bos> <start_of_image>")
    assert not {1, 2, 4} & set(ids)


def test_snapshots_grow_and_only_the_last_is_finished(checkpoint: Checkpoint) -> None:
    engine = Engine(checkpoint)
    encoded = engine.encode(document(TEXT))
    answers = list(engine.answer(encoded, "Who?", options=GenerationOptions(max_new_tokens=6)))
    assert [answer.finished for answer in answers] == [False] * (len(answers) - 1) + [True]
    assert [answer.tokens for answer in answers] == list(range(1, len(answers) + 1))
    assert answers[-1].stop_reason in {"length", "end"}


def test_end_of_sequence_ends_the_answer(checkpoint: Checkpoint) -> None:
    engine = Engine(checkpoint)
    encoded = engine.encode(document(TEXT))
    ended = replace(checkpoint, model=tiny_model())
    with torch.no_grad():  # whatever comes first becomes the end
        first = next(Engine(ended).answer(encoded, "Who?"))
    assert first.tokens == 1
    prompt = [2, *encode_text(ended.tokenizer, prompt_text("Who?"))[0]]
    token = int(Decoder(ended.model, [encoded.memory], 1, 64).begin([prompt]).logits.argmax())
    ended.model.generation_config.eos_token_id = [1, token]
    answer = last(Engine(ended).answer(encoded, "Who?"))
    assert (answer.tokens, answer.stop_reason) == (1, "end")


def test_an_answer_that_goes_in_a_circle_is_read_off_once() -> None:
    tokenizer = tiny_tokenizer()
    before, circle = (encode_text(tokenizer, text)[0] for text in ("Its treasurer is", " Omar Haddad, Ada Keller"))
    once = f"{tokenizer.decode(before)}{tokenizer.decode(circle)}"
    assert len(circle) >= 8
    assert decode_answer(tokenizer, before + circle) == (once, False)
    assert decode_answer(tokenizer, before + circle + circle[:-1]) == (once + tokenizer.decode(circle[:-1]), False)
    assert decode_answer(tokenizer, before + circle + circle) == (once, True)
    assert not decode_answer(tokenizer, [before[0], before[1]] * 3)[1]


def test_stop_stops_before_the_next_token(checkpoint: Checkpoint) -> None:
    engine = Engine(checkpoint)
    encoded = engine.encode(document(TEXT))
    seen: list[Answer] = []
    for answer in engine.answer(encoded, "Who?", cancelled=lambda: len(seen) >= 2):
        seen.append(answer)
    assert (len(seen), seen[-1].stop_reason) == (3, "stopped")


def test_a_stop_does_not_wait_for_the_token(checkpoint: Checkpoint) -> None:
    """It is asked before every layer: before the first token that is an end without an answer."""
    engine = Engine(checkpoint)
    encoded = engine.encode(document(TEXT))
    layers: list[None] = []

    def in_the_fourth_layer() -> bool:
        layers.append(None)
        return len(layers) > 3

    with pytest.raises(Cancelled, match="before the answer began"):
        next(engine.answer(encoded, "Who?", cancelled=in_the_fourth_layer))
    assert len(layers) == 4


def test_encoding_can_be_cancelled(checkpoint: Checkpoint) -> None:
    with pytest.raises(Cancelled):
        Engine(checkpoint).encode(document(TEXT), cancelled=lambda: True)


def test_sampling_repeats_with_its_seed_and_a_tiny_nucleus_is_greedy(checkpoint: Checkpoint) -> None:
    engine = Engine(checkpoint)
    encoded = engine.encode(document(TEXT))

    def ask(**options: float) -> str:
        return last(engine.answer(encoded, "Who?", options=GenerationOptions(max_new_tokens=12, **options))).text

    assert ask(temperature=1.0, seed=3) == ask(temperature=1.0, seed=3)
    assert len({ask(temperature=1.5, seed=seed) for seed in range(5)}) > 1
    assert ask(temperature=1.0, top_p=1e-9) == ask()


def test_earlier_turns_go_into_the_decoder() -> None:
    text = prompt_text("And when?", (Turn(question="Who?", answer="Ada"),))
    assert text == "Question: Who?\nAnswer: Ada\nQuestion: And when?\nAnswer:"


def test_a_long_conversation_keeps_its_latest_turns(checkpoint: Checkpoint) -> None:
    history = [Turn(question=f"Question number {n}?", answer="A long answer. " * 6) for n in range(30)]
    ids = prompt_ids(checkpoint, "And when?", history)
    text = checkpoint.tokenizer.decode(ids[1:])
    assert len(ids) <= HISTORY_TOKENS + len(prompt_ids(checkpoint, "And when?"))
    assert "number 29" in text
    assert "number 0?" not in text
    assert text.endswith("Question: And when?\nAnswer:")


def test_a_batch_of_questions_gets_what_each_gets_alone(checkpoint: Checkpoint) -> None:
    questions = ["Who is the treasurer?", "When?", "What is the total of the invoice, and who paid it?"]
    options = GenerationOptions(max_new_tokens=12)
    engine = Engine(checkpoint)
    encoded = engine.encode(document(TEXT))
    *_, together = engine.answer_batch(encoded, questions, options=options)
    alone = [last(engine.answer(encoded, question, options=options)) for question in questions]
    assert [answer.text for answer in together] == [answer.text for answer in alone]
    for one, other in zip(together, alone, strict=True):
        assert [(place.page, place.quote) for place in one.evidence] == [
            (place.page, place.quote) for place in other.evidence
        ]
    assert all(answer.finished and answer.encoder_tokens == 0 for answer in together)


def test_questions_can_be_answered_from_the_windows_read_so_far() -> None:
    engine = Engine(tiny_checkpoint(chunk_size=24, chunk_overlap=8))
    pieces: list[EncodedDocument] = []
    texts: list[str] = []

    for piece in engine.encode_chunks(document(TEXT)):
        pieces.append(piece)
        texts.append(last(engine.answer(join_chunks(pieces), "Who?", options=GenerationOptions(max_new_tokens=3))).text)
    encoded = engine.encode(document(TEXT))
    assert len(texts) == encoded.chunks > 3
    joined = join_chunks(pieces)
    assert torch.equal(joined.memory.hidden, encoded.memory.hidden)
    assert torch.equal(joined.tokens.ids, encoded.tokens.ids)
    assert joined.chunks == encoded.chunks


def test_an_engine_keeps_encodings_in_the_precision_that_it_was_told(checkpoint: Checkpoint) -> None:
    own = Engine(checkpoint).encode(document(TEXT))
    half = Engine(checkpoint, memory_precision="bfloat16").encode(document(TEXT))
    eighth = Engine(checkpoint, memory_precision="int8").encode(document(TEXT))
    rows, hidden = own.memory.hidden.shape
    assert own.cache_bytes - half.cache_bytes == 2 * rows * hidden
    assert half.cache_bytes - eighth.cache_bytes == rows * hidden - 4 * (rows + hidden)


@pytest.mark.parametrize(
    ("question", "words"),
    [("", "empty"), ("  \n", "empty"), ("x" * 10_000, "10,000 characters; the limit is 2,000")],
)
def test_questions_that_cannot_be_asked_say_why(checkpoint: Checkpoint, question: str, words: str) -> None:
    engine = Engine(checkpoint)
    encoded = engine.encode(document(TEXT))
    with pytest.raises(QuestionError, match=words):
        engine.answer(encoded, question)


def test_an_encoding_of_another_checkpoint_is_refused(checkpoint: Checkpoint) -> None:
    foreign = replace(Engine(checkpoint).encode(document(TEXT)), fingerprint="another")
    with pytest.raises(EncodingError, match="read the document again"):
        Engine(checkpoint).answer(foreign, "Who?")


def test_a_document_without_text_is_refused(checkpoint: Checkpoint) -> None:
    with pytest.raises(DocumentError, match="has 2 pages and no text"):
        Engine(checkpoint).encode(document("", ""))
