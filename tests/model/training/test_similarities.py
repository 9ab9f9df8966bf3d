"""A question is compared with a text in training as answering compares it with the encoding."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from model.answering.document_index import scores_by_meaning
from model.engine import Engine
from model.errors import CheckpointError
from model.training.data import Tokens
from model.training.real_documents import PagedText
from model.training.similarities import Similarities
from tests.helpers.tiny import TEXT, document, random_projection, tiny_checkpoint

QUESTION = "Who is the treasurer?"


def test_scores_are_those_of_answering(tmp_path: Path) -> None:
    plain = tiny_checkpoint()
    checkpoint = replace(plain, retrieval=random_projection(plain.model.config.decoder.hidden_size))
    engine = Engine(checkpoint)
    encoded = engine.encode(document(TEXT, TEXT[:120]))
    index = engine.answering.indexes.of(encoded)
    spans = [(passage.start, passage.end) for passage in index.passages]
    expected = scores_by_meaning(engine.answering.indexes.question(QUESTION), [index])
    assert expected is not None
    pages = {1: TEXT, 2: TEXT[:120]}
    text = PagedText.of(pages, Tokens(checkpoint.tokenizer), Similarities(checkpoint, tmp_path))
    # The memory begins with a `<bos>`, which a text that is learned from does not have.
    assert [(passage.start + 1, passage.end + 1) for passage in text.passages] == spans
    assert text.similarities is not None
    scores = text.similarities.scores([(first - 1, last - 1) for first, last in spans], QUESTION)
    assert torch.allclose(scores, expected, atol=2e-2)


def test_a_checkpoint_without_a_projection_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="has no projection"):
        Similarities(tiny_checkpoint(), tmp_path)
