"""Several processes that train together, started by torchrun: each takes its share of a step's documents.

Threads of one process would wait for each other's Python between the matrix products.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import distributed

PREPARATION = timedelta(hours=6)  # the others wait for the first process; by default for half an hour only


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """This process's number, and how many there are."""

    rank: int = 0
    count: int = 1

    def add_up(self, values: torch.Tensor) -> None:
        """Replace values by their sum over all processes."""
        if self.count > 1:
            distributed.all_reduce(values)

    @contextmanager
    def in_turn(self) -> Iterator[None]:
        """The first process alone, then the others: they find on disk what it has made."""
        if self.count > 1 and self.rank:
            distributed.barrier()
        yield
        if self.count > 1 and not self.rank:
            distributed.barrier()

    def share(self, number: int) -> range:
        """Which of so many documents are this process's."""
        return range(self.rank, number, self.count)


@contextmanager
def workers() -> Iterator[Workers]:
    """The processes that torchrun started, or this one alone."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Workers()
        return
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    distributed.init_process_group(backend, timeout=PREPARATION)
    try:
        yield Workers(rank=distributed.get_rank(), count=count)
    finally:
        distributed.destroy_process_group()
