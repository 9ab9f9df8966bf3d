"""Work side by side, on a core each.

PyTorch shares out every operation among its threads, which then wait for each other, some sixty times a layer; where
one of them has to wait for the processor, all do. Whole pieces of work, each on one core, wait once at the end.
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
    """The results in the items' order, each as soon as it and those before it are there.

    As many at a time as the calling thread may use cores: one after the other where that is one. If one fails, or
    nobody asks for more, those that have not begun are left out, and those that have are waited for.
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
    """Parts of a total for `parallel_map`: as many for each core, of nearly one size, whole units, `most` at most."""
    if not total:
        return []
    cores = torch.get_num_threads()
    count = -(-total // (cores * most)) * cores
    size = -(-total // (count * unit)) * unit
    return [slice(first, min(first + size, total)) for first in range(0, total, size)]


@cache
def _threads(cores: int, _process: int) -> ThreadPoolExecutor:
    """Of this process: a fork has none of its parent's threads."""
    pool = ThreadPoolExecutor(cores, "core", initializer=_on_one_core)
    together = Barrier(cores + 1)
    for _ in range(cores):  # all begin now, since what they set is the start of every later thread
        pool.submit(together.wait)
    together.wait()
    torch.set_num_threads(cores)
    return pool


def _on_one_core() -> None:
    torch.get_num_threads()  # the first call in a thread takes what was set for all, and would undo the next line
    torch.set_num_threads(1)
