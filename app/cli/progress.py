"""Progress on standard error: one line that is rewritten on a terminal, now and then a line elsewhere."""

import shutil
import time
from collections.abc import Callable
from typing import TextIO

from app.cli.terminal import harmless
from model.types import Progress, ProgressCallback

ERASE_LINE = "\r\x1b[K"
TERMINAL_SECONDS = 0.1
LOG_SECONDS = 10.0  # short work and early errors stay quiet
WORDS = {
    "opening": "opening",
    "reading": "reading",
    "recognising": "recognising the writing of",
    "seeing": "looking at",
    "encoding": "encoding",
}


class ProgressLine:
    """Says what is being done. `clear` removes the line before anything else is printed."""

    def __init__(
        self, stream: TextIO, *, log_seconds: float = LOG_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`log_seconds`: between two lines where the stream is no terminal, and before the first."""
        self._log_seconds = log_seconds
        self._stream = stream
        self._clock = clock
        self._terminal = stream.isatty()
        self._told = float("-inf") if self._terminal else clock()

    def loading(self, stage: str, fraction: float) -> None:
        """Progress of a checkpoint."""
        self.say(f"{stage}: {fraction:.0%}")

    def of(self, name: str) -> ProgressCallback:
        """The progress callback for work on the document of that name."""

        def report(progress: Progress) -> None:
            count = f": {progress.done:,} of {progress.total:,} {progress.unit}" if progress.total else ""
            self.say(f"{WORDS[progress.stage]} {name}{count}")

        return report

    def clear(self) -> None:
        if self._terminal:
            self._stream.write(ERASE_LINE)
            self._stream.flush()

    def say(self, text: str) -> None:
        """Any other one-line message."""
        now = self._clock()
        if now - self._told < (TERMINAL_SECONDS if self._terminal else self._log_seconds):
            return
        self._told = now
        if self._terminal:
            width = shutil.get_terminal_size().columns - 1
            self._stream.write(ERASE_LINE + harmless(text)[:width])
        else:
            self._stream.write(harmless(text) + "\n")
        self._stream.flush()
