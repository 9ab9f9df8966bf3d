"""What several test files share: a tiny T5Gemma 2 with random weights, saved in the official layout."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from model.checkpoints.checkpoint import Checkpoint
from tests.helpers.tiny import save_tiny

os.environ["READONCE_LIBRARY"] = "off"  # tests have libraries of their own, never the person's


_SLOW_TO_MAKE = {  # by group: tests that use one of these fixtures run in the same process
    "page": {"address", "tiny_address", "browser"},  # one browser at a time, which needs a core of its own
    "web": {"app", "public_app"},
    "weights": {"embedded"},
    "targets": {"target_folder"},
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Several processes share the tests: what is slow to make is made in one of them, and a file is never split."""
    for item in items:
        used = set(getattr(item, "fixturenames", ()))
        group = next((name for name, fixtures in _SLOW_TO_MAKE.items() if fixtures & used), item.path.stem)
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(autouse=True)
def _threads(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tiny models gain nothing from a second thread, and wait a hundred times longer for it on a busy machine."""
    threads = torch.get_num_threads()
    if "weights" not in request.keywords:
        torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tests that damage it work on a copy."""
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny-t5gemma-2"
    save_tiny(folder)
    return folder


@pytest.fixture(scope="session")
def load(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str | Path], Checkpoint]:
    """Load a checkpoint by its name, with a cache folder of its own."""
    from model.checkpoints import load_checkpoint

    cache = tmp_path_factory.mktemp("cache")
    return lambda name: load_checkpoint(str(name), cache_folder=cache)


@pytest.fixture(scope="session")
def tiny_checkpoint(tiny_folder: Path, load: Callable[[str | Path], Checkpoint]) -> Checkpoint:
    return load(tiny_folder)


@pytest.fixture(scope="session")
def cache_folder() -> Path:
    """The person's own: what is compiled or merged there takes a while, so it is made once for all tests."""
    from app.settings import Settings

    return Settings.from_environment(os.environ).cache_folder


@pytest.fixture(scope="session")
def embedded(cache_folder: Path) -> Checkpoint:
    """The embedded checkpoint."""
    from model.checkpoints import load_checkpoint

    return load_checkpoint("embedded", cache_folder=cache_folder)
