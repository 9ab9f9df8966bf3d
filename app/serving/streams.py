"""From work in a thread to a coroutine: Gradio's own threads are for what takes no time."""

import contextvars
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import Generic, TypeVar

from app.sessions.changes import Changes
from app.sessions.jobs import Job

Snapshot = TypeVar("Snapshot")


class _Stream(Generic[Snapshot]):
    """The latest snapshot, and how the work has ended. Written by one thread, read by one coroutine."""

    def __init__(self, snapshots: Iterator[Snapshot]) -> None:
        self._snapshots = snapshots
        self._latest: deque[Snapshot] = deque(maxlen=1)
        self.changes = Changes()
        self.ended = False
        self.error: Exception | None = None

    def work(self) -> None:
        try:
            for snapshot in self._snapshots:
                self._latest.append(snapshot)
                self.changes.notify()
        except Exception as error:
            self.error = error
        finally:
            self.ended = True
            self.changes.notify()

    def take(self) -> list[Snapshot]:
        """The latest snapshot, if it was not taken yet."""
        try:
            return [self._latest.popleft()]
        except IndexError:
            return []


async def streamed(job: Job, snapshots: Iterator[Snapshot]) -> AsyncIterator[Snapshot]:
    """Snapshots that are made in a thread of their own. Who is slow misses some, but never the last.

    The job is stopped where nobody listens any more. Whatever making them raises is raised here.
    """
    stream = _Stream(snapshots)
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(stream.work,), name=job.work, daemon=True).start()
    try:
        ended = False
        while not ended:
            seen, ended = stream.changes.count, stream.ended
            for snapshot in stream.take():
                yield snapshot
            if not ended:
                await stream.changes.changed(seen)
        if stream.error is not None:
            raise stream.error
    finally:
        job.stop()
