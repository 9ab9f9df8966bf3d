"""The way to the replicas: three handles of Ray Serve, called from ordinary threads."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import ray
from ray import serve
from ray.exceptions import RayActorError, RayError
from ray.serve.exceptions import DeploymentUnavailableError, RayServeException

from app.cluster.values import CacheFigures, Context
from app.documents import DocumentReader, Limits, PartlyRead, ReadDocument
from app.library.files import EncodingName
from model.encoder.plan import EncodingPlan
from model.errors import ReadonceError, raise_if_cancelled
from model.types import Answer, CancelledCallback, Document, Progress, ProgressCallback

READER, ENCODER, ANSWERER = "readonce-reader", "readonce-encoder", "readonce-answerer"  # applications of Ray Serve
ATTEMPTS = 5  # a replica that ends takes its work with it: another one does it again, from its beginning
PAUSE_SECONDS = 1.0  # before another attempt, so that the end of the replica has been told


class Cluster:
    """The replicas, as `ClusterEngine` and `ClusterReader` call them. Safe to use from several threads."""

    def __init__(self, *, reader: Any, encoder: Any, answerer: Any) -> None:
        """Handles of Ray Serve."""
        self._reader = reader
        self._encoder = encoder
        self._answerer = answerer

    @classmethod
    def connect(cls) -> Cluster:
        """The cluster that RAY_ADDRESS names, else that of this machine. Raises ReadonceError where there is none."""
        try:
            ray.init(address=os.environ.get("RAY_ADDRESS", "auto"), log_to_driver=False, ignore_reinit_error=True)
            handles = [serve.get_app_handle(name) for name in (READER, ENCODER, ANSWERER)]
        except (RayError, RayServeException, ConnectionError) as error:
            raise ReadonceError(
                "There is no cluster ({why}): start one with python -m app.cluster, or unset READONCE_CLUSTER.",
                why=" ".join(str(error).split())[:200],
            ) from error
        reader, encoder, answerer = handles
        return cls(reader=reader, encoder=encoder, answerer=answerer)

    def reader(self, limits: Limits) -> ClusterReader:
        return ClusterReader(limits, self)

    def read(
        self, data: bytes, name: str, password: str | None, pages: str | None
    ) -> Generator[Progress | Document | None, None, None]:
        return self._asked(self._reader.options(method_name="read", stream=True), data, name, password, pages)

    def encode(self, plan: EncodingPlan) -> Iterator[Progress | EncodingName | None]:
        handle = self._encoder.options(method_name="encode", stream=True, session_id=plan.document.sha256)
        return self._asked(handle, plan)

    def answer(self, context: Context, questions: Sequence[str], session: str) -> Iterator[tuple[Answer, ...] | None]:
        handle = self._answerer.options(method_name="answer", stream=True, session_id=session)
        return self._asked(handle, context, tuple(questions))

    def encoder_tokens(self) -> int:
        """Document tokens that an encoder has encoded; with one encoder, all of them."""
        return int(self._encoder.options(method_name="encoder_tokens").remote().result())

    def cache_figures(self, session: str) -> CacheFigures:
        """Of the answerer to which questions of this session go."""
        found: CacheFigures = self._answerer.options(method_name="cache_figures", session_id=session).remote().result()
        return found

    def _asked(self, handle: Any, *arguments: Any) -> Generator[Any, None, None]:
        """What a replica sends. Where it ends meanwhile, all of it comes again from another."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                yield from _sent(handle, *arguments)
                return
            except (RayActorError, DeploymentUnavailableError) as error:
                if attempt == ATTEMPTS:
                    raise ReadonceError(
                        "No replica of the cluster stayed up, {n} times in a row: see its log, and ask again.",
                        n=ATTEMPTS,
                    ) from error
            time.sleep(PAUSE_SECONDS)


def _sent(handle: Any, *arguments: Any) -> Iterator[Any]:
    response = handle.remote(*arguments)
    try:
        for item in response:
            if isinstance(item, ReadonceError):
                raise item
            yield item
    finally:
        response.cancel()  # nothing where it has ended


class ClusterReader(DocumentReader):
    """A `DocumentReader` that has files read in the cluster. Pictures of pages are drawn here."""

    def __init__(self, limits: Limits, cluster: Cluster) -> None:
        super().__init__(limits)
        self._cluster = cluster

    def read(
        self,
        source: Path | bytes,
        *,
        name: str,
        password: str | None = None,
        pages: str | None = None,
        caller: Hashable = "",
        progress: ProgressCallback | None = None,
        cancelled: CancelledCallback | None = None,
        so_far: Callable[[PartlyRead], None] | None = None,  # noqa: ARG002 - what comes from there is a whole document
    ) -> ReadDocument:
        self.check(source, name)
        data = source if isinstance(source, bytes) else source.read_bytes()
        images = self.images(data, name=name, password=password, caller=caller)
        try:
            with closing(self._cluster.read(data, name, password, pages)) as items:
                for item in items:
                    if isinstance(item, Document):
                        return ReadDocument(document=item, images=images)
                    if isinstance(item, Progress) and progress is not None:
                        progress(item)
                    raise_if_cancelled(cancelled, "Stopped while {name} was being read.", name=name)
            raise ReadonceError("The cluster did not read {name!r} to its end: try again.", name=name)
        except BaseException:
            images.close()
            raise
