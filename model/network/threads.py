"""Parallel work on a CPU: whole pieces of work on a core each, instead of every operation on all cores.

PyTorch splits every operation among its threads, which then wait for each other some sixty times a layer; if one of
them is descheduled, all wait. Pieces of work that each run on one core synchronise once, at the end.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from threading import Barrier
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def parallel_map(work: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """Apply `work` to the items in parallel; yields the results in the items' order, each as soon as it is ready.

    It runs as many at a time as the calling thread's `torch.get_num_threads()`, one after the other if that is 1. If a
    call raises, or the caller stops iterating, calls that have not begun are cancelled and running ones are awaited.
    """
    cores = torch.get_num_threads()
    if cores == 1 or len(items) < 2:
        yield from map(work, items)
        return
    futures = [_threads(cores, os.getpid()).submit(work, item) for item in items]
    try:
        for future in futures:
            yield future.result()
    finally:
        for future in futures:
            future.cancel()
        wait(futures)


def pieces(total: int, most: int, unit: int) -> list[slice]:
    """Split a total into slices for `parallel_map`: as many for each core, multiples of `unit`, at most `most` long."""
    if not total:
        return []
    cores = torch.get_num_threads()
    count = -(-total // (cores * most)) * cores
    size = -(-total // (count * unit)) * unit
    return [slice(first, min(first + size, total)) for first in range(0, total, size)]


@cache
def _threads(cores: int, _process: int) -> ThreadPoolExecutor:
    """One pool for each process: a forked process has none of its parent's threads."""
    pool = ThreadPoolExecutor(cores, "core", initializer=_on_one_core)
    together = Barrier(cores + 1)
    for _ in range(cores):  # all threads start now, since the thread count that they set is inherited by later ones
        pool.submit(together.wait)
    together.wait()
    torch.set_num_threads(cores)
    return pool


def _on_one_core() -> None:
    torch.get_num_threads()  # the first call in a thread applies the global setting and would undo the next line
    torch.set_num_threads(1)
