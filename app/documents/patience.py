"""How long a worker may take: in the processor time that it uses, and only where it uses none, by the clock."""

import time
from collections.abc import Callable

from app.documents.limits import Limits
from model.errors import DocumentError, Message

LONGEST_LOOK = 1.0  # seconds: this process was held up itself where more went by between two looks
SLOWEST = 30  # a worker that gets less than one part in so many of a core is stopped by the clock, too


class PageError(DocumentError):
    """One page of a file ended its worker, or had to be ended with it; other pages may be read by a new one."""


class Patience:
    """Watches one job of a worker; seconds of processor time are those that the worker has used since it started."""

    def __init__(self, limits: Limits, *, cpu_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._began = self._heard = self._used = cpu_seconds
        self._looked = clock()
        self._waited = self._stood = 0.0  # seconds by the clock: since the last reply, and without any work since then

    def hear(self, cpu_seconds: float) -> None:
        """The worker gave a sign of life when it had used so much."""
        self._heard = self._used = cpu_seconds
        self._waited = self._stood = 0.0
        self._looked = self._clock()

    def check(self, name: str, cpu_seconds: float) -> None:
        """Raises DocumentError where the worker has taken too long: PageError where another may go on."""
        limits, now = self._limits, self._clock()
        passed = min(now - self._looked, LONGEST_LOOK)
        self._looked = now
        self._waited += passed
        self._stood = self._stood + passed if cpu_seconds <= self._used else 0.0
        self._used = cpu_seconds
        per_page = limits.seconds_per_page
        if cpu_seconds - self._began > limits.seconds:
            raise DocumentError(
                "{name!r} was given up after {n:g} seconds: read it in parts, with a page range.",
                name=name,
                n=limits.seconds,
            )
        if self._stood > per_page or self._waited > SLOWEST * per_page:
            raise DocumentError(_too_slow(name, per_page))
        if cpu_seconds - self._heard > per_page:
            raise PageError(_too_slow(name, per_page))


def _too_slow(name: str, seconds: float) -> Message:
    return Message(
        "{name!r} was given up: one page took longer than {n:g} seconds. "
        "Leave that page out with a page range, or export the file again.",
        name=name,
        n=seconds,
    )
