"""Late interaction over the cache: ranking passages by the encoder's own states, without a second model.

The states of a document are kept anyway. A question goes through the same encoder, each of its tokens takes its most
similar token of a passage, and their similarities are averaged (MaxSim, Khattab and Zaharia, arXiv 2004.12832). It
finds a place that shares no word with the question, also in another language. Both sides are projected to R dimensions
by matrices that were trained on frozen states and belong to the checkpoint.

Shapes: T document tokens, Q question tokens, H hidden size, R projected size, P passages.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from functools import partial
from threading import RLock

import torch
from torch.nn import functional

from model.encoding.memory import to_device
from model.types import EncodedDocument, Memory, RetrievalProjection

_TOKENS_AT_ONCE = 2**14  # of a document that are projected together: bounds the float32 copy of their states


class VectorCache:
    """The projected tokens of documents, each computed once and kept as long as the document. Thread-safe."""

    def __init__(self, projection: RetrievalProjection) -> None:
        self._projection = projection
        # By the identity of a document's states: tensors compare element by element, so they are no keys themselves.
        self._known: dict[int, tuple[weakref.ref[torch.Tensor], torch.Tensor]] = {}
        self._lock = RLock()  # a document may be freed, and call `_forget`, while this thread holds the lock

    def document_vectors(self, memory: Memory) -> torch.Tensor:
        """(T, R) bfloat16 of unit length."""
        states = memory.hidden
        with self._lock:
            reference, vectors = self._known.get(id(states), (None, None))
        if reference is not None and vectors is not None and reference() is states:
            return vectors
        vectors = self._project(memory)
        with self._lock:
            self._known[id(states)] = weakref.ref(states, partial(self._forget, id(states))), vectors
        return vectors

    def _forget(self, key: int, reference: weakref.ref[torch.Tensor]) -> None:
        """Nothing is kept of a document that is gone."""
        with self._lock:
            if key in self._known and self._known[key][0] is reference:
                del self._known[key]

    @torch.inference_mode()
    def _project(self, memory: Memory) -> torch.Tensor:
        states = to_device(memory, torch.device("cpu"), torch.bfloat16).hidden
        mean, matrix = self._projection.document_mean, self._projection.document
        vectors = torch.empty(len(states), matrix.shape[1], dtype=torch.bfloat16)
        for some, place in zip(states.split(_TOKENS_AT_ONCE), vectors.split(_TOKENS_AT_ONCE), strict=True):
            place.copy_(projected(some, mean, matrix))
        return vectors

    @torch.inference_mode()
    def question_vectors(self, states: torch.Tensor) -> torch.Tensor:
        """From the question's encoder states (Q, H): (Q, R) bfloat16 of unit length."""
        projection = self._projection
        return projected(states.cpu(), projection.question_mean, projection.question).bfloat16()


class LateInteraction:
    """Scores passages against questions with one checkpoint."""

    def __init__(self, vectors: VectorCache, encode_question: Callable[[str], torch.Tensor]) -> None:
        """`encode_question`: a question's encoder states (Q, H), without `<bos>`."""
        self._vectors = vectors
        self._encode_question = encode_question

    def scores(
        self, encodings: Sequence[EncodedDocument], passages: Sequence[tuple[int, int]], question: str
    ) -> torch.Tensor:
        """The score of each passage [first, last) of the joined encodings, (P,) float32."""
        document = torch.cat([self._vectors.document_vectors(encoded.memory) for encoded in encodings])
        return max_similarities(self._vectors.question_vectors(self._encode_question(question)), document, passages)


def projected(states: torch.Tensor, mean: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """States (T, H) less their mean (H,) by a matrix (H, R): (T, R) float32 of unit length."""
    return functional.normalize((states.float() - mean) @ matrix, dim=-1)


@torch.inference_mode()
def max_similarities(
    question: torch.Tensor, document: torch.Tensor, passages: Sequence[tuple[int, int]]
) -> torch.Tensor:
    """The MaxSim score of each passage, (P,) float32: the mean over question tokens of the highest similarity.

    question: (Q, R), document: (T, R), passages: tokens [first, last) in ascending order, none of them empty.
    """
    similarities = question @ document.T  # (Q, T)
    owner = torch.full((len(document),), len(passages), dtype=torch.long)  # of each token; the last stands for none
    for index, (first, last) in enumerate(passages):
        owner[first:last] = index
    best = similarities.new_full((len(question), len(passages) + 1), -torch.inf)
    best.scatter_reduce_(1, owner.expand(len(question), -1), similarities, "amax")
    return best[:, :-1].float().mean(0)
