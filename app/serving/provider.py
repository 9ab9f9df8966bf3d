"""The engine of the page, with its checkpoint: loaded in the background, so that the page is there at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from app.faults import in_words
from app.serving.scheduler import EngineScheduler
from app.sessions.changes import Changes
from app.sessions.jobs import Job
from model.errors import CheckpointError

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


class EngineProvider:
    """Loads an engine with the checkpoint of this name, or with the embedded one where that fails, and says why."""

    def __init__(self, name: str, load: Load) -> None:
        self._name = name
        self._load = load
        self._engine: Engine | None = None
        self._changes = Changes()
        self._state = CheckpointState(phase="loading", name=name, stage="starting")
        self.scheduler = EngineScheduler()

    @property
    def state(self) -> CheckpointState:
        return self._state

    @property
    def fingerprint(self) -> str:
        """Of the checkpoint that runs; empty while none does."""
        return self._engine.checkpoint.fingerprint if self._engine else ""

    def start(self) -> None:
        threading.Thread(target=self.load, name="checkpoint", daemon=True).start()

    def change(self, name: str) -> None:
        """Load another checkpoint. What the one before has read is kept, and must be read again to be asked."""
        if self._state.phase == "loading" or not name.strip() or name.strip() == self._state.name:
            return
        self._engine, self._name = None, name.strip()
        self._become(CheckpointState(phase="loading", name=self._name, stage="starting"))
        self.start()

    def load(self) -> None:
        """Load the checkpoint, or the embedded one in its place. Whatever goes wrong is told in the state."""
        try:
            self._run_on(self._name)
        except Exception as error:
            if self._name == EMBEDDED:
                self._fail(in_words(error))
                return
            self._become(CheckpointState(phase="loading", name=EMBEDDED, notice=in_words(error)))
            self._run_on_the_embedded_one()

    def engine(self, job: Job) -> Engine:
        """Wait for the engine; raises CheckpointError where there is none to wait for, and Cancelled."""
        with self._changes.heard_by(job.changes.notify):
            while (engine := self._engine) is None:
                if self._state.phase == "failed":
                    raise CheckpointError(self._state.notice)
                job.wait_until(self._is_decided, otherwise="Stopped while the model was loading.")
        return engine

    def _is_decided(self) -> bool:
        return self._engine is not None or self._state.phase == "failed"

    def _run_on_the_embedded_one(self) -> None:
        try:
            self._run_on(EMBEDDED)
        except Exception as error:
            self._fail(f"{self._state.notice} The embedded checkpoint cannot be used either: {in_words(error)}")

    def _run_on(self, name: str) -> None:
        engine = self._load(name, self._report)
        checkpoint = engine.checkpoint
        self._engine = engine
        self._become(
            replace(
                self._state,
                phase="ready",
                name=checkpoint.name,
                description=checkpoint.description,
                fraction=1.0,
                offloaded=checkpoint.offloaded,
                supports_vision=checkpoint.supports_vision,
            )
        )

    def _fail(self, notice: str) -> None:
        self._become(replace(self._state, phase="failed", notice=notice))

    def _report(self, stage: str, fraction: float) -> None:
        self._become(replace(self._state, stage=stage, fraction=fraction))

    def _become(self, state: CheckpointState) -> None:
        self._state = state
        self._changes.notify()
