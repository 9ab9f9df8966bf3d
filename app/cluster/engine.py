"""The engine of a page whose work is done in a cluster: the same verbs, so that no handler knows where it runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol, Unpack

from torch.utils.weak import WeakIdKeyDictionary

from app.cluster.folder import EncodingFolder
from app.cluster.values import Context, Enclosed
from app.library.files import EncodingName
from app.serving.observed import ObservedEngine
from model.checkpoints.checkpoint import Checkpoint
from model.encoder.encoder import READING_STOPPED
from model.encoder.plan import EncodingOptions, EncodingPlan
from model.engine import Engine
from model.errors import raise_if_cancelled
from model.types import (
    Answer,
    CancelledCallback,
    Document,
    EncodedDocument,
    GenerationOptions,
    Progress,
    ProgressCallback,
    Turn,
)


class Replicas(Protocol):
    """The cluster as the engine sees it. None among what comes says that the work still goes on."""

    def encode(self, plan: EncodingPlan, /) -> Iterator[Progress | EncodingName | None]: ...

    def answer(
        self, context: Context, questions: Sequence[str], session: str, /
    ) -> Iterator[tuple[Answer, ...] | None]: ...


class ClusterEngine(Engine):
    """An `Engine` whose encoding and answering happen in replicas. Its own checkpoint plans, and knows questions.

    What replicas encode goes by its name in the folder; any other encoding goes itself, and is answered from as well.
    """

    yields_chunks = False

    def __init__(self, checkpoint: Checkpoint, replicas: Replicas, folder: EncodingFolder, **options: Any) -> None:
        super().__init__(checkpoint, **options)
        self._replicas = replicas
        self._folder = folder
        self._names = WeakIdKeyDictionary()  # the states of an encoding that lies in the folder -> its name there

    def encode_chunks(
        self, document: Document | EncodingPlan, **options: Unpack[EncodingOptions]
    ) -> Iterator[EncodedDocument]:
        """As `Engine.encode_chunks`, in one piece. Pages that enter as pictures are encoded here, beside their file."""
        plan = self.plan(document, views=options.get("views"))
        if not plan.token_count or any(page.view != "text" for page in plan.document.pages):
            yield from super().encode_chunks(plan, **options)
        else:
            yield self._encoded_there(plan, options.get("progress") or (lambda _: None), options.get("cancelled"))

    def _encoded_there(
        self, plan: EncodingPlan, progress: ProgressCallback, cancelled: CancelledCallback | None
    ) -> EncodedDocument:
        name = self._folder.name(plan)
        if not self._folder.has(name):
            for item in self._replicas.encode(plan):
                raise_if_cancelled(cancelled, READING_STOPPED)
                if isinstance(item, Progress):
                    progress(item)
                elif item is not None:
                    name = item  # in the precision in which the cluster keeps encodings
        encoded = replace(self._folder.load(name), document=plan.document)
        self._names[encoded.memory.hidden] = name
        return encoded

    def answer_batch(
        self,
        encoded: EncodedDocument | Sequence[EncodedDocument],
        questions: Sequence[str],
        *,
        history: Sequence[Turn] = (),
        options: GenerationOptions | None = None,
        cancelled: CancelledCallback | None = None,
    ) -> Iterator[tuple[Answer, ...]]:
        """As `Engine.answer_batch`. Questions to one document go to the replica that holds it."""
        encodings, asked = self.checked(encoded, questions)
        context = Context(
            encodings=tuple(self._names.get(one.memory.hidden) or Enclosed(one) for one in encodings),
            history=tuple(history),
            options=options or GenerationOptions(),
        )
        return self._answers(context, asked, encodings, cancelled)

    def _answers(
        self,
        context: Context,
        questions: Sequence[str],
        encodings: Sequence[EncodedDocument],
        cancelled: CancelledCallback | None,
    ) -> Iterator[tuple[Answer, ...]]:
        latest = tuple(Answer(question=question) for question in questions)
        for answers in self._replicas.answer(context, questions, encodings[0].document.sha256):
            if answers is not None:
                latest = tuple(_as_named_here(answer, encodings) for answer in answers)
                yield latest
            if cancelled is not None and cancelled() and not all(answer.finished for answer in latest):
                yield tuple(replace(answer, finished=True, stop_reason="stopped") for answer in latest)
                return


class ObservedClusterEngine(ObservedEngine, ClusterEngine):
    """The same, with observers."""


def _as_named_here(answer: Answer, encodings: Sequence[EncodedDocument]) -> Answer:
    """In the folder a document has the name under which it came first."""
    named = [replace(place, document=encodings[place.document_index].document.name) for place in answer.evidence]
    return replace(answer, evidence=tuple(named))
