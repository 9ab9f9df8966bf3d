"""How long work that reports its progress will still take."""

import time
from dataclasses import dataclass

from model.types import Progress

STEADY_SECONDS = 1.0  # before that a guess at the remaining time jumps about


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """How far the work is, and how long this stage will still take (None while nobody can know)."""

    progress: Progress
    seconds_left: float | None


class Pace:
    """Watches the progress of one piece of work, stage by stage. `speeds` is what was learnt from earlier work."""

    def __init__(self, speeds: dict[str, float] | None = None) -> None:
        self._speeds = {} if speeds is None else speeds
        self._stage = ""
        self._began = 0.0

    def estimate(self, progress: Progress) -> Estimate:
        if progress.stage != self._stage:
            self._stage, self._began = progress.stage, time.monotonic()
        return Estimate(progress=progress, seconds_left=self._seconds_left(progress))

    def _seconds_left(self, progress: Progress) -> float | None:
        spent = time.monotonic() - self._began
        if progress.done > 0 and spent >= STEADY_SECONDS:
            self._speeds[progress.stage] = progress.done / spent
        speed = self._speeds.get(progress.stage)
        return (progress.total - progress.done) / speed if speed else None
