"""What many replicas do, computed instead of run: questions come, wait, and are answered as in `deployments.py`.

Arrivals are a Poisson process. The k-th most asked document gets a share in proportion to `1 / k ** skew` (Zipf); sizes
of encodings are log-normal. A question goes to the replica that its document's hash names, or, where that has as many
as it takes, to the next ones on the ring; where all of these are full, to the one of them with the fewest.
"""

import hashlib
import heapq
import itertools
import math
import random
from bisect import bisect
from collections import OrderedDict
from dataclasses import dataclass, field

from app.cluster.values import CACHE_MEGABYTES, FALLBACKS, MOST_AT_ONCE

VIRTUAL_NODES = 100  # of a replica on the ring, as Ray Serve's router has them


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTimes:
    """Measured seconds. `spread` is the standard deviation of the logarithm of an answer's seconds.

    Where the questions are known, `each` has what each of them takes, again from the beginning where there are more;
    else their seconds are drawn.
    """

    answer: float  # a question that is answered alone
    further: float  # each further one of its batch
    load_megabyte: float  # of an encoding that the replica does not hold
    spread: float = 0.0
    each: tuple[float, ...] = ()
    beside: float = 1.0  # times as long while another replica is busy: more than 1 where they share a machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What is asked."""

    questions: int
    documents: int = 1_000
    skew: float = 1.0
    median_megabytes: float = 10.0  # of an encoding
    size_spread: float = 1.0  # standard deviation of the logarithm
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Who answers. `held_by`: the replica that holds each document from the beginning; empty: hashes place them."""

    replicas: int
    cache_megabytes: float = CACHE_MEGABYTES
    most_at_once: int = MOST_AT_ONCE
    fallbacks: int = FALLBACKS
    held_by: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it. Seconds are from a question's arrival to its answer."""

    throughput: float  # answers a second
    median_seconds: float
    p95_seconds: float
    hit_rate: float  # of batches whose encoding was held
    batch_size: float
    busiest: float  # work of the busiest replica beside the mean of all


@dataclass(frozen=True, slots=True)
class _Question:
    number: int
    arrived: float


@dataclass(slots=True)
class _Replica:
    waiting: OrderedDict[int, list[_Question]] = field(default_factory=OrderedDict)  # by document
    held: OrderedDict[int, float] = field(default_factory=OrderedDict)  # megabytes by document
    ongoing: int = 0
    is_busy: bool = False
    busy_seconds: float = 0.0


def arrivals(workload: Workload, a_second: float) -> list[tuple[float, int]]:
    """When each question comes, in seconds, and which document it is for."""
    chance = random.Random(f"{workload.seed} {workload.skew}")
    shares = list(itertools.accumulate(1 / rank**workload.skew for rank in range(1, workload.documents + 1)))
    documents = chance.choices(range(workload.documents), cum_weights=shares, k=workload.questions)
    gaps = (chance.expovariate(a_second) for _ in documents)
    return list(zip(itertools.accumulate(gaps), documents, strict=True))


