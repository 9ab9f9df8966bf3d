"""Late interaction over texts that are learned from: training shows a question what answering would show it.

The encoder is frozen while the decoder learns, so the states of the checkpoint that training goes on from are those
that answering will have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from model.answering.late_interaction import max_similarities, projected, question_vectors
from model.checkpoints.checkpoint import Checkpoint
from model.encoder.encoder import encode_chunk
from model.encoding.chunks import Chunk, plan_chunks
from model.encoding.token_map import encode_text
from model.errors import CheckpointError
from model.kernels.parts import load_native_parts
from model.network.threads import parallel_map


class Similarities:
    """Compares questions with passages by the encoder states of a checkpoint that has a projection for it."""

    def __init__(self, checkpoint: Checkpoint, native_folder: Path) -> None:
        """`native_folder`: where native code lies. Raises CheckpointError where there is no projection."""
        if checkpoint.retrieval is None:
            raise CheckpointError("{name} has no projection for retrieval: use `embedded`.", name=checkpoint.name)
        self._checkpoint, self._projection = checkpoint, checkpoint.retrieval
        self._native = load_native_parts(checkpoint.model, native_folder)

    def of(self, ids: Sequence[int]) -> TextSimilarities:
        """Of a text's tokens, which is encoded in the checkpoint's chunks."""
        plan = plan_chunks(len(ids), self._checkpoint.chunk_size - 1, self._checkpoint.chunk_overlap)

        def states(chunk: Chunk) -> torch.Tensor:
            return chunk.kept_rows(self._encoded(ids[chunk.start : chunk.end]))[1:]

        hidden = torch.cat(list(parallel_map(states, plan)))
        vectors = projected(hidden, self._projection.document_mean, self._projection.document)
        return TextSimilarities(similarities=self, vectors=vectors.bfloat16())

    def question(self, text: str) -> torch.Tensor:
        """(Q, R) bfloat16 of unit length."""
        ids, _ = encode_text(self._checkpoint.tokenizer, text)
        return question_vectors(self._encoded(ids)[1:], self._projection)

    def _encoded(self, ids: Sequence[int]) -> torch.Tensor:
        return encode_chunk(self._checkpoint.model, torch.tensor([self._checkpoint.bos, *ids]), native=self._native)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSimilarities:
    """A text's projected tokens. vectors: (T, R) bfloat16 of unit length."""

    similarities: Similarities
    vectors: torch.Tensor

    def scores(self, passages: Sequence[tuple[int, int]], question: str) -> torch.Tensor:
        """Of each passage [first, last), (P,) float32."""
        return max_similarities(self.similarities.question(question), self.vectors, passages)
