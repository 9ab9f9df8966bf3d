"""How far the reading of a file is, and how long it will still take: one estimate for all of its stages."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from model.types import Progress

TOKENS_A_PAGE = "tokens a page"
USUAL_TOKENS = 450.0  # of a page, before any was read
PAGES_SHARE, RECOGNISED_SHARE = 0.3, 0.9  # of the bar, while no time is known
STEADY_SECONDS = 1.0  # before that a guess at the remaining time jumps about


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """How far the work is, from 0 to 1, and how long it will still take (None while nobody can know)."""

    progress: Progress
    seconds_left: float | None
    fraction: float = 0.0


class Pace:
    """Watches one file being read, stage by stage. `speeds` is what was learnt from earlier files."""

    def __init__(self, speeds: dict[str, float] | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._speeds = {} if speeds is None else speeds
        self._stage = ""
        self._recognises = False
        self._began = self._stage_began = clock()
        self._pages = 0
        self._fraction = 0.0

    def estimate(self, progress: Progress) -> Estimate:
        """One bar for all stages, which never goes back."""
        self._enter(progress)
        if progress.unit == "pages":
            self._pages = progress.total
        elif progress.unit == "tokens" and self._pages and progress.total:
            self._speeds[TOKENS_A_PAGE] = progress.total / self._pages
        left = self._stage_left(progress)
        if left is not None and self._stage != "encoding":
            later = self._encoding_seconds()
            left = None if later is None else left + later
        self._fraction = max(self._fraction, self._share(progress, left))
        return Estimate(progress=progress, seconds_left=left, fraction=self._fraction)

    def was_encoded(self, tokens: int, pages: int, seconds: float) -> None:
        """So many pages of this file were encoded already, which says how long all of them will take."""
        if seconds > 0:
            self._speeds["encoding"], self._speeds[TOKENS_A_PAGE] = tokens / seconds, tokens / pages

    def _enter(self, progress: Progress) -> None:
        """Pages that are recognised and those that need not be are one stage, which goes as slowly as recognition."""
        before = self._stage
        self._recognises = self._recognises or progress.stage == "recognising"
        self._stage = "recognising" if self._recognises and progress.stage == "reading" else progress.stage
        if self._stage != before and (before, self._stage) != ("reading", "recognising"):
            self._stage_began = self._clock()

    def _share(self, progress: Progress, left: float | None) -> float:
        """By time where it is known; else the pages count for the first part, and the tokens for the rest."""
        if left is not None:
            spent = self._clock() - self._began
            return spent / (spent + left) if spent + left else 1.0
        done, pages = progress.done / max(progress.total, 1), RECOGNISED_SHARE if self._recognises else PAGES_SHARE
        return pages + (1 - pages) * done if progress.unit == "tokens" else pages * done

    def _stage_left(self, progress: Progress) -> float | None:
        spent = self._clock() - self._stage_began
        if progress.done > 0 and spent >= STEADY_SECONDS:
            self._speeds[self._stage] = progress.done / spent
        speed = self._speeds.get(self._stage)
        return (progress.total - progress.done) / speed if speed else None

    def _encoding_seconds(self) -> float | None:
        """What the last stage will take, after what earlier files have taken."""
        speed = self._speeds.get("encoding")
        return self._pages * self._speeds.get(TOKENS_A_PAGE, USUAL_TOKENS) / speed if speed else None
