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
    """Watches the progress of one piece of work, stage by stage."""

    def __init__(self) -> None:
        self._stage = ""
        self._began = 0.0

    def estimate(self, progress: Progress) -> Estimate:
        if progress.stage != self._stage:
            self._stage, self._began = progress.stage, time.monotonic()
        return Estimate(progress=progress, seconds_left=self._seconds_left(progress))

    def _seconds_left(self, progress: Progress) -> float | None:
        spent = time.monotonic() - self._began
        if progress.done <= 0 or spent < STEADY_SECONDS:
            return None
        return spent * (progress.total - progress.done) / progress.done
