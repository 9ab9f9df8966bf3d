"""The three deployments: a Reader opens files, an Encoder reads documents, an Answerer answers from their encodings.

An error that a person can do something about is sent as a value: raised, Ray would write it, names of files included,
into its log. Each sends None now and then, so that whoever waits can stop the work.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from ray import serve
from ray.serve.config import AutoscalingConfig, RequestRouterConfig

from app.backend import install_faster_backend
from app.cluster.batching import QuestionBatcher
from app.cluster.cache import ByteBoundedCache
from app.cluster.folder import EncodingFolder
from app.cluster.mailbox import Mailbox
from app.cluster.values import FALLBACKS, MOST_AT_ONCE, CacheFigures, Context, Enclosed, ReplicaOptions, Scale
from app.documents import DocumentReader, Limits
from app.library.files import EncodingName
from model.checkpoints import load_checkpoint
from model.encoder.plan import EncodingPlan
from model.engine import Engine
from model.errors import ReadonceError
from model.types import Answer, CancelledCallback, Document, EncodedDocument, Progress

Item = TypeVar("Item")
ROUTER = "ray.serve.experimental.consistent_hash_router:ConsistentHashRouter"


class Reader:
    """Documents from files; each is opened in a worker process that may nothing else."""

    def __init__(self, limits: Limits) -> None:
        self._reader = DocumentReader(limits)

    async def read(
        self, data: bytes, name: str, password: str | None, pages: str | None
    ) -> AsyncGenerator[Progress | Document | ReadonceError | None, None]:
        """How far it is, and then the document."""
        mailbox: Mailbox[Progress | Document] = Mailbox()

        def work() -> None:
            read = self._reader.read(
                data, name=name, password=password, pages=pages, progress=mailbox.send, cancelled=mailbox.is_abandoned
            )
            read.images.close()
            mailbox.send(read.document)

        items = _worked(mailbox, work)
        async with aclosing(items):
            async for item in items:
                yield item


class _EngineReplica:
    """A replica with an engine, and the folder that its encodings lie in."""

    def __init__(self, options: ReplicaOptions) -> None:
        checkpoint = load_checkpoint(options.model, cache_folder=options.cache_folder)
        self._engine = Engine(checkpoint, memory_precision=options.precision)
        if options.accelerate:
            install_faster_backend(self._engine, options.cache_folder, quantized=True)
        self._folder = EncodingFolder(options.folder, fingerprint=checkpoint.fingerprint, precision=options.precision)

    def encoder_tokens(self) -> int:
        """Document tokens that this replica has encoded."""
        return self._engine.encoder_tokens


class Encoder(_EngineReplica):
    """Writes encodings into the folder. One document at a time has all of the replica's cores."""

    def __init__(self, options: ReplicaOptions) -> None:
        super().__init__(options)
        self._turn = threading.Lock()

    async def encode(self, plan: EncodingPlan) -> AsyncGenerator[Progress | EncodingName | ReadonceError | None, None]:
        """How far it is, and then the name of the encoding. What lies in the folder is not encoded again."""
        mailbox: Mailbox[Progress | EncodingName] = Mailbox()

        def work() -> None:
            name = self._folder.name(plan)
            with self._turn:
                if not self._folder.has(name):
                    encoded = self._engine.encode(plan, progress=mailbox.send, cancelled=mailbox.is_abandoned)
                    self._folder.put(name, encoded)
            mailbox.send(name)

        items = _worked(mailbox, work)
        async with aclosing(items):
            async for item in items:
                yield item


class Answerer(_EngineReplica):
    """Answers from encodings, and holds those that it was asked about last."""

    def __init__(self, options: ReplicaOptions) -> None:
        super().__init__(options)
        self._cache = ByteBoundedCache(options.cache_bytes, load=self._folder.load, size=_cache_bytes)
        self._batcher = QuestionBatcher(self._answers)

    async def answer(
        self, context: Context, questions: Sequence[str]
    ) -> AsyncGenerator[tuple[Answer, ...] | ReadonceError | None, None]:
        """Snapshots, as `Engine.answer_batch` gives them."""
        asked = self._batcher.ask(context, questions)
        async with aclosing(asked), aclosing(_with_errors(asked)) as items:
            async for item in items:
                yield item

    def cache_figures(self) -> CacheFigures:
        """How often a document was here already."""
        cache = self._cache
        return CacheFigures(process=os.getpid(), hits=cache.hits, misses=cache.misses, used_bytes=cache.used_bytes)

    def _answers(
        self, context: Context, questions: Sequence[str], cancelled: CancelledCallback
    ) -> Iterator[tuple[Answer, ...]]:
        encodings = [one.encoded if isinstance(one, Enclosed) else self._cache.get(one) for one in context.encodings]
        return self._engine.answer_batch(
            encodings, questions, history=context.history, options=context.options, cancelled=cancelled
        )


async def _worked(
    mailbox: Mailbox[Item], work: Callable[[], None]
) -> AsyncGenerator[Item | ReadonceError | None, None]:
    """What `work` sends while it runs in a thread of its own."""

    def run() -> None:
        try:
            work()
        except Exception as error:
            mailbox.close(error)
        else:
            mailbox.close()

    thread = asyncio.create_task(asyncio.to_thread(run))
    async with aclosing(mailbox.items()) as sent, aclosing(_with_errors(sent)) as items:
        async for item in items:
            yield item
    await thread


async def _with_errors(items: AsyncGenerator[Item | None, None]) -> AsyncGenerator[Item | ReadonceError | None, None]:
    """The items, and last the error that ended them, if it is one for a person."""
    try:
        async for item in items:
            yield item
    except ReadonceError as error:
        yield error


def _cache_bytes(encoded: EncodedDocument) -> int:
    return encoded.cache_bytes


def reader(limits: Limits) -> serve.Application:
    return serve.deployment(num_replicas=1, ray_actor_options={"num_cpus": 0})(Reader).bind(limits)


def encoder(options: ReplicaOptions, scale: Scale) -> serve.Application:
    return serve.deployment(**_options(scale))(Encoder).bind(options)


def answerer(options: ReplicaOptions, scale: Scale) -> serve.Application:
    return serve.deployment(**_options(scale))(Answerer).bind(options)


def _options(scale: Scale) -> dict[str, Any]:
    """Requests with the same `session_id`, the hash of a file, go to the same replica."""
    router: dict[str, Any] = {
        "request_router_class": ROUTER,
        "request_router_kwargs": {"num_fallback_replicas": FALLBACKS},
    }
    return {
        "ray_actor_options": {"num_cpus": scale.cores},  # and as many threads, by OMP_NUM_THREADS
        "max_ongoing_requests": MOST_AT_ONCE,
        "autoscaling_config": AutoscalingConfig(
            min_replicas=scale.least, max_replicas=scale.most, target_ongoing_requests=MOST_AT_ONCE / 4
        ),
        "request_router_config": RequestRouterConfig(**router),
    }