class _Run:
    """One run: the clock jumps from event to event."""

    def __init__(self, times: ServiceTimes, workload: Workload, fleet: Fleet, a_second: float) -> None:
        self._times = times
        self._fleet = fleet
        self._random = random.Random(workload.seed)
        self._arrivals = arrivals(workload, a_second)
        spread, median = workload.size_spread, math.log(workload.median_megabytes)
        self._megabytes = [self._random.lognormvariate(median, spread) for _ in range(workload.documents)]
        self._ranked = _ring(workload.documents, fleet)
        self._replicas = [_Replica() for _ in range(fleet.replicas)]
        for document, number in enumerate(fleet.held_by):
            self._replicas[number].held[document] = self._megabytes[document]
        self._ends: list[tuple[float, int, list[float]]] = []  # of batches: when, whose, and when its questions came
        self._seconds: list[float] = []
        self._hits = self._batches = 0

    def outcome(self) -> Outcome:
        for number, (now, document) in enumerate(self._arrivals):
            self._finish_until(now)
            self._arrive(_Question(number, now), document)
        ended = self._finish_until(math.inf)
        ordered = sorted(self._seconds)
        work = [replica.busy_seconds for replica in self._replicas]
        return Outcome(
            throughput=len(ordered) / ended,
            median_seconds=ordered[len(ordered) // 2],
            p95_seconds=ordered[int(0.95 * (len(ordered) - 1))],
            hit_rate=self._hits / self._batches,
            batch_size=len(ordered) / self._batches,
            busiest=max(work) * len(work) / sum(work),
        )

    def _finish_until(self, now: float) -> float:
        ended = 0.0
        while self._ends and self._ends[0][0] <= now:
            ended, number, arrived = heapq.heappop(self._ends)
            self._seconds += [ended - one for one in arrived]
            replica = self._replicas[number]
            replica.ongoing -= len(arrived)
            replica.is_busy = False
            self._begin(ended, number)
        return ended

    def _arrive(self, question: _Question, document: int) -> None:
        ranked = self._ranked[document]
        free = (number for number in ranked if self._replicas[number].ongoing < self._fleet.most_at_once)
        number = next(free, min(ranked, key=lambda one: self._replicas[one].ongoing))
        replica = self._replicas[number]
        replica.ongoing += 1
        replica.waiting.setdefault(document, []).append(question)
        self._begin(question.arrived, number)

    def _begin(self, now: float, number: int) -> None:
        """The batch whose first question has waited longest."""
        replica = self._replicas[number]
        if replica.is_busy or not replica.waiting:
            return
        document, questions = replica.waiting.popitem(last=False)
        seconds = self._answering(questions) + self._loading(replica, document)
        if any(one.is_busy for one in self._replicas):
            seconds *= self._times.beside
        replica.is_busy = True
        replica.busy_seconds += seconds
        heapq.heappush(self._ends, (now + seconds, number, [one.arrived for one in questions]))

    def _answering(self, questions: list[_Question]) -> float:
        """The seconds of a batch: of its first question, and of those that it has beside it."""
        times = self._times
        if times.each:
            first, *further = (times.each[one.number % len(times.each)] for one in questions)
            return first + sum(further) * times.further / times.answer
        first = times.answer * self._random.lognormvariate(-(times.spread**2) / 2, times.spread)
        return first + times.further * (len(questions) - 1)

    def _loading(self, replica: _Replica, document: int) -> float:
        self._batches += 1
        if document in replica.held:
            self._hits += 1
            replica.held.move_to_end(document)
            return 0.0
        replica.held[document] = self._megabytes[document]
        while len(replica.held) > 1 and sum(replica.held.values()) > self._fleet.cache_megabytes:
            replica.held.popitem(last=False)
        return self._times.load_megabyte * self._megabytes[document]


def simulate(times: ServiceTimes, workload: Workload, fleet: Fleet, *, a_second: float) -> Outcome:
    """What becomes of so many questions a second."""
    return _Run(times, workload, fleet, a_second).outcome()


def capacity(times: ServiceTimes, workload: Workload, fleet: Fleet, *, p95_seconds: float, steps: int = 9) -> Outcome:
    """At the most questions a second of which 95 in 100 are answered within so many seconds."""
    low, high = 0.0, fleet.replicas / max(times.further, times.answer / fleet.most_at_once)
    best = simulate(times, workload, fleet, a_second=0.05 / times.answer)
    for _ in range(steps):
        middle = (low + high) / 2
        found = simulate(times, workload, fleet, a_second=middle)
        if found.p95_seconds <= p95_seconds:
            low, best = middle, found
        else:
            high = middle
    return best


def _ring(documents: int, fleet: Fleet) -> list[list[int]]:
    """For each document the replica that it belongs to, and those that follow."""
    if fleet.held_by:
        turned = [[*range(number, fleet.replicas), *range(number)] for number in fleet.held_by]
        return [ranked[: 1 + fleet.fallbacks] for ranked in turned]
    nodes = sorted((_hash(f"replica {n}:{v}"), n) for n in range(fleet.replicas) for v in range(VIRTUAL_NODES))
    ranked = []
    for document in range(documents):
        start = bisect(nodes, (_hash(f"document {document}"), 0))
        around = (nodes[(start + step) % len(nodes)][1] for step in range(len(nodes)))
        ranked.append(list(itertools.islice(dict.fromkeys(around), 1 + fleet.fallbacks)))
    return ranked


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
