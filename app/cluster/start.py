"""Starting the replicas, on the Ray that runs here already, or on one of their own on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import ray
from ray import serve
from ray.serve.api import RunTarget

from app.cluster.connection import ANSWERER, ENCODER, READER, Cluster
from app.cluster.deployments import answerer, encoder, reader
from app.cluster.values import Scale, Work
from app.documents import Limits

ROOT = Path(__file__).parents[2]


def start_ray(*, cores: int, options: dict[str, Any] | None = None) -> None:
    """Join the Ray that RAY_ADDRESS names; without, start one here that counts with so many cores at least."""
    own = {
        "num_cpus": max(cores, os.cpu_count() or 1),
        "_system_config": {"worker_niceness": 0},  # people wait for replicas; Ray's usual 15 is for work in the background
    }
    ray.init(
        **({} if "RAY_ADDRESS" in os.environ else own),
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}},  # each machine has the checkout in the same place
        **(options or {}),
    )
    serve.start(proxy_location="Disabled")  # nothing listens for HTTP: the page calls handles


def run_replicas(limits: Limits, work: Work, *, encoders: Scale, answerers: Scale, local: bool = False) -> Cluster:
    """Start all three deployments and wait until they work. `local`: in this process, as Ray Serve does for tests."""
    applications = {
        READER: reader(limits),
        ENCODER: encoder(work, encoders),
        ANSWERER: answerer(work, answerers),
    }
    targets = [RunTarget(target=target, name=name, route_prefix=None) for name, target in applications.items()]
    handles = serve.run_many(targets, _local_testing_mode=local)
    return Cluster(reader=handles[0], encoder=handles[1], answerer=handles[2])
