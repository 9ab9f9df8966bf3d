"""The simulation keeps the laws of queues, and bends where it must."""

from dataclasses import replace

import pytest

from app.bench.cluster_figures import Scaling, where_it_bends
from app.cluster.simulation import Fleet, ServiceTimes, Workload, arrivals, capacity, simulate

TIMES = ServiceTimes(answer=1.0, further=1.0, load_megabyte=0.0)  # a batch saves nothing
EVEN = Workload(questions=4_000, documents=500, skew=0.0)


def test_an_idle_replica_answers_in_the_time_of_an_answer() -> None:
    found = simulate(TIMES, EVEN, Fleet(replicas=1), a_second=0.001)
    assert (found.median_seconds, found.batch_size) == (1.0, 1.0)
    assert found.throughput == pytest.approx(0.001, rel=0.1)


def test_one_replica_waits_as_the_formula_for_constant_service_says() -> None:
    """Pollaczek and Khinchine: a queue at load 0.5 waits half a service time on average; its median is below."""
    found = simulate(TIMES, replace(EVEN, questions=20_000), Fleet(replicas=1, most_at_once=1_000), a_second=0.5)
    assert found.throughput == pytest.approx(0.5, rel=0.05)
    assert 1.0 < found.median_seconds < 1.5 < found.p95_seconds < 3.5


def test_what_is_not_held_is_loaded() -> None:
    times = replace(TIMES, load_megabyte=0.1)
    large, none = Fleet(replicas=1, cache_megabytes=1e9), Fleet(replicas=1, cache_megabytes=0.0)
    held, loaded = (simulate(times, EVEN, fleet, a_second=0.01) for fleet in (large, none))
    assert held.hit_rate > 0.8 > 0.02 > loaded.hit_rate and loaded.median_seconds > held.median_seconds


def test_questions_to_one_document_join_while_they_wait() -> None:
    times = ServiceTimes(answer=1.0, further=0.1, load_megabyte=0.0)
    one = Workload(questions=2_000, documents=1)
    found = simulate(times, one, Fleet(replicas=1), a_second=3.0)  # three times what it could answer one by one
    assert found.batch_size > 3 and found.throughput == pytest.approx(3.0, rel=0.1)


def test_known_questions_take_what_was_measured_of_each() -> None:
    times = replace(TIMES, answer=2.0, spread=5.0, each=(1.0, 3.0))
    found = simulate(times, replace(EVEN, questions=3), Fleet(replicas=1), a_second=0.001)
    assert (found.median_seconds, found.p95_seconds) == (1.0, 1.0)  # 1, 3, and 1 again; nothing is drawn
    joined = simulate(times, Workload(questions=2, documents=1), Fleet(replicas=1), a_second=1e9)
    assert joined.p95_seconds == 1.0  # the first was alone: the second waits for it, and takes 3


def test_a_document_is_asked_of_who_holds_it() -> None:
    """Where that is so from the beginning, nothing is loaded, and who holds all of it does all the work."""
    times = replace(TIMES, load_megabyte=10.0)
    workload = Workload(questions=400, documents=4, skew=0.0)
    apart, at_one = (
        simulate(times, workload, Fleet(replicas=2, held_by=held), a_second=0.5) for held in ((0, 1, 0, 1), (1,) * 4)
    )
    assert apart.hit_rate == at_one.hit_rate == 1.0
    assert (apart.busiest < 1.3, at_one.busiest) == (True, 2.0) and at_one.p95_seconds > 1.2 * apart.p95_seconds


def test_replicas_of_one_machine_are_slower_beside_each_other() -> None:
    times, two = replace(TIMES, beside=2.0), Fleet(replicas=2, held_by=(0, 1))
    workload = Workload(questions=2, documents=2, skew=0.0, seed=next(s for s in range(9) if _apart(s)))
    alone, beside = (simulate(times, workload, two, a_second=pace) for pace in (1e-9, 1e9))
    assert (alone.p95_seconds, beside.p95_seconds) == (1.0, 1.0) and beside.throughput == pytest.approx(2 / 2.0)


def _apart(seed: int) -> bool:
    """Whether the two questions of this seed are for two documents."""
    asked = arrivals(Workload(questions=2, documents=2, skew=0.0, seed=seed), 1.0)
    return asked[0][1] != asked[1][1]


def test_even_questions_scale_and_one_document_does_not() -> None:
    def most(workload: Workload, replicas: int) -> Scaling:
        found = capacity(TIMES, workload, Fleet(replicas=replicas), p95_seconds=4.0)
        efficiency = found.throughput / (replicas * alone)
        return Scaling(skew=workload.skew, replicas=replicas, outcome=found, efficiency=efficiency)

    alone = capacity(TIMES, EVEN, Fleet(replicas=1), p95_seconds=4.0).throughput
    even, one = most(EVEN, 8), most(replace(EVEN, documents=1), 8)
    assert even.efficiency > 0.6 > 0.3 > one.efficiency > 0.1
    assert "bends at 8 replicas: the busiest" in where_it_bends([one])
