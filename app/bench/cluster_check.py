"""Real replicas on this machine, asked as the simulation says: how near it is."""

from __future__ import annotations

import hashlib
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from pathlib import Path

from app.bench.cluster_figures import PRECISION, Check
from app.cli.progress import ProgressLine
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
LOAD = 0.7  # of what the replicas could answer one by one
ASKED = 5  # times the questions that times are measured with


def compare(
    model: str,
    engine: Engine,
    encoded: EncodedDocument,
    questions: Sequence[str],
    times: ServiceTimes,
    skews: Sequence[float],
    line: ProgressLine,
) -> list[Check]:
    """Questions at the simulation's own times to one and to two replicas."""
    checks = []
    for replicas in REPLICAS:
        line.say(f"starting {replicas} real replicas")
        with real(model, engine, encoded, replicas) as (asked, documents):
            for skew in skews:
                line.say(f"asking {replicas} real replicas, skew {skew:g}")
                workload = Workload(
                    questions=ASKED * len(questions),
                    documents=DOCUMENTS,
                    skew=skew,
                    median_megabytes=encoded.cache_bytes / 1e6,
                    size_spread=0.0,
                )
                a_second = LOAD * replicas / times.answer
                seconds, throughput = _ask(asked, documents, questions, arrivals(workload, a_second))
                checks.append(
                    Check(
                        skew=skew,
                        replicas=replicas,
                        throughput=throughput,
                        p95_seconds=sorted(seconds)[int(0.95 * (len(seconds) - 1))],
                        simulated=simulate(times, workload, Fleet(replicas=replicas), a_second=a_second),
                    )
                )
    return checks


@contextmanager
def real(
    model: str, engine: Engine, encoded: EncodedDocument, replicas: int
) -> Iterator[tuple[ClusterEngine, list[EncodedDocument]]]:
    """So many answering replicas, and the sample under several names, which lies in their folder."""
    settings = Settings.load()
    with tempfile.TemporaryDirectory() as path:
        options = ReplicaOptions(
            model=model, cache_folder=settings.cache_folder, folder=Path(path), precision=PRECISION
        )
        with redirect_stdout(sys.stderr), ray_of(cores=replicas + 2):  # Ray prints its complaints among the result
            cluster = run_replicas(Limits(), options, encoders=Scale(), answerers=Scale(least=replicas, most=replicas))
            folder = EncodingFolder(options.folder, fingerprint=encoded.fingerprint, precision=PRECISION)
            asked = ClusterEngine(engine.checkpoint, cluster, folder, memory_precision=PRECISION)
            yield asked, [_under_another_name(asked, folder, encoded, number) for number in range(DOCUMENTS)]


def _under_another_name(
    engine: ClusterEngine, folder: EncodingFolder, encoded: EncodedDocument, number: int
) -> EncodedDocument:
    document = replace(encoded.document, sha256=hashlib.sha256(str(number).encode()).hexdigest())
    plan = engine.plan(document)
    folder.put(folder.name(plan), replace(encoded, document=document))
    return engine.encode(plan)  # finds it there


def _ask(
    engine: ClusterEngine,
    documents: Sequence[EncodedDocument],
    questions: Sequence[str],
    asked: Sequence[tuple[float, int]],
) -> tuple[list[float], float]:
    """Each question at its time, whatever became of those before; the seconds of each, and answers a second."""
    began, lock, seconds = time.perf_counter(), threading.Lock(), list[float]()

    def ask(number: int, at: float, document: int) -> None:
        time.sleep(max(0.0, began + at - time.perf_counter()))
        for _ in engine.answer(documents[document], questions[number % len(questions)]):
            pass
        with lock:
            seconds.append(time.perf_counter() - began - at)

    with ThreadPoolExecutor(len(asked)) as threads:
        for future in [threads.submit(ask, number, at, one) for number, (at, one) in enumerate(asked)]:
            future.result()
    return seconds, len(asked) / (time.perf_counter() - began)
