"""Engines that tell what they have read and answered: one place that all work passes, wherever it comes from."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, Unpack

from app.spaces.engine import ZeroGpuEngine
from model.checkpoints.checkpoint import Checkpoint
from model.encoder.plan import EncodingOptions, EncodingPlan
from model.engine import Engine
from model.types import Answer, Document, EncodedDocument


class Observer(Protocol):
    """Is told of work when it is done. Both are called in the thread that did it, and take no time.

    A document is told as all its chunks, which are not joined for that.
    """

    def was_read(self, chunks: Sequence[EncodedDocument]) -> None: ...

    def was_answered(self, answer: Answer) -> None: ...


class ObservedEngine(Engine):
    """An `Engine` with observers. What was stopped before it had a result, or is provisional, is not told."""

    def __init__(self, checkpoint: Checkpoint, *arguments: Any, observers: Sequence[Observer], **options: Any) -> None:
        super().__init__(checkpoint, *arguments, **options)
        self._observers = tuple(observers)

    def encode_chunks(
        self, document: Document | EncodingPlan, **options: Unpack[EncodingOptions]
    ) -> Iterator[EncodedDocument]:
        chunks: list[EncodedDocument] = []
        for chunk in super().encode_chunks(document, **options):
            chunks.append(chunk)
            yield chunk
        for observer in () if options.get("provisional") else self._observers:
            observer.was_read(chunks)

    def answer_batch(
        self, encoded: EncodedDocument | Sequence[EncodedDocument], questions: Sequence[str], **options: Any
    ) -> Iterator[tuple[Answer, ...]]:
        return self._told(super().answer_batch(encoded, questions, **options))

    def _told(self, snapshots: Iterator[tuple[Answer, ...]]) -> Iterator[tuple[Answer, ...]]:
        told: set[int] = set()
        for answers in snapshots:
            for number, answer in enumerate(answers):
                if answer.finished and number not in told:
                    told.add(number)
                    for observer in self._observers:
                        observer.was_answered(answer)
            yield answers


class ObservedZeroGpuEngine(ObservedEngine, ZeroGpuEngine):
    """The same of a ZeroGPU Space's engine."""
