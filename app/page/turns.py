"""Whose turn it is at the engine: answers first, one after the other; reading goes on between them.

Two at a time would only slow each other down. A document that takes minutes must not make anybody's question wait,
so reading, which asks between two layers whether it was cancelled, is held there while an answer is wanted.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from model.errors import Cancelled
from model.types import CancelledCallback

LOOK_SECONDS = 0.05


class Turns:
    def __init__(self) -> None:
        self._answers = threading.Lock()
        self._readings = threading.Lock()
        self._count = threading.Lock()
        self._wanted = 0  # answers that wait or are being made

    @contextmanager
    def answering(self, cancelled: CancelledCallback) -> Iterator[None]:
        """Wait for the other answers, then hold the engine. Raises Cancelled."""
        self._want(1)
        try:
            with _held(self._answers, cancelled):
                yield
        finally:
            self._want(-1)

    @contextmanager
    def reading(self, cancelled: CancelledCallback) -> Iterator[CancelledCallback]:
        """Wait for other readings. What it gives tells the encoder whether to go on, and lets answers go first."""

        def cancelled_after_answers() -> bool:
            while self._wanted and not cancelled():
                threading.Event().wait(LOOK_SECONDS)
            return cancelled()

        with _held(self._readings, cancelled):
            yield cancelled_after_answers

    def _want(self, change: int) -> None:
        with self._count:
            self._wanted += change


@contextmanager
def _held(lock: threading.Lock, cancelled: CancelledCallback) -> Iterator[None]:
    while not lock.acquire(timeout=LOOK_SECONDS):
        if cancelled():
            raise Cancelled("Stopped before it began.")
    try:
        yield
    finally:
        lock.release()
