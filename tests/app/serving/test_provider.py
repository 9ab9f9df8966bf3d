"""The checkpoint comes in the background; where the one that was asked for fails, the embedded one runs, with why."""

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest

from app.page import panels
from app.serving.provider import CheckpointState, EngineProvider
from model.checkpoints.checkpoint import Checkpoint
from model.decoder.model_backend import Backend
from model.engine import Engine
from model.errors import Cancelled, CheckpointError, Message
from tests.helpers.awaited import wait_until
from tests.helpers.jobs import a_job


def test_the_engine_is_waited_for(tiny_checkpoint: Checkpoint) -> None:
    provider = EngineProvider("embedded", lambda *_: Engine(tiny_checkpoint))
    provider.start()
    assert provider.engine(a_job()).checkpoint is tiny_checkpoint
    assert provider.state.phase == "ready"


def test_the_banner_says_which_weights_come_in_only_while_they_work(tiny_checkpoint: Checkpoint) -> None:
    cramped = replace(tiny_checkpoint, offloaded=Message("1.5 GB of its weights lie on the disk."))
    provider = EngineProvider("embedded", lambda *_: Engine(cramped))
    provider.load()
    assert "1.5 GB of its weights lie on the disk." in panels.banner(provider.state)


def test_the_banner_says_why_answers_are_slow_as_soon_as_it_is_known(tiny_checkpoint: Checkpoint) -> None:
    """A failure to load compiled code costs speed; the checkpoint works before, and after."""

    def accelerate(engine: Engine) -> None:
        before.append(provider.state)
        notice = Message("Compiled code is not used (no <compiler>).")
        engine.install(Backend.eager(tiny_checkpoint.model, notice=notice))

    before: list[CheckpointState] = []
    provider = EngineProvider("embedded", lambda *_: Engine(tiny_checkpoint), accelerate)
    provider.load()
    assert [(state.phase, state.is_final, state.slow) for state in before] == [("ready", False, "")]
    assert provider.state.phase == "ready" and provider.state.is_final
    assert "Compiled code is not used (no &lt;compiler&gt;)." in panels.banner(provider.state)


def test_a_fault_in_a_backend_is_told_and_costs_no_checkpoint(tiny_checkpoint: Checkpoint) -> None:
    def accelerate(_: Engine) -> None:
        raise RuntimeError("a secret")

    provider = EngineProvider("embedded", lambda *_: Engine(tiny_checkpoint), accelerate)
    provider.load()
    assert provider.state.phase == "ready" and provider.state.is_final
    assert "This failed through a fault in Readonce (RuntimeError)" in panels.banner(provider.state)


def test_a_checkpoint_that_is_chosen_meanwhile_keeps_its_own_state(tiny_checkpoint: Checkpoint) -> None:
    def accelerate(engine: Engine) -> None:
        notice = Message("The backend of engine {n} is slow.", n=len(loaded))
        engine.install(Backend.eager(tiny_checkpoint.model, notice=notice))
        if len(loaded) == 1:
            provider.change("another")
            provider.engine(a_job())

    def load(*_: object) -> Engine:
        loaded.append(Engine(tiny_checkpoint))
        return loaded[-1]

    loaded: list[Engine] = []
    provider = EngineProvider("embedded", load, accelerate)
    provider.load()
    wait_until(lambda: provider.state.is_final)
    assert provider.state.slow == "The backend of engine 2 is slow."


def test_waiting_can_be_stopped() -> None:
    provider, job = EngineProvider("embedded", lambda *_: cast(Engine, None)), a_job()
    job.stop()
    with pytest.raises(Cancelled):
        provider.engine(job)


def test_progress_is_in_the_banner() -> None:
    def load(_: str, report: Callable[[str, float], None]) -> Engine:
        report("merging the weights", 0.4)
        banners.append(panels.banner(provider.state))
        raise CheckpointError("enough")

    banners: list[str] = []
    provider = EngineProvider("embedded", load)
    provider.load()
    assert "merging the weights, 40%" in banners[0]


def test_a_checkpoint_that_fails_is_replaced_and_explained(tiny_checkpoint: Checkpoint) -> None:
    def load(name: str, _: Callable[[str, float], None]) -> Engine:
        if name != "embedded":
            raise CheckpointError("google/t5gemma-2-1b-1b needs a licence click: open its page.")
        return Engine(tiny_checkpoint)

    provider = EngineProvider("google/t5gemma-2-1b-1b", load)
    provider.load()
    assert provider.state.phase == "ready"
    banner = panels.banner(provider.state)
    assert "needs a licence click: open its page." in banner
    assert "The embedded checkpoint runs instead." in banner


def test_without_any_checkpoint_the_page_says_so() -> None:
    def load(*_: object) -> Engine:
        raise CheckpointError("The Gemma packages are not installed.")

    provider = EngineProvider("embedded", load)
    provider.load()
    with pytest.raises(CheckpointError, match="not installed"):
        provider.engine(a_job())
    assert "No model runs" in panels.banner(provider.state)
