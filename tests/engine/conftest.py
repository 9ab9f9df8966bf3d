"""What the engine's tests share: a tiny checkpoint, and no gradients."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from model.checkpoint import Checkpoint
from tests.tiny import tiny_checkpoint


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return tiny_checkpoint()
