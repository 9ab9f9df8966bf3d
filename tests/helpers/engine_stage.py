"""A scheduler whose clients are real threads; the test says when each piece of work ends, and what it took.

While somebody works the engine is busy, so whatever the test does meanwhile has happened before the next turn.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from app.serving.scheduler import EngineScheduler
from app.sessions.jobs import Job
from model.errors import Cancelled
from tests.helpers.jobs import a_job
from tests.helpers.stand_ins import Clock

PATIENCE = 60
ANSWER, CHUNK = 4.0, 1.0  # seconds
TOKENS = 100  # of a chunk


@dataclass(eq=False)
class Client:
    """A person or program in a thread of its own."""

    job: Job
    thread: threading.Thread | None = None
    may_go_on: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    did: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.job.client


class Stage:
    """The engine as the clients use it. `next` is whose work begins next; it ends with `end`."""

    def __init__(self, rest_seconds: float = 0.0) -> None:
        self.clock = Clock()
        self.scheduler = EngineScheduler(self.clock, rest_seconds=rest_seconds)
        self._begun: queue.Queue[Client] = queue.Queue()
        self._clients: list[Client] = []

    def close(self) -> None:
        """The test is over: whoever waits goes home."""
        for client in self._clients:
            client.job.stop()
            client.may_go_on.release()
        joined(*self._clients)

    def asks(self, name: str) -> Client:
        """A client who asks one question. On return it waits for its turn, or has it."""

        def ask(client: Client) -> None:
            with self.scheduler.answering(client.job):
                self._work(client, "answer")

        client = self._start(name, ask)
        client.job.changes.wait_until(
            lambda: bool(client.did) or self.scheduler.place_of_question(name) is not None, PATIENCE
        )
        return client

    def tries(self, name: str) -> Client:
        """A page that tries a question before it offers it. On return it waits for its turn, or has it."""

        def attempt(client: Client) -> None:
            client.did.append("arrives")
            client.job.changes.notify()
            with self.scheduler.trying(client.job):
                self._work(client, "answer")

        client = self._start(name, attempt)
        client.job.changes.wait_until(lambda: bool(client.did), PATIENCE)
        return client

    def reads(self, name: str, chunks: int) -> Client:
        """A client who has a document read."""

        def read(client: Client) -> None:
            with self.scheduler.reading(client.job, chunks * TOKENS) as pause:
                for chunk in range(chunks):
                    pause(chunk * TOKENS)
                    self._work(client, "chunk")
                pause(chunks * TOKENS)

        client = self._start(name, read)
        client.job.changes.wait_until(
            lambda: bool(client.did) or self.scheduler.place_of_reading(name) is not None, PATIENCE
        )
        return client

    def next(self) -> Client:
        return self._begun.get(timeout=PATIENCE)

    def end(self, client: Client, seconds: float | None = None) -> None:
        """The piece of work ends, and has taken its time."""
        self.clock.now += seconds or (ANSWER if client.did[-1] == "answer" else CHUNK)
        client.may_go_on.release()

    def _start(self, name: str, act: Callable[[Client], None]) -> Client:
        client = Client(job=a_job(name))

        def work() -> None:
            with contextlib.suppress(Cancelled):
                act(client)

        client.thread = threading.Thread(target=work)
        client.thread.start()
        self._clients.append(client)
        return client

    def _work(self, client: Client, what: str) -> None:
        client.did.append(what)
        self._begun.put(client)
        client.job.changes.notify()
        client.may_go_on.acquire()
        if client.job.cancelled():
            raise Cancelled("The test is over.")


def played(stage: Stage, count: int) -> list[str]:
    """Whose work it was, for so many pieces of work."""
    names = []
    for _ in range(count):
        client = stage.next()
        names.append(client.name)
        stage.end(client)
    return names


def joined(*clients: Client) -> None:
    for client in clients:
        assert client.thread is not None
        client.thread.join(PATIENCE)
        assert not client.thread.is_alive()
