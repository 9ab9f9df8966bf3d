"""Who is next: as if all were served at once, each at an equal share."""

from app.serving.fair_queue import FairQueue, Ticket
from tests.helpers.jobs import a_job


def order_of(queue: FairQueue, *, step: float = 1e9) -> list[str]:
    """Whose work is done when, if the first in the queue is always served for a step."""
    done: list[str] = []
    while (ticket := queue.first()) is not None:
        queue.serve(ticket, min(step, ticket.left))
        if not ticket.left:
            queue.remove(ticket)
            done.append(ticket.job.client)
    return done


def add(queue: FairQueue, client: str, cost: float) -> Ticket:
    return queue.add(a_job(client), cost)


def test_equal_work_is_done_in_the_order_in_which_it_came() -> None:
    queue = FairQueue()
    for client in ("ann", "bob", "cem"):
        add(queue, client, 10)
    assert order_of(queue) == ["ann", "bob", "cem"]


def test_short_work_does_not_wait_for_long_work() -> None:
    queue = FairQueue()
    add(queue, "long", 1_000)
    add(queue, "short", 10)
    assert order_of(queue) == ["short", "long"]


def test_short_work_that_comes_late_overtakes_long_work_that_has_begun() -> None:
    queue = FairQueue()
    long = add(queue, "long", 1_000)
    queue.serve(long, 100)
    short = add(queue, "short", 10)
    assert queue.first() is short


def test_long_work_is_not_put_off_for_ever() -> None:
    """Short work keeps coming, and takes all the time that there is; the long work is done all the same."""
    queue = FairQueue()
    long = add(queue, "long", 100)
    for number in range(1_000):
        short = add(queue, f"short {number}", 10)
        first = queue.first()
        assert first is not None
        queue.serve(first, 10)
        if first is short:
            queue.remove(short)
        if not long.left:
            return
    raise AssertionError("the long work was never done")


def test_many_tickets_of_one_client_delay_no_other() -> None:
    queue = FairQueue()
    for _ in range(5):
        add(queue, "ann", 1)
    add(queue, "bob", 1)
    assert order_of(queue) == ["ann", "bob", "ann", "ann", "ann", "ann"]


def test_those_before_one_are_those_who_go_first() -> None:
    queue = FairQueue()
    long, short = add(queue, "long", 100), add(queue, "short", 1)
    assert queue.before(short) == []
    assert queue.before(long) == [short]
