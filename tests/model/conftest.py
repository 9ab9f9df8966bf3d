"""What the engine's tests share: a tiny checkpoint, and no gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
def folder(cache_folder: Path) -> Path:
    """Where native code is compiled for this machine, once for all tests that take it as it is."""
    return cache_folder


@pytest.fixture(scope="session")
def target_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Where native code for a target is compiled, once for all tests of that target."""
    base = tmp_path_factory.mktemp("targets")
    return lambda target: base / target


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return tiny_checkpoint()
