"""Questions to one document are answered together, and nobody's question spoils another's."""

import asyncio
import threading
from collections.abc import Iterator, Sequence

import pytest

from app.cluster.batching import QuestionBatcher
from model.errors import QuestionError
from model.types import Answer, CancelledCallback
from tests.helpers.awaited import PATIENCE


class Answering:
    """Answers each question with itself in capitals, when it is let; notes the batches."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, tuple[str, ...]]] = []
        self.may_go_on = threading.Event()
        self.was_cancelled = threading.Event()

    def __call__(
        self, context: str, questions: Sequence[str], cancelled: CancelledCallback
    ) -> Iterator[tuple[Answer, ...]]:
        self.batches.append((context, tuple(questions)))
        if "wrong" in questions:
            raise QuestionError("it is wrong")
        yield tuple(Answer(question=question) for question in questions)
        while not self.may_go_on.wait(0.01):
            if cancelled():
                self.was_cancelled.set()
                return
        yield tuple(Answer(question=question, text=question.upper(), finished=True) for question in questions)


async def last(batcher: QuestionBatcher[str], context: str, *questions: str) -> list[str]:
    snapshots = [snapshot async for snapshot in batcher.ask(context, questions) if snapshot is not None]
    return [answer.text for answer in snapshots[-1]]


async def begun(answering: Answering, batches: int = 1) -> None:
    while len(answering.batches) < batches:
        await asyncio.sleep(0.005)


def test_questions_that_wait_for_the_same_document_are_one_batch() -> None:
    async def ask() -> list[list[str]]:
        answering = Answering()
        batcher = QuestionBatcher(answering)
        first = asyncio.create_task(last(batcher, "a", "one"))
        await begun(answering)
        others = [last(batcher, "a", "two"), last(batcher, "b", "three"), last(batcher, "a", "four", "five")]
        waiting = [asyncio.create_task(other) for other in others]
        await asyncio.sleep(0)
        answering.may_go_on.set()
        found = await asyncio.gather(first, *waiting)
        assert answering.batches == [("a", ("one",)), ("a", ("two", "four", "five")), ("b", ("three",))]
        return found

    assert asyncio.run(ask()) == [["ONE"], ["TWO"], ["THREE"], ["FOUR", "FIVE"]]


def test_a_question_that_cannot_be_asked_is_its_own_askers_error() -> None:
    async def ask() -> list[list[str] | BaseException]:
        answering = Answering()
        answering.may_go_on.set()
        batcher = QuestionBatcher(answering)
        return await asyncio.gather(
            *(last(batcher, "a", question) for question in ("one", "wrong", "two")), return_exceptions=True
        )

    one, wrong, two = asyncio.run(ask())
    assert (one, two) == (["ONE"], ["TWO"]) and isinstance(wrong, QuestionError)


def test_a_batch_is_cancelled_when_nobody_of_it_listens_any_more() -> None:
    async def ask() -> None:
        answering = Answering()
        batcher = QuestionBatcher(answering)
        tasks = [asyncio.create_task(last(batcher, "a", question)) for question in ("one", "two")]
        await begun(answering)
        tasks[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
        await asyncio.sleep(0.1)
        assert not answering.was_cancelled.is_set()  # the other still listens
        tasks[1].cancel()
        assert await asyncio.to_thread(answering.was_cancelled.wait, PATIENCE)

    asyncio.run(ask())
