"""From a thread to a coroutine: the last snapshot always arrives, errors do, and nobody works for who has gone."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Iterator

import pytest

from app.serving.streams import streamed
from tests.helpers.awaited import PATIENCE, awaited
from tests.helpers.jobs import a_job


def test_who_listens_at_once_gets_every_snapshot() -> None:
    taken = threading.Semaphore(1)

    def numbers() -> Iterator[int]:
        for number in range(20):
            assert taken.acquire(timeout=PATIENCE)
            yield number

    async def collected() -> list[int]:
        found = []
        async for number in streamed(a_job(), numbers()):
            found.append(number)
            taken.release()
        return found

    assert awaited(collected()) == list(range(20))


def test_who_is_slow_gets_the_last_one() -> None:
    async def collected() -> list[int]:
        return [number async for number in streamed(a_job(), iter(range(1_000)))]

    found = awaited(collected())
    assert found == sorted(found)
    assert found[-1] == 999


def test_an_error_comes_after_what_was_made_before_it() -> None:
    def breaks() -> Iterator[str]:
        yield "first"
        raise ValueError("no second")

    async def collected(found: list[str]) -> None:
        async for one in streamed(a_job(), breaks()):
            found.append(one)

    found: list[str] = []
    with pytest.raises(ValueError, match="no second"):
        awaited(collected(found))
    assert found == ["first"]


def test_work_for_somebody_who_has_gone_is_stopped() -> None:
    job, ended = a_job(), threading.Event()

    def endless() -> Iterator[int]:
        try:
            while not job.cancelled():
                yield 1
        finally:
            ended.set()

    async def first_only() -> int:
        stream = streamed(job, endless())
        first = await anext(stream)
        await stream.aclose()
        return first

    assert awaited(first_only()) == 1
    assert job.cancelled()
    assert ended.wait(PATIENCE)


def test_the_thread_knows_the_request_that_it_works_for() -> None:
    request = contextvars.ContextVar[str]("request", default="nobody's")

    async def asked() -> list[str]:
        request.set("mine")
        return [found async for found in streamed(a_job(), (request.get() for _ in range(1)))]

    assert awaited(asked()) == ["mine"]
