"""Work that reports its progress through a callback, as a generator that a page can stream."""

import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Generic, TypeVar

from model.types import Progress

Result = TypeVar("Result")
LOOK_SECONDS = 0.15
STEADY_SECONDS = 1.0  # before that a guess at the remaining time jumps about


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """How far the work is, and how long this stage will still take (None while nobody can know)."""

    progress: Progress
    seconds_left: float | None


class Background(Generic[Result]):
    """Runs `work(report)` in a thread. Iterating `progress` streams estimates and ends with the work's own result."""

    def __init__(self, work: Callable[[Callable[[Progress], None]], Result]) -> None:
        self._work = work
        self._latest: Progress | None = None
        self._stage_began = 0.0
        self._result: list[Result] = []
        self._error: BaseException | None = None

    def progress(self) -> Generator[Estimate, None, Result]:
        thread = threading.Thread(target=self._run, name="reading", daemon=True)
        thread.start()
        told: Progress | None = None
        while thread.is_alive():
            thread.join(LOOK_SECONDS)
            if (latest := self._latest) is not None and latest != told:
                told = latest
                yield Estimate(progress=latest, seconds_left=self._seconds_left(latest))
        if self._error is not None:
            raise self._error
        return self._result[0]

    def _run(self) -> None:
        try:
            self._result.append(self._work(self._report))
        except BaseException as error:  # it belongs to the thread that waits
            self._error = error

    def _report(self, progress: Progress) -> None:
        if self._latest is None or self._latest.stage != progress.stage:
            self._stage_began = time.monotonic()
        self._latest = progress

    def _seconds_left(self, progress: Progress) -> float | None:
        spent = time.monotonic() - self._stage_began
        if progress.done <= 0 or spent < STEADY_SECONDS:
            return None
        return spent * (progress.total - progress.done) / progress.done
