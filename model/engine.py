"""Encode once, answer many: the two verbs of Readonce.

`encode` reads a document into an `EncodedDocument`; `answer` streams an answer from it, or from several joined. The
engine knows no "current document": an encoding is a value, and each answer makes its own cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Unpack

import torch

from model.answering.answers import answers
from model.answering.generation import Generation
from model.answering.matching_checkpoint import check_encodings
from model.answering.parts import AnsweringParts
from model.answering.questions import checked_question, refers_back
from model.answering.tuning import FITTED, Tuning
from model.checkpoints.checkpoint import Checkpoint
from model.decoder.model_backend import Backend
from model.encoder.encoder import READING_STOPPED, chunks_in_parallel, encode_chunk
from model.encoder.encoding_run import EncoderCount, EncodingRun, read_so_far
from model.encoder.plan import EncodingOptions, EncodingPlan, chunks_of, plan_encoding, with_pictures
from model.encoder.vision.features import PageFeatures
from model.encoder.vision.page_inputs import ViewMode
from model.encoder.vision.tags import Tagger
from model.encoding import token_map as token_maps
from model.encoding.chunks import Chunk
from model.encoding.file_format import join_chunks
from model.encoding.memory import build_memory, to_precision
from model.errors import QuestionError, raise_if_cancelled
from model.network.threads import parallel_map
from model.types import (
    Answer,
    CancelledCallback,
    Document,
    EncodedDocument,
    GenerationOptions,
    Intent,
    Memory,
    Precision,
    Progress,
    Turn,
)

_QUESTIONS_KEPT = 64  # whose encoder states are kept: some hundred kilobytes


class Engine:
    """Reads documents and answers questions with one checkpoint. Safe to use from several threads."""

    yields_chunks = True  # whether `encode_chunks` yields one by one: engines that encode elsewhere yield all at once

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        backend: Backend | None = None,
        memory_precision: Precision | None = None,
        tuning: Tuning = FITTED,
    ) -> None:
        """`backend`: None is the eager one, which another may replace later (`install`).

        `memory_precision`: in which precision encodings are kept; None: in that of the checkpoint. `tuning`:
        other numbers than the fitted ones.
        """
        self.checkpoint = checkpoint
        self.answering = AnsweringParts.of(checkpoint, lru_cache(_QUESTIONS_KEPT)(self._encode_question), tuning)
        self._backend = backend or Backend.eager(checkpoint.model)
        self._memory_precision = memory_precision
        self._encoded = EncoderCount()

    @property
    def backend(self) -> Backend:
        """What reading and answering run on now."""
        return self._backend

    def install(self, backend: Backend) -> None:
        """Read and answer with this backend from now on; work that goes on finishes with the one before."""
        self._backend = backend

    @cached_property
    def tagger(self) -> Tagger:
        """Names what a picture shows, for a checkpoint that does not support vision."""
        return Tagger()

    @property
    def encoder_tokens(self) -> int:
        """All tokens that went through the encoder so far: it does not move when a question is answered."""
        return self._encoded.total

    def plan(self, document: Document | EncodingPlan, *, views: ViewMode | None = None) -> EncodingPlan:
        """What encoding the document takes: its tokens, and the bytes of the encoding. Nothing is encoded or drawn.

        `views` says how pages enter: as text, as a picture, as both, or as `auto` chooses (None: as the document says).
        A plan is returned as it is. Raises CheckpointError if a checkpoint without vision is to see pages.
        """
        if isinstance(document, EncodingPlan):
            return document
        return plan_encoding(self.checkpoint, document, views, self._memory_precision)

    def encode(self, document: Document | EncodingPlan, **options: Unpack[EncodingOptions]) -> EncodedDocument:
        """Encode the document whole: all that `encode_chunks` yields, as one encoding. Raises as it does."""
        return join_chunks(list(self.encode_chunks(document, **options)))

    def encode_chunks(
        self, document: Document | EncodingPlan, **options: Unpack[EncodingOptions]
    ) -> Iterator[EncodedDocument]:
        """Encode the document, in overlapping chunks if it is longer than the checkpoint's chunk size.

        Each yield is a chunk as an encoding of its own: `join_chunks` makes one of several, so that questions can be
        answered from what is read so far. A plan of the document is not tokenized again.

        Raises DocumentError if there is nothing to read, CheckpointError if a checkpoint without vision is to see
        pages, Cancelled if the person stopped it.
        """
        run = EncodingRun(options.get("progress"), options.get("pause"))
        plan = self.plan(document, views=options.get("views"))
        plan, seen = with_pictures(self.checkpoint, plan, options, lambda: self.tagger, run)
        total = plan.token_count
        if not total:
            raise token_maps.no_text(plan.document)
        yield from self._read_chunks(plan, seen, run, options.get("cancelled"))
        run.report(Progress(stage="encoding", done=total, total=total, unit="tokens"))

    def _read_chunks(
        self, plan: EncodingPlan, seen: PageFeatures, run: EncodingRun, cancelled: CancelledCallback | None
    ) -> Iterator[EncodedDocument]:
        """Encode chunk by chunk; each yield is an encoding of its own."""
        checkpoint, stream, total = self.checkpoint, plan.tokens, plan.token_count
        chunks = chunks_of(checkpoint, stream)
        parallel = chunks_in_parallel(checkpoint.chunk_size, checkpoint.device)
        at_once = torch.get_num_threads() if parallel else 1

        native = self._backend.native

        def read(chunk: Chunk) -> Memory:
            ids = token_maps.select(stream, chunk.start, chunk.end, checkpoint.bos).ids
            hidden = encode_chunk(
                checkpoint.model,
                ids.to(checkpoint.device),
                cancelled,
                image_features=seen.within(stream, chunk.start, chunk.end),
                progress=None if parallel else lambda fraction: run.report(read_so_far(chunk, total, fraction)),
                native=native,
            )
            return build_memory(checkpoint.model, chunk.kept_rows(hidden), native.key_inv_rms)

        previous: Memory | None = None
        began = 0.0  # what came before the first chunk, such as pictures, counts as its reading
        for first in range(0, len(chunks), at_once):
            group = chunks[first : first + at_once]
            run.report(read_so_far(group[0], total, 0.0))
            for chunk, memory in zip(group, parallel_map(read, group), strict=True):
                raise_if_cancelled(cancelled, READING_STOPPED)
                previous = to_precision(memory, self._memory_precision, previous)
                self._encoded.add(1 + chunk.end - chunk.start)
                yield EncodedDocument(
                    document=plan.document,
                    memory=previous,
                    tokens=token_maps.select(stream, chunk.keep_start, chunk.keep_end, checkpoint.bos),
                    fingerprint=checkpoint.fingerprint,
                    chunks=1,
                    encode_seconds=run.seconds - began,
                )
                began = run.seconds

    def answer(
        self,
        encoded: EncodedDocument | Sequence[EncodedDocument],
        question: str,
        *,
        history: Sequence[Turn] = (),
        options: GenerationOptions | None = None,
        cancelled: CancelledCallback | None = None,
    ) -> Iterator[Answer]:
        """Answer from what was read; each yield is the whole answer so far, and the last one is finished.

        Raises QuestionError for an empty or overlong question, EncodingError for an encoding of another checkpoint.
        """
        batches = self.answer_batch(encoded, [question], history=history, options=options, cancelled=cancelled)
        return (answer for (answer,) in batches)

    def answer_batch(
        self,
        encoded: EncodedDocument | Sequence[EncodedDocument],
        questions: Sequence[str],
        *,
        history: Sequence[Turn] = (),
        options: GenerationOptions | None = None,
        cancelled: CancelledCallback | None = None,
    ) -> Iterator[tuple[Answer, ...]]:
        """Answer many questions together: the memories are read once a token for all of them.

        Each yield holds a snapshot of every answer, in the questions' order; at the last one all are finished. Raises
        as `answer` does.
        """
        encodings, asked = self.checked(encoded, questions)
        before = self._encoded.of_this_thread
        parts, options = self.answering, options or GenerationOptions()
        generation = Generation(self.checkpoint, self._backend.parts, parts, encodings, options, cancelled)
        intents = list(map(self.intent, asked))
        snapshots = answers(
            generation,
            encodings,
            asked,
            intents,
            history=history,
            indexes=parts.indexes,
            calibration=parts.calibration,
        )
        return self._counted(snapshots, self._encoded.of_this_thread - before)

    def checked(
        self, encoded: EncodedDocument | Sequence[EncodedDocument], questions: Sequence[str]
    ) -> tuple[tuple[EncodedDocument, ...], list[str]]:
        """The encodings and the questions, as `answer_batch` takes them. Raises QuestionError and EncodingError."""
        encodings = (encoded,) if isinstance(encoded, EncodedDocument) else tuple(encoded)
        asked = [checked_question(question) for question in questions]
        if not asked:
            raise QuestionError("There are no questions. Ask at least one.")
        check_encodings(encodings, self.checkpoint)
        return encodings, asked

    def _counted(self, snapshots: Iterator[tuple[Answer, ...]], encoded: int) -> Iterator[tuple[Answer, ...]]:
        """The snapshots with how many document tokens were encoded for them; `encoded` are so far."""
        before = self._encoded.of_this_thread
        for some in snapshots:
            encoded += self._encoded.of_this_thread - before
            yield tuple(replace(answer, encoder_tokens=encoded) for answer in some)
            before = self._encoded.of_this_thread  # whoever asks for the next one may be another thread

    def intent(self, question: str) -> Intent:
        """What a question wants; a fact where the checkpoint has no router."""
        router = self.answering.router
        return "fact" if router is None else router.intent(question)

    def refers_back(self, question: str) -> bool:
        """Whether a question is to be understood with the turn before it; others are answered better without."""
        return refers_back(question) or self.intent(question) == "follow_up"

    def _encode_question(self, question: str) -> torch.Tensor:
        """A question's encoder states (Q, H). Its tokens are not the document's."""
        checkpoint = self.checkpoint
        ids, _ = token_maps.encode_text(checkpoint.tokenizer, question)
        tokens = torch.tensor([checkpoint.bos, *ids], device=checkpoint.device)
        return encode_chunk(checkpoint.model, tokens, native=self._backend.native)[1:]
