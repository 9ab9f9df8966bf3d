"""The one way to wait: no change is missed, whoever waits."""

import asyncio
import threading

from app.sessions.changes import Changes
from tests.helpers.awaited import PATIENCE, awaited


def test_a_thread_wakes_when_its_condition_is_met() -> None:
    changes, met, looked = Changes(), threading.Event(), threading.Event()

    def is_met() -> bool:
        looked.set()
        return met.is_set()

    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(changes.wait_until(is_met)))
    thread.start()
    assert looked.wait(PATIENCE)
    met.set()
    changes.notify()
    thread.join(PATIENCE)
    assert found == [True]


def test_waiting_ends_with_its_seconds() -> None:
    assert Changes().wait_until(lambda: False, 0.0) is False


def test_a_condition_may_take_the_lock_under_which_changes_are_told() -> None:
    """Otherwise one thread would hold the lock and wait for the other's condition, and that one for the lock."""
    changes, lock = Changes(), threading.RLock()
    counts = [0]

    def is_done() -> bool:
        with lock:
            return counts[0] >= 1_000

    thread = threading.Thread(target=lambda: changes.wait_until(is_done))
    thread.start()
    for _ in range(1_000):
        with lock:
            counts[0] += 1
            changes.notify()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_a_coroutine_wakes_when_another_thread_tells_a_change() -> None:
    changes = Changes()

    async def waits() -> int:
        seen = changes.count
        waiting = asyncio.create_task(changes.changed(seen))
        await asyncio.to_thread(changes.notify)
        await asyncio.wait_for(waiting, 60)
        await asyncio.wait_for(changes.changed(seen), 60)  # one that has been already is not waited for
        return changes.count - seen

    assert awaited(waits()) == 1


def test_changes_are_heard_by_others_for_a_while() -> None:
    one, other = Changes(), Changes()
    with one.heard_by(other.notify):
        one.notify()
    one.notify()
    assert (one.count, other.count) == (2, 1)
