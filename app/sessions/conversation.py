"""The questions and answers of a session, and what a person does with them: retry, edit, undo, like."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from app.sessions.changes import Changes
from model.errors import NO_MESSAGE, Message
from model.types import Answer, Turn

Status = Literal["waiting", "answering", "done", "failed"]
Liked = Literal["", "up", "down"]
Rest = Literal["coming", "read", "away"]  # of a document that was asked before it was read to its end


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A question and its answer, as far as it has come. `sources` are the keys of the documents that were asked."""

    number: int
    question: str
    answer: Answer
    status: Status = "waiting"
    sources: tuple[str, ...] = ()
    receipt: Message = NO_MESSAGE
    note: Message = NO_MESSAGE  # what the person should know about this answer
    partial_source: str = ""  # the key of a document of which only the first pages had been read
    problem: Message = NO_MESSAGE
    liked: Liked = ""

    @property
    def pending(self) -> bool:
        return self.status in ("waiting", "answering")

    @property
    def size_bytes(self) -> int:
        return 2 * len(self.question) + self.answer.size_bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Aside:
    """A conversation that was cleared. stored: its number in the library, if it is kept there."""

    stored: int | None
    exchanges: tuple[Exchange, ...]


class Conversation:
    """The exchanges in their order. Each method holds the lock for a moment; the values it hands out are frozen."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._lock = threading.RLock()
        self._exchanges: list[Exchange] = []
        self._posed = 0
        self._aside: Aside | None = None  # cleared, and can still be had back
        self.stored: int | None = None  # its number in the library, once it is kept there

    @property
    def size_bytes(self) -> int:
        return sum(exchange.size_bytes for exchange in self.exchanges)

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        with self._lock:
            return tuple(self._exchanges)

    @property
    def answering(self) -> bool:
        """Whether an answer is being waited for."""
        return any(exchange.pending for exchange in self.exchanges)

    @property
    def waiting(self) -> Exchange | None:
        return next((exchange for exchange in self.exchanges if exchange.status == "waiting"), None)

    def exchange(self, number: int | None) -> Exchange | None:
        return next((exchange for exchange in self.exchanges if exchange.number == number), None)

    def turns_before(self, number: int) -> tuple[Turn, ...]:
        """What was asked and answered before this exchange."""
        return tuple(
            Turn(question=exchange.question, answer=exchange.answer.text)
            for exchange in self.exchanges
            if exchange.number < number and exchange.status == "done" and exchange.answer.text
        )

    def pose(self, question: str) -> None:
        with self._lock:
            self._posed += 1
            self._exchanges.append(Exchange(number=self._posed, question=question, answer=Answer(question=question)))
        self._changes.notify()

    def update(self, changed: Exchange) -> None:
        """An exchange has come further; where it was cleared away meanwhile, it stays away."""
        with self._lock:
            self._exchanges = [changed if old.number == changed.number else old for old in self._exchanges]
        self._changes.notify()

    def like(self, number: int, liked: Liked) -> None:
        """Note what the person thinks of an answer; the same once more takes it back."""
        with self._lock:
            if (exchange := self.exchange(number)) is not None:
                self.update(replace(exchange, liked="" if exchange.liked == liked else liked))

    def pose_again(self, exchange: Exchange, question: str) -> None:
        """Put a question in the place of an exchange, whose answer goes."""
        self.update(Exchange(number=exchange.number, question=question, answer=Answer(question=question)))

    def release(self) -> str:
        """Remove the last exchange, and say what its question was."""
        with self._lock:
            question = self._exchanges.pop().question if self._exchanges else ""
        self._changes.notify()
        return question

    def resume(self, stored: int, exchanges: Sequence[Exchange]) -> None:
        """Go on with a conversation of the library."""
        with self._lock:
            self._exchanges = [*exchanges]
            self._posed = max((exchange.number for exchange in exchanges), default=0)
            self.stored = stored
        self._changes.notify()

    @property
    def aside(self) -> bool:
        """Whether the conversation before this one can be had back."""
        return self._aside is not None

    def put_aside(self) -> Aside | None:
        """Begin a new one; the one before, which it gives, can be had back until it is dropped."""
        with self._lock:
            aside = Aside(stored=self.stored, exchanges=tuple(self._exchanges)) if self._exchanges else None
            self.clear()
            self._aside = aside
        return aside

    def bring_back(self) -> None:
        """Go on with the conversation before, unless a new one has begun."""
        with self._lock:
            if self._aside is not None and not self._exchanges:
                self.stored, self._exchanges = self._aside.stored, list(self._aside.exchanges)
            self._aside = None
        self._changes.notify()

    def drop_aside(self, aside: Aside | None) -> None:
        """This one can no longer be had back; one that was put aside later still can."""
        with self._lock:
            if self._aside is aside:
                self._aside = None
        self._changes.notify()

    def clear(self) -> None:
        """Begin a new one; what the library has of this one stays there."""
        with self._lock:
            self._exchanges.clear()
            self._aside = None
            self.stored = None
        self._changes.notify()
