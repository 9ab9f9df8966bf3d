"""Laws of the engine, on the real classes with a tiny random configuration in float32, against transformers."""

from __future__ import annotations

import pytest
import torch
from transformers import T5Gemma2ForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutput

from model.answering.prompts import prompt_text
from model.checkpoints.checkpoint import Checkpoint
from model.decoder.decoder import Decoder, DecoderParts
from model.decoder.document_forms import AbsorbedForm, ProjectedForm, choose_form
from model.decoder.forward import DecoderOutput
from model.decoder.limits import FITTED, DecoderLimits
from model.encoder.attention import attention_by_products, global_attention, local_attention, sliding_window_mask
from model.encoder.encoder import PieceSizes, encode_chunk
from model.encoding.memory import build_memory, join_memories
from model.encoding.token_map import encode_text
from model.engine import Engine
from model.types import GenerationOptions, Memory
from tests.helpers.kernels import AS_STATES
from tests.helpers.tiny import TEXT, document, ids_of, last, relative_error, tiny_checkpoint, tiny_config, tiny_model

TOLERANCE = 1e-4
SHAPES = [(4, 1), (4, 2), (4, 4)]


def answered(
    model: T5Gemma2ForConditionalGeneration,
    memories: list[Memory],
    question: list[int],
    limits: DecoderLimits = FITTED,
) -> DecoderOutput:
    """What the decoder says after the question."""
    return Decoder(model, memories, 1, capacity=len(question), parts=DecoderParts(limits=limits)).begin([question])


@pytest.mark.parametrize(("heads", "key_heads"), SHAPES)
@pytest.mark.parametrize("length", [1, 5, 60, 300])
@pytest.mark.parametrize("sliding_window", [8, 9])
def test_encoder_states_equal_transformers(heads: int, key_heads: int, length: int, sliding_window: int) -> None:
    """In pieces that do not divide the length, in blocks shorter than the band and longer, and whole."""
    model = tiny_model(tiny_config(heads=heads, key_heads=key_heads, sliding_window=sliding_window))
    sizes = PieceSizes(most=130, pairs=200 * length)
    ids = ids_of(length)
    theirs = model.model.encoder(input_ids=ids[None]).last_hidden_state[0]
    assert relative_error(encode_chunk(model, ids, sizes=sizes), theirs) < TOLERANCE


@pytest.mark.parametrize("size", [3, 9, 40, 300])
@pytest.mark.parametrize("sliding_window", [1, 2, 8, 9])
@pytest.mark.parametrize("first", [0, 2])
def test_banded_attention_equals_full_attention_with_a_mask(size: int, sliding_window: int, first: int) -> None:
    torch.manual_seed(0)
    queries, keys, values = torch.randn(2, 3, size, 16), torch.randn(2, size, 16), torch.randn(2, size, 16)
    mask = sliding_window_mask(size, sliding_window, keys.device)
    full = torch.softmax((queries @ keys[:, None].mT / 4).masked_fill(~mask, -torch.inf), -1) @ values[:, None]
    banded = local_attention(queries[:, :, first:], keys, values, 1 / 4, first, sliding_window)
    assert relative_error(banded, full[:, :, first:]) < TOLERANCE


@pytest.mark.parametrize("masked", [False, True])
def test_attention_by_products_equals_pytorchs_kernel(masked: bool) -> None:
    """The CPU's way in bfloat16, computed in float32 and in steps that do not divide the queries."""
    torch.manual_seed(0)
    queries, keys, values = torch.randn(2, 3, 30, 16), torch.randn(2, 20, 16), torch.randn(2, 20, 16)
    for shape in [(30, 20), (1, 30, 20), (2, 30, 20)] if masked else [()]:
        bias = torch.where(torch.rand(shape) < 0.7, 0.0, -torch.inf) if masked else None
        ours = attention_by_products(queries, keys, values, bias, 0.25, scores_at_once=2 * 3 * 20 * 7)
        assert relative_error(ours, global_attention(queries, keys, values, 0.25, bias)) < TOLERANCE


