"""Laws of late interaction: MaxSim is its formula, vectors live as long as their document, nothing is read again."""

import gc
from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from model.answering.late_interaction import document_vectors, max_similarities
from model.answering.passages import Passage
from model.answering.retrieval import fused, retrieve
from model.answering.word_index import WordIndex, relevance
from model.checkpoints.adapter import adapter_info, projection_file, read_projection
from model.encoding.memory import to_precision
from model.engine import Engine
from model.errors import CheckpointError
from model.types import GenerationOptions, Memory
from tests.helpers.tiny import TEXT, document, last, random_projection, tiny_checkpoint


def memory(tokens: int, hidden: int = 32) -> Memory:
    states = torch.randn(tokens, hidden, generator=torch.Generator().manual_seed(tokens))
    return Memory(hidden=states, key_inv_rms=torch.ones(1, 1, tokens))


def test_a_passage_scores_the_mean_of_each_question_token_s_most_similar_token() -> None:
    generator = torch.Generator().manual_seed(1)
    question, tokens = torch.randn(5, 8, generator=generator), torch.randn(40, 8, generator=generator)
    spans = [(1, 4), (4, 20), (22, 23), (30, 40)]
    expected = [(question @ tokens[first:last].T).amax(1).mean() for first, last in spans]
    assert torch.allclose(max_similarities(question, tokens, spans), torch.stack(expected), atol=1e-6)


def test_vectors_are_centred_projected_and_of_unit_length() -> None:
    found, one = random_projection(32), memory(9)
    vectors = document_vectors(one, found)
    expected = functional.normalize((one.hidden - found.document_mean) @ found.document, dim=-1)
    assert vectors.shape == (9, 16)
    assert torch.allclose(vectors.float(), expected, atol=2e-2)


def test_a_document_in_int8_has_nearly_the_same_vectors() -> None:
    found, one = random_projection(32), memory(50)
    exact, rounded = (document_vectors(kept, found).float() for kept in (one, to_precision(one, "int8")))
    assert functional.cosine_similarity(exact, rounded, dim=-1).min() > 0.99


def test_an_index_is_made_once_and_goes_with_its_document() -> None:
    plain = tiny_checkpoint()
    engine = Engine(replace(plain, retrieval=random_projection(plain.model.config.decoder.hidden_size)))
    one, other = engine.encode(document(TEXT)), engine.encode(document(TEXT[:90]))
    index = engine.answering.indexes.of(one)
    assert engine.answering.indexes.of(one) is index and engine.answering.indexes.of(other) is not index
    assert index.vectors is not None and index.vectors.shape == (one.token_count, 16)
    assert len(engine.answering.indexes._known) == 2
    del one
    gc.collect()
    assert len(engine.answering.indexes._known) == 1


def test_both_rankings_count_and_a_passage_without_a_word_has_none_by_words() -> None:
    scores = fused([0.0, 3.0, 1.0], torch.tensor([0.9, 0.2, 0.5]))
    assert scores[1] > scores[2]  # first by words and last by meaning, against second in both
    assert scores[0] == 1 / 10  # by meaning alone
    assert max(fused([0.0, 0.0], torch.tensor([0.1, 0.7]))) == 1 / 10


def test_a_passage_is_found_by_meaning_where_no_word_is_shared() -> None:
    passages = [
        Passage(start=40 * index, end=40 * (index + 1), text=text)
        for index, text in enumerate(("the keeper lives in the tower", "the lamp was lit", "seals sleep on the rock"))
    ] + [Passage(start=200 + index, end=201 + index, text="and so on") for index in range(5)]
    by_meaning = torch.tensor([0.1, 0.8, 0.3, *[0.0] * 5])
    question = "Quand a-t-on allumé le phare ?"
    by_words = relevance([WordIndex(passages)], question)
    assert retrieve(passages, question, 60, by_words) == []  # it attended to everything
    assert retrieve(passages, question, 60, by_words, by_meaning)[0] == passages[1]


def test_a_question_is_encoded_and_the_document_is_not() -> None:
    plain = tiny_checkpoint(chunk_size=60, chunk_overlap=8)
    checkpoint = replace(plain, passage_tokens=30, retrieval=random_projection(plain.model.config.decoder.hidden_size))
    engine = Engine(checkpoint)
    encoded = engine.encode(document(TEXT * 3))
    read = engine.encoder_tokens
    answer = last(engine.answer(encoded, "Qui ?", options=GenerationOptions(max_new_tokens=2)))
    assert 0 < answer.shown_tokens < encoded.token_count
    assert (engine.encoder_tokens, answer.encoder_tokens) == (read, 0)


def test_the_shipped_projection_is_the_one_that_is_named() -> None:
    info = adapter_info()
    found = read_projection(projection_file(), info.retrieval_sha256)
    assert found.document.shape == found.question.shape == (640, 128)
    assert all(torch.isfinite(part).all() for part in (found.document, found.question, found.document_mean))
    with pytest.raises(CheckpointError, match=r"embedded-retrieval\.safetensors is damaged"):
        read_projection(projection_file(), "0" * 64)
