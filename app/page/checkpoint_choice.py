"""The checkpoint that the page runs on: loaded in the background, so that the page is there at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from app.page.turns import Turns
from model.errors import Cancelled, CheckpointError
from model.types import CancelledCallback

if TYPE_CHECKING:  # the engine's imports take seconds: they come with the checkpoint, in the background
    from model.engine import Engine

EMBEDDED = "embedded"

LoadingProgress = Callable[[str, float], None]
Load = Callable[[str, LoadingProgress], "Engine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointState:
    """What the banner says. `notice` is why the checkpoint that was asked for is not the one that runs."""

    phase: Literal["loading", "ready", "failed"]
    name: str
    description: str = ""
    stage: str = ""
    fraction: float = 0.0
    notice: str = ""
    offloaded: str = ""  # which weights come in only while they work
    supports_vision: bool = False


class CheckpointChoice:
    """Loads an engine with the checkpoint of this name, or with the embedded one where that fails, and says why."""

    def __init__(self, name: str, load: Load) -> None:
        self._name = name
        self._load = load
        self._engine: Engine | None = None
        self.turns = Turns()
        self.state = CheckpointState(phase="loading", name=name, stage="starting")

    def start(self) -> None:
        threading.Thread(target=self.load, name="checkpoint", daemon=True).start()

    @property
    def fingerprint(self) -> str:
        """Of the checkpoint that runs; empty while none does."""
        return self._engine.checkpoint.fingerprint if self._engine else ""

    def change(self, name: str) -> None:
        """Load another checkpoint. What the one before has read is kept, and must be read again to be asked."""
        if self.state.phase == "loading" or not name.strip() or name.strip() == self.state.name:
            return
        self._engine, self._name = None, name.strip()
        self.state = CheckpointState(phase="loading", name=self._name, stage="starting")
        self.start()

    def load(self) -> None:
        try:
            self._run_on(self._name)
        except CheckpointError as error:
            if self._name == EMBEDDED:
                self._fail(str(error))
                return
            self.state = CheckpointState(phase="loading", name=EMBEDDED, notice=str(error))
            self._run_on_the_embedded_one()

    def engine(self, cancelled: CancelledCallback) -> Engine:
        """Wait for the engine; raises `CheckpointError` where there is none to wait for."""
        while self._engine is None:
            if self.state.phase == "failed":
                raise CheckpointError(self.state.notice)
            if cancelled():
                raise Cancelled("Stopped while the model was loading.")
            time.sleep(0.05)
        return self._engine

    def _run_on_the_embedded_one(self) -> None:
        try:
            self._run_on(EMBEDDED)
        except CheckpointError as error:
            self._fail(f"{self.state.notice} The embedded checkpoint cannot be used either: {error}")

    def _run_on(self, name: str) -> None:
        engine = self._load(name, self._report)
        checkpoint = engine.checkpoint
        self._engine = engine
        self.state = replace(
            self.state,
            phase="ready",
            name=checkpoint.name,
            description=checkpoint.description,
            fraction=1.0,
            offloaded=checkpoint.offloaded,
            supports_vision=checkpoint.supports_vision,
        )

    def _fail(self, notice: str) -> None:
        self.state = replace(self.state, phase="failed", notice=notice)

    def _report(self, stage: str, fraction: float) -> None:
        self.state = replace(self.state, stage=stage, fraction=fraction)
