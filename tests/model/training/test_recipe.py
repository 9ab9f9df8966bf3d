"""Laws of the recipe: what initialisation, low rank, packing and chunks must not change."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import Gemma3ForCausalLM, Gemma3TextConfig

from model.answering.prompts import NOT_IN_DOCUMENT
from model.checkpoints.adapter import Adapter, load_adapter, read_adapter, write_adapter
from model.checkpoints.initialise import Initialisation, build_model, initial_weights, t5gemma2_config
from model.decoder.decoder import Decoder
from model.encoder.encoder import encode_chunk
from model.encoding.chunks import plan_chunks
from model.encoding.memory import build_memory
from model.encoding.token_map import NO_PAGE
from model.engine import Engine
from model.errors import CheckpointError
from model.training.data import Tokens, TrainingPassage
from model.training.forward import answer_states
from model.training.lora import add_lora, truncate
from model.training.mixture import Mixture
from model.training.packing import IGNORED, Shape, collate, lay_out, pack
from tests.helpers.tiny import TEXT, document, tiny_checkpoint, tiny_model, tiny_tokenizer


def tiny_gemma() -> Gemma3ForCausalLM:
    torch.manual_seed(0)
    config = Gemma3TextConfig(
        vocab_size=400, hidden_size=48, intermediate_size=64, num_hidden_layers=7, num_attention_heads=4,
        num_key_value_heads=2, head_dim=16, sliding_window=8, query_pre_attn_scalar=16,
    )  # fmt: skip
    model = Gemma3ForCausalLM(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.25)
    return model


def gemma_weights(model: Gemma3ForCausalLM) -> dict[str, torch.Tensor]:
    return {name.removeprefix("model."): value for name, value in model.state_dict().items() if "lm_head" not in name}


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


@pytest.mark.parametrize("fold_norms", [True, False])
def test_the_decoder_without_a_document_is_still_gemma(fold_norms: bool) -> None:
    """Over a memory without rows, merged attention is Gemma's own causal attention: the logits are Gemma's."""
    gemma = tiny_gemma()
    start = Initialisation(fold_norms=fold_norms, encoder_layers=None)
    weights = initial_weights(gemma_weights(gemma), 7, start)
    model = build_model(t5gemma2_config(gemma.config), weights, torch.float32)
    ids = torch.randint(7, 400, (1, 20), generator=torch.Generator().manual_seed(1))
    ours = Decoder(model, [build_memory(model, torch.zeros(1, 48)[:0])], 1, capacity=20)
    first, *rest = ids[0].tolist()
    logits = [ours.begin([[first]]).logits, *(ours.step([token]).logits for token in rest)]
    assert torch.allclose(torch.cat(logits), gemma(ids).logits[0], atol=1e-3, rtol=1e-3)


def test_layers_from_the_middle_start_as_identity() -> None:
    gemma = tiny_gemma()
    weights = gemma_weights(gemma)
    whole = build_model(
        t5gemma2_config(gemma.config),
        initial_weights(weights, 7, Initialisation(identity_from=3, encoder_layers=None)),
        torch.float32,
    )
    states = whole.model.encoder(input_ids=torch.arange(10, 30)[None], output_hidden_states=True).hidden_states
    assert torch.equal(states[3], states[4])
    assert not torch.equal(states[2], states[3])


def test_an_encoder_that_is_cut_off_gives_what_its_silent_layers_would() -> None:
    gemma = tiny_gemma()
    weights, ids = gemma_weights(gemma), torch.arange(10, 30)[None]
    states = []
    for start in (Initialisation(identity_from=3, encoder_layers=None), Initialisation(encoder_layers=3)):
        config = t5gemma2_config(gemma.config, start.encoder_layers)
        model = build_model(config, initial_weights(weights, 7, start), torch.float32)
        states.append(model.model.encoder(input_ids=ids).last_hidden_state)
    assert len(model.model.encoder.text_model.layers) == 3 and len(model.model.decoder.layers) == 7
    assert torch.equal(*states)


def test_training_starts_at_the_pretrained_function_and_changes_little() -> None:
    model = tiny_model()
    ids = torch.arange(10, 40)
    before = encode_chunk(model, ids)
    trained = add_lora(model, rank=4)
    assert torch.allclose(encode_chunk(model, ids), before, atol=1e-5)
    names = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert len(names) == len(trained)
    assert not any("embed" in name or "vision" in name for name in trained)


def test_truncation_keeps_what_fits_and_is_the_best_approximation() -> None:
    up, down = torch.randn(12, 40), torch.randn(12, 30)
    whole = up.T @ down
    same_up, same_down = truncate(up, down, 12)
    assert torch.allclose(same_up.T @ same_down, whole, atol=1e-4)
    cut_up, cut_down = truncate(up, down, 5)
    tail = torch.linalg.svdvals(whole)[5:]
    assert torch.allclose((cut_up.T @ cut_down - whole).norm(), tail.norm(), rtol=1e-3)


def test_an_adapter_comes_back_from_its_file(tmp_path: Path) -> None:
    adapter = Adapter(
        factors={"a.q_proj": (torch.randn(4, 20), torch.randn(4, 30))}, norms={"a.k_norm.weight": torch.randn(16)}
    )
    sha256 = write_adapter(adapter, tmp_path / "adapter.safetensors")
    weights = {"a.q_proj.weight": torch.zeros(20, 30), "a.k_norm.weight": torch.zeros(16)}
    read_adapter(tmp_path / "adapter.safetensors", sha256).merge_into(weights)
    assert set(load_adapter(tmp_path / "adapter.safetensors").by_name()) == {
        "a.q_proj.up", "a.q_proj.down", "a.k_norm.weight",
    }  # fmt: skip
    up, down = adapter.factors["a.q_proj"]
    error = (weights["a.q_proj.weight"] - up.T @ down).norm() / (up.T @ down).norm()
    assert error < 0.02  # int8, one scale a row
    assert torch.equal(weights["a.k_norm.weight"], adapter.norms["a.k_norm.weight"])


def test_an_adapter_that_was_changed_on_the_way_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "adapter.safetensors"
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_adapter(file, "0" * 64)
    file.write_text("version https://git-lfs.github.com/spec/v1")
    with pytest.raises(CheckpointError, match="is damaged"):
        read_adapter(file, "0" * 64)


@pytest.mark.parametrize(("length", "size", "overlap"), [(1, 8, 2), (8, 8, 2), (9, 8, 2), (100, 8, 3), (57, 10, 0)])
def test_windows_keep_every_token_once_with_context_on_both_sides(length: int, size: int, overlap: int) -> None:
    chunks = plan_chunks(length, size, overlap)
    kept = [token for chunk in chunks for token in range(chunk.keep_start, chunk.keep_end)]
    assert kept == list(range(length))
    for chunk in chunks:
        assert 0 <= chunk.start <= chunk.keep_start < chunk.keep_end <= chunk.end <= length
        assert chunk.end - chunk.start <= size
        assert chunk.start == 0 or chunk.keep_start - chunk.start >= overlap // 2
        assert chunk.end == length or chunk.end - chunk.keep_end >= overlap // 2


def test_a_window_must_be_longer_than_its_overlap() -> None:
    with pytest.raises(ValueError, match=r"0\.\.7 for chunks of 8 tokens, not 8"):
        plan_chunks(100, 8, 8)


def passage(tokens: Tokens) -> TrainingPassage:
    pairs = tokens.pairs([("Who is the treasurer?", "Omar Haddad"), ("How much is the total?", "1,591.60 EUR")])
    return TrainingPassage(ids=tokens.encode([TEXT])[0], pairs=pairs)


def test_targets_are_the_answers_shifted_by_one() -> None:
    tokens = Tokens(tiny_tokenizer())
    pairs = passage(tokens).pairs
    ids, positions, question, targets = pack(pairs, 200)
    for number, pair in enumerate(pairs):
        rows = [row for row in range(len(ids)) if question[row] == number]
        assert [ids[row] for row in rows] == [*pair.prompt, *pair.answer][:-1]
        assert [positions[row] for row in rows] == list(range(len(rows)))
        assert [targets[row] for row in rows if targets[row] != IGNORED] == pair.answer
    assert pair.answer[-1] == tokens.eos


def test_a_question_that_does_not_fit_is_left_out_whole() -> None:
    pairs = passage(Tokens(tiny_tokenizer())).pairs
    size = len(pairs[0].prompt) + len(pairs[0].answer) + 3
    assert set(pack(pairs, size)[2]) == {0}


@pytest.mark.parametrize("chunks", [1, 2])
def test_training_sees_what_the_engine_computes(chunks: int) -> None:
    """Packed questions over several documents in one pass give the logits that the engine gives for each alone."""
    length = 40
    shape = Shape(chunks=chunks, chunk_size=length, overlap=8 if chunks > 1 else 0, answers=160)
    checkpoint = tiny_checkpoint(chunk_size=length, chunk_overlap=shape.overlap)
    tokens = Tokens(checkpoint.tokenizer)
    everything, some = passage(tokens).pairs
    some = replace(some, shown=((3, 9), (shape.length - 11, shape.length - 5)))
    ids = passage(tokens).ids
    texts = [
        TrainingPassage(ids=ids[start : start + shape.length - start], pairs=[everything, some]) for start in (0, 3)
    ]
    layouts = [lay_out([text], shape, tokens, random.Random(0)) for text in texts]
    batch = collate(layouts, [shape.answers] * 2)
    states, targets = answer_states(checkpoint.model, batch)
    logits = checkpoint.model.lm_head(states)
    at = 0
    for text, layout in zip(texts, layouts, strict=True):
        encoded = Engine(checkpoint).encode(document(checkpoint.tokenizer.decode(text.ids)))
        assert encoded.token_count == len(layout.memory) and encoded.chunks == chunks
        document_rows = (encoded.tokens.pages != NO_PAGE).nonzero().flatten()
        for pair in layout.pairs:
            shown = torch.zeros(1, encoded.token_count, dtype=torch.bool)
            shown[0, 0] = True
            for first, last in pair.shown:
                shown[0, document_rows[first:last]] = True
            decoder = Decoder(checkpoint.model, [encoded.memory], 1, 160, visible_mask=shown if pair.shown else None)
            expected = decoder.begin([[*pair.prompt, *pair.answer[:-1]]]).logits[0]
            last = at + len(pair.answer) - 1
            assert torch.allclose(logits[last], expected, atol=1e-3, rtol=1e-3)
            assert targets[last] == tokens.eos
            at = last + 1


def test_documents_fill_their_shape() -> None:
    tokens = Tokens(tiny_tokenizer())
    shape = Shape(chunks=2, chunk_size=200, overlap=20, answers=90)
    mixture = Mixture({"prose": [passage(tokens)] * 4}, {"records": 0.5, "prose": 0.5}, tokens, "train")
    batch = mixture.batch([shape] * 3, random.Random(3))
    assert len(batch.chunks) == 6 and len(batch.spans) == len(batch.memory_spans) == 3
    assert all(150 < last - first <= 200 for first, last in batch.chunks)
    assert all(60 < last - first <= 90 for first, last in batch.spans)
    assert all(batch.chunk_ids[first] == tokens.bos for first, _ in batch.chunks)
    assert batch.chunks[-1][1] == len(batch.chunk_ids) and batch.spans[-1][1] == len(batch.answer_ids)


def test_a_document_that_none_of_its_questions_fits_is_left_out() -> None:
    tokens = Tokens(tiny_tokenizer())
    text = passage(tokens)
    shape = Shape(chunks=1, chunk_size=2000, overlap=0, answers=900, filled=False)
    layouts = [lay_out([text], shape, tokens, random.Random(0)) for _ in range(3)]
    batch = collate(layouts, [900, 3, 900])
    assert len(batch.spans) == len(batch.chunks) == 2
    assert len(batch.memory_rows) == len(batch.chunk_ids) == 2 * (len(text.ids) + 1)


def test_only_a_share_of_the_unanswerable_questions_is_asked() -> None:
    """But a passage that has no other keeps one."""
    tokens = Tokens(tiny_tokenizer())
    asked = [("Question: Who?\nAnswer:", "Omar"), *[("Question: When?\nAnswer:", NOT_IN_DOCUMENT)] * 400]
    some = TrainingPassage(ids=passage(tokens).ids, pairs=tokens.pairs(asked))
    none = TrainingPassage(ids=some.ids, pairs=some.pairs[1:2])
    shape = Shape(chunks=1, chunk_size=200, overlap=0, answers=90, filled=False)
    counts = {}
    for name, text in (("some", some), ("none", none)):
        mixture = Mixture({"prose": [text]}, {"prose": 1.0}, tokens, "train", unanswerable=0.25)
        counts[name] = len(mixture.document(shape, random.Random(1)).pairs)
    assert 60 < counts["some"] < 150
    assert counts["none"] == 1
