"""Laws of training the projection: whitening whitens, and training finds what only the projection can tell."""

import random
from pathlib import Path

import torch
from safetensors.torch import load_file

from model.answering.late_interaction import document_vectors, max_similarities, question_vectors
from model.training.late_interaction import EncodedText, ProjectionModel, train, whitening, write_projection
from model.types import Memory

HIDDEN, SIZE = 24, 8


def texts(count: int, generator: torch.Generator) -> list[EncodedText]:
    """A question's tokens are its passage's, turned by a fixed matrix: only a trained projection can tell."""
    turn = torch.linalg.qr(torch.randn(HIDDEN, HIDDEN, generator=torch.Generator().manual_seed(9)))[0]
    made = []
    for _ in range(count):
        states = torch.randn(20, HIDDEN, generator=generator) * torch.linspace(4, 0.5, HIDDEN) + 3
        passages = tuple((first, first + 5) for first in range(0, 20, 5))
        questions = tuple((states[first : first + 3] @ turn, index) for index, (first, _) in enumerate(passages))
        made.append(EncodedText(states=states, passages=passages, questions=questions))
    return made


def test_whitened_states_have_unit_variance_and_no_correlation() -> None:
    states = torch.randn(5000, HIDDEN, generator=torch.Generator().manual_seed(0)) @ torch.randn(HIDDEN, HIDDEN) + 2
    mean, matrix = whitening(states, SIZE)
    covariance = torch.cov(((states - mean) @ matrix).T)
    assert torch.allclose(covariance, torch.eye(SIZE), atol=0.1)


def test_the_loss_is_over_all_passages_of_all_texts() -> None:
    some = texts(6, torch.Generator().manual_seed(1))
    model = ProjectionModel(torch.cat([text.states for text in some]), SIZE)
    with torch.no_grad():
        model.log_temperature.fill_(-20.0)  # all scores alike
    assert abs(model.loss(some, random.Random(0)).item() - torch.tensor(24.0).log().item()) < 1e-4


def test_training_finds_the_right_passage_of_unseen_texts(tmp_path: Path) -> None:
    generator, losses = torch.Generator().manual_seed(2), list[float]()
    projection = train(texts(60, generator), steps=150, report=lambda _, loss: losses.append(loss))
    assert sum(losses[-10:]) < 0.5 * sum(losses[:10])
    right = 0
    for text in texts(20, generator):
        document = document_vectors(Memory(hidden=text.states, key_inv_rms=torch.ones(1, 1, 20)), projection)
        for states, passage in text.questions:
            scores = max_similarities(question_vectors(states, projection), document, text.passages)
            right += int(scores.argmax()) == passage
    assert right >= 60  # of 80; 20 by chance
    write_projection(projection, tmp_path / "projection.safetensors")
    assert set(load_file(tmp_path / "projection.safetensors")) == {
        "document", "question", "document_mean", "question_mean"
    }  # fmt: skip
