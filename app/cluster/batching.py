"""Questions that wait for the same document are answered together: its memory is then read once a token for all."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Hashable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

from app.cluster.mailbox import Mailbox
from model.errors import ReadonceError
from model.types import Answer, CancelledCallback

Context = TypeVar("Context", bound=Hashable)
Answers = tuple[Answer, ...]
AnswerBatch = Callable[[Context, Sequence[str], CancelledCallback], Iterator[Answers]]


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    """Questions of one caller, and where the answers go."""

    questions: tuple[str, ...]
    mailbox: Mailbox[Answers]


class QuestionBatcher(Generic[Context]):
    """One batch at a time, in the order in which their first questions came. `answer` runs in a thread.

    Questions with the same context join the batch that waits for it; one that is being answered takes no more.
    """

    def __init__(self, answer: "AnswerBatch[Context]") -> None:
        self._answer = answer
        self._waiting: dict[Context, list[_Request]] = {}
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()  # the event loop itself keeps no task alive

    async def ask(self, context: Context, questions: Sequence[str]) -> AsyncGenerator[Answers | None, None]:
        """Snapshots of the answers, as `Engine.answer_batch` gives them; None where there is none for a while."""
        request = _Request(tuple(questions), Mailbox())
        waiting = self._waiting.setdefault(context, [])
        waiting.append(request)
        if len(waiting) == 1:
            task = asyncio.create_task(self._answer_waiting(context))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        async with aclosing(request.mailbox.items()) as snapshots:
            async for snapshot in snapshots:
                yield snapshot

    async def _answer_waiting(self, context: Context) -> None:
        async with self._turn:
            requests = self._waiting.pop(context)
            await asyncio.to_thread(self._work, context, requests)

    def _work(self, context: Context, requests: Sequence[_Request]) -> None:
        """Answer them together; where that cannot be done, each alone: no one's question spoils another's."""
        try:
            self._answer_together(context, requests)
        except ReadonceError as error:
            if len(requests) == 1:
                requests[0].mailbox.close(error)
                return
            for request in requests:
                self._work(context, [request])
        except Exception as error:
            for request in requests:
                request.mailbox.close(error)
        else:
            for request in requests:
                request.mailbox.close()

    def _answer_together(self, context: Context, requests: Sequence[_Request]) -> None:
        def cancelled() -> bool:
            return all(request.mailbox.is_abandoned() for request in requests)

        questions = [question for request in requests for question in request.questions]
        for answers in self._answer(context, questions, cancelled):
            rest = iter(answers)
            for request in requests:
                request.mailbox.send(tuple(islice(rest, len(request.questions))))
