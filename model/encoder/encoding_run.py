"""The encoding of one document as it goes on: how far it is, who comes between, how long it took, how much was read."""

from __future__ import annotations

import threading
import time

from model.encoding.chunks import Chunk
from model.types import PauseCallback, Progress, ProgressCallback


class EncodingRun:
    """One document while it is encoded: how far it is, who may come between, and how many seconds it took."""

    def __init__(self, progress: ProgressCallback | None, pause: PauseCallback | None) -> None:
        self._progress = progress or (lambda _: None)
        self._pause = pause or (lambda _: None)
        self._started = time.perf_counter()
        self._paused_seconds = 0.0

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._started - self._paused_seconds

    def report(self, progress: Progress) -> None:
        """Tell the progress, and go on when nobody else wants to come first."""
        self._progress(progress)
        held = time.perf_counter()
        self._pause(progress.done if progress.stage == "encoding" else 0)
        self._paused_seconds += time.perf_counter() - held


def read_so_far(chunk: Chunk, total: int, fraction: float) -> Progress:
    """How many of the document's tokens are encoded when a fraction of a chunk is."""
    done = chunk.keep_start + int(fraction * (chunk.keep_end - chunk.keep_start))
    return Progress(stage="encoding", done=done, total=total, unit="tokens")


class EncoderCount:
    """Document tokens that went through the encoder: in all, and for the thread that asks.

    What a call has encoded is the difference within its own thread: whatever others read meanwhile is not in it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._total = 0
        self._own = threading.local()

    @property
    def total(self) -> int:
        return self._total

    @property
    def of_this_thread(self) -> int:
        return getattr(self._own, "tokens", 0)

    def add(self, tokens: int) -> None:
        self._own.tokens = self.of_this_thread + tokens
        with self._lock:
            self._total += tokens