@pytest.mark.parametrize(("heads", "key_heads"), SHAPES)
@pytest.mark.parametrize("questions", [1, 4, 30])  # 30 tokens are more than the decoder's local window of 8
def test_logits_equal_transformers(heads: int, key_heads: int, questions: int) -> None:
    model = tiny_model(tiny_config(heads=heads, key_heads=key_heads))
    hidden = encode_chunk(model, ids_of(60))
    question = ids_of(questions, seed=2)
    output = answered(model, [build_memory(model, hidden)], question.tolist())
    theirs = model(encoder_outputs=BaseModelOutput(hidden[None]), decoder_input_ids=question[None]).logits[0, -1]
    assert relative_error(output.logits[0], theirs) < TOLERANCE


def test_attention_over_the_document_equals_transformers() -> None:
    model = tiny_model()
    model.set_attn_implementation("eager")
    hidden, question = encode_chunk(model, ids_of(40)), ids_of(6, seed=2)
    output = answered(model, [build_memory(model, hidden)], question.tolist())
    outputs = model(
        encoder_outputs=BaseModelOutput(hidden[None]), decoder_input_ids=question[None], output_attentions=True
    )
    theirs = torch.stack(outputs.cross_attentions).mean(2)[:, 0, -1]  # (layers, T), heads' mean, of the last token
    assert relative_error(output.attention[0], theirs.mean(0)) < TOLERANCE
    assert relative_error(output.middle_layer_attention[0], theirs[5]) < TOLERANCE  # the only global layer of seven


def test_greedy_tokens_equal_transformers(checkpoint: Checkpoint) -> None:
    engine = Engine(checkpoint)
    encoded = engine.encode(document(TEXT))
    question = "When was the report issued?"  # the answer goes in no circle, as a random model likes to
    answer = last(engine.answer(encoded, question, options=GenerationOptions(max_new_tokens=24)))
    prompt = [2, *encode_text(checkpoint.tokenizer, prompt_text(question))[0]]
    theirs = checkpoint.model.generate(
        input_ids=encoded.tokens.ids[None].long(),
        decoder_input_ids=torch.tensor([prompt]),
        max_new_tokens=24,
        do_sample=False,
    )[0, len(prompt) :]
    text = checkpoint.tokenizer.decode(theirs.tolist())
    assert answer.tokens == len(theirs)
    assert answer.text == text.strip().rstrip("\ufffd").strip()


def test_a_prompt_of_several_tokens_equals_token_by_token() -> None:
    model = tiny_model()
    memory = build_memory(model, encode_chunk(model, ids_of(50)))
    question = ids_of(20, seed=3).tolist()
    together = answered(model, [memory], question)
    alone = Decoder(model, [memory], 1, capacity=20)
    output = alone.begin([question[:1]])
    for token in question[1:]:
        output = alone.step([token])
    assert relative_error(output.logits, together.logits) < TOLERANCE


def test_a_long_prompt_in_pieces_equals_one_piece() -> None:
    model = tiny_model()
    memory = build_memory(model, encode_chunk(model, ids_of(50)))
    question = ids_of(20, seed=3).tolist()
    whole = answered(model, [memory], question)
    pieces = answered(model, [memory], question, DecoderLimits(prompt_tokens=3))
    assert relative_error(pieces.logits, whole.logits) < TOLERANCE
    assert relative_error(pieces.attention, whole.attention) < TOLERANCE


def test_attention_over_joined_memories_equals_attention_over_one_tensor_of_the_same_rows() -> None:
    model = tiny_model()
    hidden = [encode_chunk(model, ids_of(count, seed=count)) for count in (30, 17, 5)]
    one = build_memory(model, torch.cat(hidden))
    joined = join_memories([build_memory(model, rows) for rows in hidden])
    question = ids_of(9, seed=4).tolist()
    over_one = answered(model, [one], question)
    over_joined = answered(model, [joined], question)
    over_several = answered(model, [build_memory(model, rows) for rows in hidden], question)
    for output in (over_joined, over_several):
        assert relative_error(output.logits, over_one.logits) < TOLERANCE
        assert relative_error(output.attention, over_one.attention) < TOLERANCE


@pytest.mark.parametrize("block", [1, 7, 64])
def test_a_memory_read_block_by_block_equals_one_read_whole(block: int) -> None:
    model = tiny_model()
    memory = build_memory(model, encode_chunk(model, ids_of(50)))
    question = ids_of(9, seed=4).tolist()
    whole = answered(model, [memory], question)
    pieces = [
        Memory(hidden=memory.hidden[i : i + block], key_inv_rms=memory.key_inv_rms[..., i : i + block])
        for i in range(0, 50, block)
    ]
    assert relative_error(answered(model, pieces, question).logits, whole.logits) < TOLERANCE


