"""The engine of the page, with its checkpoint: loaded in the background, so that the page is there at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from app.faults import in_words
from app.serving.metrics import Metrics
from app.serving.scheduler import EngineScheduler
from app.sessions.changes import Changes
from app.sessions.jobs import Job
from model.errors import NO_MESSAGE, CheckpointError, Message

if TYPE_CHECKING:  # the engine's imports take seconds: they come with the checkpoint, in the background
    from model.engine import Engine

EMBEDDED = "embedded"

LoadingProgress = Callable[[str, float], None]
Load = Callable[[str, LoadingProgress], "Engine"]
Accelerate = Callable[["Engine"], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointState:
    """What the banner says. `notice` is why the checkpoint that was asked for is not the one that runs.

    `slow` is why it runs on PyTorch's operations. When `is_final`, nothing of this changes by itself any more.
    """

    phase: Literal["loading", "ready", "failed"]
    name: str
    description: str = ""
    stage: Message = NO_MESSAGE
    fraction: float = 0.0
    notice: Message = NO_MESSAGE
    slow: Message = NO_MESSAGE
    is_final: bool = False
    offloaded: Message = NO_MESSAGE  # which weights come in only while they work
    supports_vision: bool = False


class EngineProvider:
    """Loads an engine with the checkpoint of this name, or with the embedded one where that fails, and says why.

    `accelerate` gives an engine its faster backend, while it works already.
    """

    def __init__(
        self,
        name: str,
        load: Load,
        accelerate: Accelerate = lambda _: None,
        metrics: Metrics | None = None,
        scheduler: EngineScheduler | None = None,
    ) -> None:
        self._name = name
        self._load = load
        self._accelerate = accelerate
        self._engine: Engine | None = None
        self._changes = Changes()
        self._state = CheckpointState(phase="loading", name=name, stage=Message("starting"))
        self.scheduler = scheduler or EngineScheduler()
        self.metrics = metrics or Metrics()

    @property
    def state(self) -> CheckpointState:
        return self._state

    @property
    def is_ready(self) -> bool:
        """Whether questions are answered."""
        return self._state.phase == "ready"

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
        self._become(CheckpointState(phase="loading", name=self._name, stage=Message("starting")))
        self.start()

    def load(self) -> None:
        """Load the checkpoint, or the embedded one in its place. Whatever goes wrong is told in the state."""
        try:
            self._run_on(self._name)
        except Exception as error:
            if self._name == EMBEDDED:
                self._fail(in_words(error))
            else:
                self._become(CheckpointState(phase="loading", name=EMBEDDED, notice=in_words(error)))
                self._run_on_the_embedded_one()
        if (engine := self._engine) is not None:
            slow = self._accelerated(engine)
            if self._engine is engine:  # else another is loaded meanwhile
                self._become(replace(self._state, slow=slow, is_final=True))

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
            reason, cause = self._state.notice, in_words(error)
            self._fail(
                Message("{reason} The embedded checkpoint cannot be used either: {cause}", reason=reason, cause=cause)
            )

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

    def _accelerated(self, engine: Engine) -> Message:
        """Give it its faster backend; why there is none, or an empty text."""
        try:
            self._accelerate(engine)
        except Exception as error:
            return in_words(error)
        return engine.backend.notice

    def _fail(self, notice: Message) -> None:
        self._become(replace(self._state, phase="failed", notice=notice, is_final=True))

    def _report(self, stage: str, fraction: float) -> None:
        self._become(replace(self._state, stage=Message(stage), fraction=fraction))

    def _become(self, state: CheckpointState) -> None:
        self._state = state
        self._changes.notify()
