"""Late interaction over the cache: ranking passages by the encoder's own states, without a second model.

The states of a document are kept anyway. A question goes through the same encoder, each of its tokens takes its most
similar token of a passage, and their similarities are averaged (MaxSim, Khattab and Zaharia, arXiv 2004.12832). It
finds a place that shares no word with the question, also in another language. Both sides are projected to R dimensions
by matrices that were trained on frozen states and belong to the checkpoint.

Shapes: T document tokens, Q question tokens, H hidden size, R projected size, P passages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch.nn import functional

from model.encoding.memory import to_device
from model.types import Memory, RetrievalProjection

STEPS = 127  # of a unit in int8
_TOKENS_AT_ONCE = 2**14  # of a document that are projected together: bounds the float32 copy of their states


@torch.inference_mode()
def document_vectors(memory: Memory, projection: RetrievalProjection) -> torch.Tensor:
    """The projected tokens of a document, (T, R) bfloat16 of unit length."""
    vectors = torch.empty(len(memory.hidden), projection.document.shape[1], dtype=torch.bfloat16)
    for rows, some in _projected_rows(memory, projection):
        vectors[rows] = some.bfloat16()
    return vectors


@torch.inference_mode()
def passage_vectors(
    memory: Memory, owners: torch.Tensor, passages: int, projection: RetrievalProjection
) -> torch.Tensor:
    """Of each passage the mean of its projected tokens, at unit length in steps of 1 / `STEPS`: (P, R) int8.

    owners: (T,) int64, the passage that a token belongs to; `passages` for one that belongs to none.
    """
    sums = torch.zeros(passages + 1, projection.document.shape[1])
    for rows, some in _projected_rows(memory, projection):
        sums.index_add_(0, owners[rows], some)
    return (functional.normalize(sums[:-1], dim=-1) * STEPS).round().to(torch.int8)


def _projected_rows(memory: Memory, projection: RetrievalProjection) -> Iterator[tuple[slice, torch.Tensor]]:
    """The projected tokens (T, R) float32 of unit length, some thousand at a time, with their rows."""
    for first in range(0, len(memory.hidden), _TOKENS_AT_ONCE):
        rows = slice(first, first + _TOKENS_AT_ONCE)
        scales = None if memory.hidden_scales is None else memory.hidden_scales[rows]
        some = replace(
            memory, hidden=memory.hidden[rows], key_inv_rms=memory.key_inv_rms[..., rows], hidden_scales=scales
        )
        states = to_device(some, torch.device("cpu"), torch.bfloat16).hidden
        yield rows, projected(states, projection.document_mean, projection.document)


@torch.inference_mode()
def question_vectors(states: torch.Tensor, projection: RetrievalProjection) -> torch.Tensor:
    """From a question's encoder states (Q, H): (Q, R) bfloat16 of unit length."""
    return projected(states.cpu(), projection.question_mean, projection.question).bfloat16()


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
