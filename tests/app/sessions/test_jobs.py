"""Work in threads of its own: one thread a kind, nothing that was begun is left out, and a stop wakes who waits."""

import contextvars
import threading

import pytest

from app.sessions.changes import Changes
from app.sessions.jobs import Job, Jobs
from model.errors import Cancelled
from tests.helpers.awaited import PATIENCE
from tests.helpers.jobs import a_job


@pytest.fixture
def jobs() -> Jobs:
    return Jobs("ann", Changes())


def test_work_goes_on_until_there_is_nothing_to_do(jobs: Jobs) -> None:
    left, done = [3], threading.Event()

    def piece(_: Job) -> bool:
        left[0] -= 1
        if not left[0]:
            done.set()
        return left[0] > 0

    jobs.start("table", piece)
    assert done.wait(PATIENCE)
    assert left == [0]


def test_what_is_begun_while_such_work_goes_on_is_done_next(jobs: Jobs) -> None:
    begun, go_on, done, order = threading.Event(), threading.Event(), threading.Event(), []

    def first(_: Job) -> bool:
        begun.set()
        assert go_on.wait(PATIENCE)
        order.append("first")
        return False

    def second(_: Job) -> bool:
        order.append("second")
        done.set()
        return False

    jobs.start("overview", first)
    assert begun.wait(PATIENCE)
    jobs.start("overview", second)
    go_on.set()
    assert done.wait(PATIENCE)
    assert order == ["first", "second"]


def test_a_stop_wakes_a_job_that_waits(jobs: Jobs) -> None:
    with jobs.running("reading") as job:
        thread = threading.Thread(target=jobs.stop, args=("reading",))
        thread.start()
        with pytest.raises(Cancelled, match="Stopped before it began"):
            job.wait_until(lambda: False, otherwise="Stopped before it began.")
        thread.join(PATIENCE)
        assert jobs.is_stopping("reading")
    assert not jobs.is_stopping("reading")


def test_a_stop_of_one_kind_leaves_the_others(jobs: Jobs) -> None:
    with jobs.running("reading") as reading, jobs.running("answering") as answering:
        jobs.stop("answering")
        assert (reading.cancelled(), answering.cancelled()) == (False, True)


def test_waiting_that_has_its_time_ends_without_a_stop() -> None:
    assert a_job().wait_until(lambda: False, otherwise="Stopped.", seconds=0.0) is False


def test_work_goes_on_in_the_context_of_the_request_that_began_it(jobs: Jobs) -> None:
    request = contextvars.ContextVar[str]("request", default="nobody's")
    seen, done = [], threading.Event()

    def piece(_: Job) -> bool:
        seen.append(request.get())
        done.set()
        return False

    request.set("mine")
    jobs.start("table", piece)
    assert done.wait(PATIENCE)
    assert seen == ["mine"]