def test_questions_in_a_batch_get_what_each_gets_alone() -> None:
    """Of unequal length, longer than the local window, and one after the other leaving the batch."""
    model = tiny_model()
    memory = build_memory(model, encode_chunk(model, ids_of(50)))
    questions = [ids_of(count, seed=count).tolist() for count in (3, 20, 11, 1)]
    tokens = ids_of(12, seed=9).tolist()
    batch = Decoder(model, [memory], len(questions), capacity=40)
    alone = [Decoder(model, [memory], 1, capacity=40) for _ in questions]
    together = batch.begin(questions)
    apart = [decoder.begin([question]) for decoder, question in zip(alone, questions, strict=True)]
    running = list(range(len(questions)))
    for token, leaving in zip(tokens, [None, 2, None, 0, None], strict=False):
        for row, question in enumerate(running):
            assert relative_error(together.logits[row], apart[question].logits[0]) < TOLERANCE
            assert relative_error(together.attention[row], apart[question].attention[0]) < TOLERANCE
        if leaving is not None:
            batch.select([row for row, question in enumerate(running) if question != leaving])
            running.remove(leaving)
        together = batch.step([token] * len(running))
        apart = [decoder.step([token]) for decoder in alone]


@pytest.mark.parametrize(("heads", "key_heads"), SHAPES)
def test_keys_and_values_give_what_states_give(heads: int, key_heads: int) -> None:
    """Both forms of the document, several memories, and questions that go on for some tokens."""
    model = tiny_model(tiny_config(heads=heads, key_heads=key_heads))
    memories = [build_memory(model, encode_chunk(model, ids_of(count, seed=count))) for count in (30, 100)]
    questions = [ids_of(count, seed=count).tolist() for count in (3, 12)]

    def outputs(limits: DecoderLimits) -> list[DecoderOutput]:
        decoder = Decoder(model, memories, 2, capacity=20, parts=DecoderParts(limits=limits))
        return [decoder.begin(questions), decoder.step([7, 9]), decoder.step([11, 8])]

    assert isinstance(choose_form(model, memories, 2, 12, AS_STATES.projected_bytes), AbsorbedForm)
    assert isinstance(choose_form(model, memories, 2, 12), ProjectedForm)
    for absorbed, projected in zip(outputs(AS_STATES), outputs(FITTED), strict=True):
        assert relative_error(projected.logits, absorbed.logits) < TOLERANCE
        assert relative_error(projected.attention, absorbed.attention) < TOLERANCE


def test_many_questions_are_worth_keys_and_values() -> None:
    """One short question is answered from the states; sixteen are not, unless the document is too long for it."""
    model = tiny_model(tiny_config(heads=4, key_heads=4))
    memory = build_memory(model, encode_chunk(model, ids_of(50)))
    assert isinstance(choose_form(model, [memory], 1, 4), AbsorbedForm)
    assert isinstance(choose_form(model, [memory], 16, 16), ProjectedForm)
    long = Memory(
        hidden=memory.hidden[:1].expand(2**20, -1), key_inv_rms=memory.key_inv_rms[..., :1].expand(-1, -1, 2**20)
    )
    assert isinstance(choose_form(model, [long], 16, 16), AbsorbedForm)


def test_the_order_of_joined_documents_does_not_matter(checkpoint: Checkpoint) -> None:
    """Cross keys carry no position: the memory is a set of rows."""
    model = checkpoint.model
    memory = build_memory(model, encode_chunk(model, ids_of(40)))
    order = torch.randperm(40, generator=torch.Generator().manual_seed(0))
    shuffled = Memory(hidden=memory.hidden[order], key_inv_rms=memory.key_inv_rms[..., order])
    question = ids_of(7, seed=5).tolist()
    expected = answered(model, [memory], question).logits
    assert relative_error(answered(model, [shuffled], question).logits, expected) < TOLERANCE


def test_a_window_holds_what_encoding_it_alone_gives() -> None:
    checkpoint = tiny_checkpoint(chunk_size=24, chunk_overlap=8)
    encoded = Engine(checkpoint).encode(document(TEXT))
    stream = encoded.tokens.ids[encoded.tokens.ids != 2]
    alone = encode_chunk(checkpoint.model, torch.cat([torch.tensor([2]), stream[:23]]))
    assert relative_error(encoded.memory.hidden[:20], alone[:20]) < TOLERANCE
