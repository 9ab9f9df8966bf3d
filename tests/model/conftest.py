"""What the engine's tests share: a tiny checkpoint, and no gradients."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from model.checkpoints.checkpoint import Checkpoint
from tests.helpers.tiny import tiny_checkpoint


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where native code is compiled, once for all tests that take it as it is."""
    return tmp_path_factory.mktemp("native")


@pytest.fixture
def as_states(monkeypatch: pytest.MonkeyPatch) -> None:
    """However small the document is: it is attended to as states, as native code does."""
    monkeypatch.setattr("model.decoder.document_forms._MOST_PROJECTED", 0)


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return tiny_checkpoint()
