"""Real replicas on this machine, asked as the simulation says: how near it is."""

from __future__ import annotations

import hashlib
import itertools
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

from app.bench.cluster_figures import PRECISION, Check, Run
from app.cli.progress import ProgressLine
from app.cluster.connection import Cluster
from app.cluster.engine import ClusterEngine
from app.cluster.folder import EncodingFolder
from app.cluster.simulation import Fleet, ServiceTimes, Workload, arrivals, simulate
from app.cluster.start import ray_of, run_replicas
from app.cluster.values import ReplicaOptions, Scale
from app.documents import Limits
from app.settings import Settings
from model.engine import Engine
from model.types import EncodedDocument

REPLICAS = (1, 2)
DOCUMENTS = 12  # the sample, under so many names
QUESTIONS = 54  # in each run
LOAD = 0.5  # of what the replicas could answer one by one: at 0.7, answers that take 5% longer wait half as long again
ROUNDS = 3  # in which it is measured how long replicas are busy
RUNS = 2  # equal ones: what differs between them, nothing can predict


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicas:
    """Real ones. `held_by`: the replica that has each document."""

    engine: ClusterEngine
    documents: tuple[EncodedDocument, ...]
    held_by: tuple[int, ...]


def compare(
    model: str,
    engine: Engine,
    encoded: EncodedDocument,
    questions: Sequence[str],
    times: ServiceTimes,
    skews: Sequence[float],
    line: ProgressLine,
) -> list[Check]:
    """Questions at the simulation's own times to one and to two replicas.

    The simulation is told what each question takes these replicas and which documents each of them has: with a few
    documents, which of two replicas gets the most asked ones is luck, and decides more than all else.
    """
    checks = []
    for count in REPLICAS:
        line.say(f"starting {count} real replicas")
        with real(model, engine, encoded, count, questions[0]) as replicas:
            line.say(f"measuring {count} real replicas")
            own = _times_of(replicas, questions, times)
            workload = Workload(
                questions=QUESTIONS,
                documents=DOCUMENTS,
                median_megabytes=encoded.cache_bytes / 1e6,
                size_spread=0.0,
            )
            for skew in skews:
                line.say(f"asking {count} real replicas, skew {skew:g}")
                checks.append(_checked(replicas, questions, own, replace(workload, skew=skew), count))
    return checks


def _checked(
    replicas: Replicas, questions: Sequence[str], times: ServiceTimes, workload: Workload, count: int
) -> Check:
    a_second = LOAD * count / times.answer
    asked = arrivals(workload, a_second)
    runs, together = [], list[float]()
    for _ in range(RUNS):
        seconds, throughput = _ask(replicas, questions, asked)
        runs.append(Run(throughput=throughput, p95_seconds=_p95(seconds)))
        together += seconds
    fleet = Fleet(replicas=count, held_by=replicas.held_by)
    return Check(
        skew=workload.skew,
        replicas=count,
        times=times,
        runs=tuple(runs),
        p95_seconds=_p95(together),
        simulated=simulate(times, workload, fleet, a_second=a_second),
    )


def _times_of(replicas: Replicas, questions: Sequence[str], times: ServiceTimes) -> ServiceTimes:
    """How long each question keeps a replica busy, and how much longer where another replica is busy, too.

    What a question takes when it comes alone has the way there and back in it, which keeps no replica busy. So all are
    scaled to what a replica needs when one question each to several documents wait for it.
    """
    by_replica = [
        [document for document, holder in zip(replicas.documents, replicas.held_by, strict=True) if holder == number]
        for number in sorted(set(replicas.held_by))
    ]
    each = _one_by_one(replicas.engine, by_replica[0][0], questions)

    def busy(documents: Sequence[EncodedDocument], asked: Sequence[str], seconds: Sequence[float]) -> float:
        """The seconds that these take, beside `seconds` of one replica's questions asked one by one."""
        return statistics.mean(_at_once(replicas.engine, documents, asked) for _ in range(ROUNDS)) / sum(seconds)

    own = min(len(questions), len(by_replica[0]))
    alone = busy(by_replica[0][:own], questions, each[:own])
    beside = 1.0
    if len(by_replica) > 1:
        pairs = list(zip(*by_replica, strict=False))[:own]  # the same question to a document of each replica
        asked = [question for pair, question in zip(pairs, questions, strict=False) for _ in pair]
        beside = busy(list(itertools.chain(*pairs)), asked, each[: len(pairs)]) / alone
    each = [alone * seconds for seconds in each]
    answer = statistics.mean(each)
    further = times.further / times.answer * answer
    return replace(times, answer=answer, further=further, each=tuple(each), beside=beside)


