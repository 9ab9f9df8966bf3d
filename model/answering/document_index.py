"""What retrieval needs of a document, made once and held as long as the encoding: passages, words and vectors."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from threading import RLock

import torch

from model.answering.late_interaction import document_vectors, max_similarities, question_vectors
from model.answering.passages import Passage, passages_of
from model.answering.table_columns import WholeTable, tables_of
from model.answering.tuning import FITTED, PassageTuning
from model.answering.word_index import WordIndex
from model.types import Document, EncodedDocument, RetrievalProjection


@dataclass(frozen=True, kw_only=True)
class DocumentIndex:
    """passages: in tokens of this document. vectors: (T, R) bfloat16 of unit length; None without a projection."""

    document: Document
    passages: tuple[Passage, ...]
    words: WordIndex
    vectors: torch.Tensor | None

    @cached_property
    def tables(self) -> tuple[WholeTable, ...]:
        """The document's tables; most questions do not need them."""
        return tuple(tables_of(self.document))


class DocumentIndexes:
    """The indexes of one checkpoint's encodings. Thread-safe."""

    def __init__(
        self,
        projection: RetrievalProjection | None = None,
        encode_question: Callable[[str], torch.Tensor] | None = None,
        sizes: PassageTuning = FITTED.passages,
    ) -> None:
        """`encode_question`: a question's encoder states (Q, H), without `<bos>`; with a projection."""
        self._projection = projection
        self._encode_question = encode_question
        self._sizes = sizes
        # By the identity of a document's states: tensors compare element by element, so they are no keys themselves.
        self._known: dict[int, tuple[weakref.ref[torch.Tensor], DocumentIndex]] = {}
        self._lock = RLock()  # a document may be freed, and call `_forget`, while this thread holds the lock

    def of(self, encoded: EncodedDocument) -> DocumentIndex:
        """The document's index, made where it is not known yet."""
        states = encoded.memory.hidden
        with self._lock:
            reference, index = self._known.get(id(states), (None, None))
        if reference is not None and index is not None and reference() is states:
            return index
        index = self._made(encoded)
        with self._lock:
            self._known[id(states)] = weakref.ref(states, partial(self._forget, id(states))), index
        return index

    def question(self, text: str) -> torch.Tensor | None:
        """A question's vectors (Q, R) bfloat16 of unit length; None without a projection."""
        if self._projection is None or self._encode_question is None:
            return None
        return question_vectors(self._encode_question(text), self._projection)

    def _made(self, encoded: EncodedDocument) -> DocumentIndex:
        passages = tuple(passages_of(encoded, self._sizes))
        vectors = None if self._projection is None else document_vectors(encoded.memory, self._projection)
        return DocumentIndex(document=encoded.document, passages=passages, words=WordIndex(passages), vectors=vectors)

    def _forget(self, key: int, reference: weakref.ref[torch.Tensor]) -> None:
        """Nothing is kept of a document that is gone."""
        with self._lock:
            if key in self._known and self._known[key][0] is reference:
                del self._known[key]


def joined_passages(encodings: Sequence[EncodedDocument], indexes: Sequence[DocumentIndex]) -> list[Passage]:
    """The passages of all documents, in tokens of the joined memories."""
    passages: list[Passage] = []
    offset = 0
    for encoded, index in zip(encodings, indexes, strict=True):
        passages += [replace(one, start=one.start + offset, end=one.end + offset) for one in index.passages]
        offset += encoded.token_count
    return passages


def scores_by_meaning(question: torch.Tensor | None, indexes: Sequence[DocumentIndex]) -> torch.Tensor | None:
    """The MaxSim score of each passage of all documents, (P,) float32; None where there are no vectors."""
    if question is None:
        return None
    return torch.cat(
        [
            max_similarities(question, index.vectors, [(one.start, one.end) for one in index.passages])
            for index in indexes
            if index.vectors is not None
        ]
    )
