"""The checkpoint comes in the background; where the one that was asked for fails, the embedded one runs, with why."""

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest

from app.page import panels
from app.page.checkpoint_choice import CheckpointChoice
from model.checkpoints.checkpoint import Checkpoint
from model.engine import Engine
from model.errors import Cancelled, CheckpointError


def never() -> bool:
    return False


def test_the_engine_is_waited_for(tiny_checkpoint: Checkpoint) -> None:
    choice = CheckpointChoice("embedded", lambda *_: Engine(tiny_checkpoint))
    choice.start()
    assert choice.engine(never).checkpoint is tiny_checkpoint
    assert choice.state.phase == "ready"


def test_the_banner_says_which_weights_come_in_only_while_they_work(tiny_checkpoint: Checkpoint) -> None:
    cramped = replace(tiny_checkpoint, offloaded="1.5 GB of its weights lie on the disk.")
    choice = CheckpointChoice("embedded", lambda *_: Engine(cramped))
    choice.load()
    assert "1.5 GB of its weights lie on the disk." in panels.banner(choice.state)


def test_waiting_can_be_stopped() -> None:
    choice = CheckpointChoice("embedded", lambda *_: cast(Engine, None))
    with pytest.raises(Cancelled):
        choice.engine(lambda: True)


def test_progress_is_in_the_banner() -> None:
    def load(_: str, report: Callable[[str, float], None]) -> Engine:
        report("merging the weights", 0.4)
        banners.append(panels.banner(choice.state))
        raise CheckpointError("enough")

    banners: list[str] = []
    choice = CheckpointChoice("embedded", load)
    choice.load()
    assert "merging the weights, 40%" in banners[0]


def test_a_checkpoint_that_fails_is_replaced_and_explained(tiny_checkpoint: Checkpoint) -> None:
    def load(name: str, _: Callable[[str, float], None]) -> Engine:
        if name != "embedded":
            raise CheckpointError("google/t5gemma-2-1b-1b needs a licence click: open its page.")
        return Engine(tiny_checkpoint)

    choice = CheckpointChoice("google/t5gemma-2-1b-1b", load)
    choice.load()
    assert choice.state.phase == "ready"
    banner = panels.banner(choice.state)
    assert "needs a licence click: open its page." in banner
    assert "The embedded checkpoint runs instead." in banner


def test_without_any_checkpoint_the_page_says_so() -> None:
    def load(*_: object) -> Engine:
        raise CheckpointError("The Gemma packages are not installed.")

    choice = CheckpointChoice("embedded", load)
    choice.load()
    with pytest.raises(CheckpointError, match="not installed"):
        choice.engine(never)
    assert "No model runs" in panels.banner(choice.state)
