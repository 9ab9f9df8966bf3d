"""`cluster`: what 1 to 64 answering replicas do, simulated from times that are measured here, and where it bends.

With `--check` one and two real replicas are run first (Ray Serve, on this machine), under three skews of popularity,
and the simulation is compared with them.
"""

from __future__ import annotations

import argparse
import itertools
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from app.backend import install_faster_backend
from app.bench.cluster_figures import LONGEST, PRECISION, Check, Scaling, report
from app.bench.results import as_result
from app.cli.progress import ProgressLine
from app.cluster.folder import EncodingFolder
from app.cluster.simulation import Fleet, ServiceTimes, Workload, capacity
from app.documents import DocumentReader
from app.page.sample import bundled_sample
from app.settings import Settings
from model.checkpoints import load_checkpoint
from model.engine import Engine
from model.types import Document, EncodedDocument

REPLICAS = (1, 2, 4, 8, 16, 32, 64)
SKEWS = (0.0, 0.8, 1.2)
BATCH = 4


def cluster(arguments: argparse.Namespace) -> None:
    line = ProgressLine(sys.stderr)
    torch.set_num_threads(1)  # as a replica has
    settings = Settings.load()
    model = arguments.model or settings.model
    checkpoint = load_checkpoint(model, cache_folder=settings.cache_folder, progress=line.loading)
    engine = Engine(checkpoint, memory_precision=PRECISION)
    install_faster_backend(engine, settings.cache_folder, quantized=True)
    line.say("measuring one replica's times")
    encoded, questions = engine.encode(sample()), sample_questions(arguments.questions)
    times = measured(engine, encoded, questions)
    checks: Sequence[Check] = ()
    if arguments.check:
        from app.bench.cluster_check import compare

        checks = compare(model, engine, encoded, questions, times, SKEWS, line)
    scaled = [one for skew in SKEWS for one in scaling(times, skew, line)]
    line.clear()
    if arguments.json:
        of = {"times": asdict(times), "workload": asdict(Workload(questions=0)), "fleet": asdict(Fleet(replicas=0))}
        found = {"scaling": [asdict(one) for one in scaled], "checks": [asdict(one) for one in checks]}
        print(as_result(of | found))
    else:
        print("\n".join(report(times, scaled, checks)))


def sample() -> Document:
    """The bundled sample document."""
    with DocumentReader() as reader:
        bundled = bundled_sample()
        read = reader.read(bundled.data, name=bundled.name)
        read.images.close()
        return read.document


def sample_questions(count: int) -> list[str]:
    """So many questions about it; where there are fewer, again from the beginning."""
    return list(itertools.islice(itertools.cycle(bundled_sample().questions), count))


def measured(engine: Engine, encoded: EncodedDocument, questions: Sequence[str]) -> ServiceTimes:
    """What a question takes alone and in a batch, and what loading an encoding takes before it."""
    with tempfile.TemporaryDirectory() as path:
        folder = EncodingFolder(Path(path), fingerprint=encoded.fingerprint, precision=PRECISION)
        name = folder.name(engine.plan(encoded.document))
        folder.put(name, encoded)
        loads = [_seconds(folder.load, name) for _ in range(3)]
    _seconds(_answered, engine, encoded, questions[:1])  # the first one makes the document's index
    alone = [_seconds(_answered, engine, encoded, [question]) for question in questions]
    starts = range(0, len(questions) - BATCH + 1, BATCH)
    batches = [_seconds(_answered, engine, encoded, questions[start : start + BATCH]) for start in starts]
    answer = statistics.mean(alone)
    return ServiceTimes(
        answer=answer,
        further=max(0.0, statistics.mean(batches) - answer) / (BATCH - 1),
        load_megabyte=statistics.median(loads) / (encoded.cache_bytes / 1e6),
        spread=statistics.stdev(map(math.log, alone)),
    )


def scaling(times: ServiceTimes, skew: float, line: ProgressLine) -> list[Scaling]:
    """The most that each number of replicas answers in time."""
    found: list[Scaling] = []
    for replicas in REPLICAS:
        line.say(f"simulating {replicas} replicas, skew {skew}")
        workload = Workload(questions=1_000 + 150 * replicas, skew=skew)
        best = capacity(times, workload, Fleet(replicas=replicas), p95_seconds=LONGEST * times.answer)
        one = found[0].outcome.throughput if found else best.throughput
        efficiency = best.throughput / (replicas * one)
        found.append(Scaling(skew=skew, replicas=replicas, outcome=best, efficiency=efficiency))
    return found


def _answered(engine: Engine, encoded: EncodedDocument, questions: Sequence[str]) -> None:
    for _ in engine.answer_batch(encoded, questions):
        pass


def _seconds(work: Callable[..., object], *arguments: object) -> float:
    began = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - began
