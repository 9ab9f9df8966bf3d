"""The figures of `cluster`, and how they are told."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.cluster.simulation import Outcome, ServiceTimes
from model.types import Precision

LONGEST: Final = 4.0  # answers' times that 95 in 100 may take, waiting included
LINEAR: Final = 0.8  # of so many times one replica's answers
PRECISION: Final[Precision] = "bfloat16"  # of encodings


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """The most that so many replicas answer in time, beside as many times one."""

    skew: float
    replicas: int
    outcome: Outcome
    efficiency: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What real replicas did once. Seconds are from a question to its answer."""

    throughput: float
    p95_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Real replicas that were asked the same several times, and what the simulation says of them."""

    skew: float
    replicas: int
    times: ServiceTimes  # of these replicas
    runs: tuple[Run, ...]
    p95_seconds: float  # of all runs together
    simulated: Outcome

    def __str__(self) -> str:
        rates = _range([run.throughput for run in self.runs])
        tails = _range([run.p95_seconds for run in self.runs])
        return (
            f"checked: {self.replicas} real, skew {self.skew:g}: {rates} a second (simulated"
            f" {self.simulated.throughput:.2f}), 95 in 100 within {tails} s in {len(self.runs)} equal runs, together"
            f" {self.p95_seconds:.2f} s (simulated {self.simulated.p95_seconds:.2f} s)"
        )


def _range(values: Sequence[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f}"


def report(times: ServiceTimes, scaled: Sequence[Scaling], checks: Sequence[Check]) -> list[str]:
    """The figures in words."""
    lines = [
        f"A question takes {times.answer:.3f} s alone and {times.further:.3f} s more in a batch; loading an encoding"
        f" {1000 * times.load_megabyte:.2f} ms a megabyte.",
        f"The most questions a second of which 95 in 100 are answered within {LONGEST * times.answer:.2f} s:",
    ]
    for skew, group in itertools.groupby(scaled, key=lambda one: one.skew):
        lines += ["", f"skew {skew:g}   replicas  a second  of linear  held  batch  busiest beside the mean"]
        rows = list(group)
        for one in rows:
            of = one.outcome
            lines.append(
                f"{one.replicas:>19}  {of.throughput:>8.2f}  {one.efficiency:>9.0%}  {of.hit_rate:>4.0%}"
                f"  {of.batch_size:>5.2f}  {of.busiest:>6.2f}"
            )
        lines.append(where_it_bends(rows))
    lines += ["", *(str(one) for one in checks)] if checks else []
    return lines


def where_it_bends(rows: Sequence[Scaling]) -> str:
    """The first number of replicas that answer less than they should, and why."""
    bent = next((one for one in rows if one.efficiency < LINEAR), None)
    if bent is None:
        return f"It stays linear up to {rows[-1].replicas} replicas."
    why = (
        f"the busiest replica has {bent.outcome.busiest:.1f} times the mean's work, because questions follow documents"
        if bent.outcome.busiest > 1 / LINEAR
        else f"{1 - bent.outcome.hit_rate:.0%} of the batches have to load their document"
    )
    return f"It bends at {bent.replicas} replicas: {why}."
