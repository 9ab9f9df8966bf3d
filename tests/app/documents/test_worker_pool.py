"""Several workers: what one person's file costs is paid by that person, and time is what a worker has worked."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil
import pytest

from app.documents import DocumentReader, Limits
from app.documents.patience import SLOWEST, PageError, Patience
from model.errors import Cancelled, DocumentError
from tests.helpers.awaited import wait_until
from tests.helpers.documents import looping, pdf, written

WORDS = pdf(written("words"))


def workers() -> set[psutil.Process]:
    found = set()
    for child in psutil.Process().children():
        with suppress(psutil.Error):  # it has just ended
            if "app.documents" in child.cmdline():
                found.add(child)
    return found


@contextmanager
def busy(reader: DocumentReader, caller: str, count: int) -> Iterator[list[threading.Thread]]:
    """While this lasts, that caller has so many files read that never end."""
    stop = threading.Event()

    def read() -> None:
        with pytest.raises(Cancelled):
            reader.read(looping(1, loops=1), name="loop.pdf", caller=caller, cancelled=stop.is_set)

    threads = [threading.Thread(target=read) for _ in range(count)]
    before = len(workers())
    try:
        for thread in threads:
            thread.start()
        wait_until(lambda: len(workers()) > before)
        yield threads
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_file_that_loops_holds_up_only_its_sender():
    with DocumentReader() as reader, busy(reader, "one", (os.cpu_count() or 1) + 3) as threads:
        for caller in ("another", "a third"):
            found = reader.read(WORDS, name="words.pdf", caller=caller)
            assert found.document.pages[0].text == "words" and all(thread.is_alive() for thread in threads)
            assert found.images.image(1, width=100)
            found.images.close()


def test_a_page_that_loops_is_left_out_and_said_to_be():
    with DocumentReader(Limits(seconds_per_page=1.5)) as reader:
        found = reader.read(looping(4, loops=2), name="loop.pdf")
        assert [page.text for page in found.document.pages] == ["Page 1", "", "Page 3", "Page 4"]
        assert [page.unread_parts for page in found.document.pages] == [(), ("the whole page",), (), ()]
        with pytest.raises(DocumentError, match=r"longer than 1\.5 seconds"):
            found.images.image(2, width=100)
        assert found.images.image(3, width=100)
        found.images.close()


def test_a_file_of_which_nothing_can_be_read_is_refused():
    limits = Limits(seconds_per_page=1)
    with DocumentReader(limits) as reader, pytest.raises(DocumentError, match="longer than 1 seconds"):
        reader.read(looping(1, loops=1), name="loop.pdf")


def test_a_worker_serves_one_caller_and_stays_for_the_next_file():
    others = workers()  # of readers that are still being closed
    with DocumentReader() as reader:
        for caller, known in (("one", 0), ("one", 1), ("another", 1)):
            before = workers() - others
            reader.read(WORDS, name="a.pdf", caller=caller).images.close()
            now = workers() - others
            assert len(now & before) == known and len(now - before) == 1 - known * (caller == "one")


def test_a_worker_with_nothing_to_do_ends():
    with DocumentReader(Limits(idle_seconds=0.2)) as reader:
        before = workers()
        reader.read(WORDS, name="a.pdf").images.close()
        wait_until(lambda: workers() <= before)
        reader.read(WORDS, name="a.pdf").images.close()


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def looks(patience: Patience, clock: Clock, *, seconds: float, work: float, used: float = 0.0) -> float:
    """Look every tenth of a second for so long, while the worker gets `work` of a core; returns what it has used."""
    for _ in range(int(seconds * 10)):
        clock.now += 0.1
        used += 0.1 * work
        patience.check("a.pdf", used)
    return used


def test_only_work_counts_however_busy_the_machine_is():
    clock = Clock()
    patience = Patience(Limits(seconds_per_page=10, seconds=100), cpu_seconds=0.0, clock=clock)
    used = looks(patience, clock, seconds=99, work=0.1)
    with pytest.raises(PageError, match="longer than 10 seconds"):
        looks(patience, clock, seconds=3, work=0.1, used=used)
    patience.hear(used)
    for _ in range(9):
        used = looks(patience, clock, seconds=9.9, work=1.0, used=used)
        patience.hear(used)
    with pytest.raises(DocumentError, match="after 100 seconds"):
        looks(patience, clock, seconds=9.9, work=1.0, used=used)


def test_a_worker_that_stands_still_is_ended_by_the_clock():
    clock = Clock()
    limits = Limits(seconds_per_page=10)
    with pytest.raises(DocumentError, match="longer than 10 seconds"):
        looks(Patience(limits, cpu_seconds=0.0, clock=clock), clock, seconds=11, work=0.0)
    with pytest.raises(DocumentError, match="longer than 10 seconds"):
        looks(Patience(limits, cpu_seconds=0.0, clock=clock), clock, seconds=10 * SLOWEST + 1, work=0.001)


def test_a_moment_in_which_this_process_itself_was_stopped_does_not_count():
    clock = Clock()
    patience = Patience(Limits(seconds_per_page=10), cpu_seconds=0.0, clock=clock)
    for _ in range(3):
        clock.now += 1_000.0
        patience.check("a.pdf", 0.0)
