"""Starting the replicas, on the Ray that runs here already, or on one of their own on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from ray import serve
from ray.serve.api import RunTarget

from app.cluster.connection import ANSWERER, ENCODER, READER, Cluster
from app.cluster.deployments import answerer, encoder, reader
from app.cluster.values import ReplicaOptions, Scale
from app.documents import Limits

ROOT = Path(__file__).parents[2]


@contextmanager
def ray_of(*, cores: int, **options: Any) -> Iterator[None]:
    """Join the Ray that RAY_ADDRESS names; without, start one here that counts with so many cores at least.

    `options` are for `ray.init`. At the end the replicas are stopped, and a Ray of one's own with them.
    """
    own: dict[str, Any] = {
        "num_cpus": max(cores, os.cpu_count() or 1),
        "_system_config": {"worker_niceness": 0},  # Ray's own 15 is for work that nobody waits for
    }
    ray.init(
        **({} if "RAY_ADDRESS" in os.environ else own),
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}},  # each machine has the checkout in the same place
        **options,
    )
    try:
        serve.start(proxy_location="Disabled")  # nothing listens for HTTP: the page calls handles
        yield
    finally:
        serve.shutdown()
        ray.shutdown()


def run_replicas(
    limits: Limits, options: ReplicaOptions, *, encoders: Scale, answerers: Scale, local: bool = False
) -> Cluster:
    """Start all three deployments and wait until they work. `local`: in this process, as Ray Serve does for tests."""
    applications = {
        READER: reader(limits),
        ENCODER: encoder(options, encoders),
        ANSWERER: answerer(options, answerers),
    }
    targets = [RunTarget(target=target, name=name, route_prefix=None) for name, target in applications.items()]
    handles = serve.run_many(targets, _local_testing_mode=local)
    return Cluster(reader=handles[0], encoder=handles[1], answerer=handles[2])