def _at_once(engine: ClusterEngine, documents: Sequence[EncodedDocument], questions: Sequence[str]) -> float:
    """Seconds until each document has answered its question; nothing of it is answered together."""
    with ThreadPoolExecutor(len(documents)) as threads:
        began = time.perf_counter()
        for _ in threads.map(lambda document, question: _answer(engine, document, question), documents, questions):
            pass
        return time.perf_counter() - began


def _one_by_one(engine: ClusterEngine, document: EncodedDocument, questions: Sequence[str]) -> list[float]:
    seconds = []
    for question in questions:
        began = time.perf_counter()
        _answer(engine, document, question)
        seconds.append(time.perf_counter() - began)
    return seconds


def _answer(engine: ClusterEngine, document: EncodedDocument, question: str) -> None:
    for _ in engine.answer(document, question):
        pass


def _p95(seconds: Sequence[float]) -> float:
    return sorted(seconds)[int(0.95 * (len(seconds) - 1))]


@contextmanager
def real(model: str, engine: Engine, encoded: EncodedDocument, replicas: int, question: str) -> Iterator[Replicas]:
    """So many answering replicas, and the sample under several names, each of which one of them has loaded."""
    settings = Settings.load()
    with tempfile.TemporaryDirectory() as path:
        options = ReplicaOptions(
            model=model, cache_folder=settings.cache_folder, folder=Path(path), precision=PRECISION
        )
        with redirect_stdout(sys.stderr), ray_of(cores=replicas + 2):  # Ray prints its complaints among the result
            cluster = run_replicas(Limits(), options, encoders=Scale(), answerers=Scale(least=replicas, most=replicas))
            folder = EncodingFolder(options.folder, fingerprint=encoded.fingerprint, precision=PRECISION)
            asked = ClusterEngine(engine.checkpoint, cluster, folder, memory_precision=PRECISION)
            documents = [_under_another_name(asked, folder, encoded, number) for number in range(DOCUMENTS)]
            yield Replicas(
                engine=asked, documents=tuple(documents), held_by=_held_by(asked, cluster, documents, question)
            )


def _under_another_name(
    engine: ClusterEngine, folder: EncodingFolder, encoded: EncodedDocument, number: int
) -> EncodedDocument:
    document = replace(encoded.document, sha256=hashlib.sha256(str(number).encode()).hexdigest())
    plan = engine.plan(document)
    folder.put(folder.name(plan), replace(encoded, document=document))
    return engine.encode(plan)  # finds it there


def _held_by(
    engine: ClusterEngine, cluster: Cluster, documents: Sequence[EncodedDocument], question: str
) -> tuple[int, ...]:
    """The replica that has each document, after this question to each of them."""
    processes = []
    for document in documents:
        _answer(engine, document, question)
        processes.append(cluster.cache_figures(document.document.sha256).process)
    order = sorted(set(processes))
    return tuple(order.index(process) for process in processes)


def _ask(replicas: Replicas, questions: Sequence[str], asked: Sequence[tuple[float, int]]) -> tuple[list[float], float]:
    """Each question at its time, whatever became of those before; the seconds of each, and answers a second."""
    began, lock, seconds = time.perf_counter(), threading.Lock(), list[float]()

    def ask(number: int, at: float, document: int) -> None:
        time.sleep(max(0.0, began + at - time.perf_counter()))
        _answer(replicas.engine, replicas.documents[document], questions[number % len(questions)])
        with lock:
            seconds.append(time.perf_counter() - began - at)

    with ThreadPoolExecutor(len(asked)) as threads:
        for future in [threads.submit(ask, number, at, one) for number, (at, one) in enumerate(asked)]:
            future.result()
    return seconds, len(asked) / (time.perf_counter() - began)
