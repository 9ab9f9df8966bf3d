"""The coarse index: a small vector of each passage, by which a question finds what shares no word with it.

The vectors of a document are one blob of some bytes a token. All of them are gone through for a question, a part at a
time, and what lies near it is proposed; the answering then compares the tokens of what was proposed. A document that
has no vectors yet (an earlier version kept it, or it was imported) gets them when there is time: between two questions,
or before one, for a bounded time.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch.nn import functional

from app.library.library import Library
from app.library.passages import PASSAGES_OF_A_DOCUMENT
from app.library.search import Found
from model.answering.late_interaction import STEPS, passage_vectors
from model.encoding.mapped import map_memory
from model.engine import Engine
from model.errors import EncodingError, LibraryError
from model.types import Precision, TokenMap

MOST_TOKENS = 60_000_000  # of the documents that are gone through, the latest used first: some 200 MB of vectors
_TOKENS_AT_ONCE = 1_000_000  # some 4 MB of vectors
_A_PAGE = 2**32  # more than the characters of any


class CoarseIndex:
    """That of one library and one checkpoint. Safe to use from several threads and processes."""

    def __init__(self, library: Library, engine: Engine, precision: Precision) -> None:
        self._library = library
        self._indexes = engine.answering.indexes
        self._projection = engine.checkpoint.retrieval
        self._fingerprint = engine.checkpoint.fingerprint
        self._precision = precision

    @property
    def missing(self) -> list[int]:
        """The documents that this checkpoint has read and that have no vectors of it, the latest used first."""
        if self._projection is None:
            return []
        rows = self._library.database.rows(
            "SELECT id FROM documents JOIN encodings ON encodings.document = id WHERE removed IS NULL"
            " AND fingerprint = ? AND precision = ? AND NOT EXISTS (SELECT 1 FROM vectors"
            " WHERE vectors.document = id AND vectors.fingerprint = encodings.fingerprint) ORDER BY used DESC",
            (self._fingerprint, self._precision),
        )
        return [row["id"] for row in rows]

    def complete(self, seconds: float) -> int:
        """Make vectors that are missing, for about so many seconds; says of how many documents they were made."""
        until = time.monotonic() + seconds
        for made, document in enumerate(missing := self.missing):
            if (made and time.monotonic() >= until) or not self._make(document):
                return made
        return len(missing)

    def nearest(self, question: str, documents: Mapping[int, int], most: int) -> list[Found]:
        """The passages of these documents that lie nearest to the question, the nearest first.

        documents: how many tokens each has. None are found without a projection.
        """
        tokens = self._indexes.question(question)
        if tokens is None:
            return []
        meaning = functional.normalize(tokens.float().mean(0), dim=0)
        centre: torch.Tensor | None = None
        numbers, scores = torch.empty(0, dtype=torch.int64), torch.empty(0)
        for ids, vectors in self._parts(documents, len(meaning)):
            centre = vectors.mean(0) if centre is None else centre
            numbers, scores = torch.cat([numbers, ids]), torch.cat([scores, _similarities(vectors, meaning, centre)])
            scores, best = scores.topk(min(most, len(scores)))
            numbers = numbers[best]
        return [
            Found(document=number // PASSAGES_OF_A_DOCUMENT, passage=number, score=score)
            for number, score in zip(numbers.tolist(), scores.tolist(), strict=True)
        ]

    def _make(self, document: int) -> bool:
        """Make the vectors of one document; False where they cannot be written, as on a full disk.

        One whose encoding is damaged or gone has none from now on.
        """
        assert self._projection is not None
        database = self._library.database
        first = document * PASSAGES_OF_A_DOCUMENT
        spans = database.rows(
            "SELECT * FROM passages WHERE id BETWEEN ? AND ? ORDER BY id", (first, first + PASSAGES_OF_A_DOCUMENT - 1)
        )
        try:
            stored = self._library.document(document)
            path, size = self._library.encoding_file(stored, self._fingerprint, self._precision)
            memory, tokens = map_memory(path, size_bytes=size)
            owners = _owners(tokens, [(row["page"], row["start"], row["last_page"], row["end"]) for row in spans])
            blob = passage_vectors(memory, owners, len(spans), self._projection).numpy().tobytes()
        except (EncodingError, LibraryError):
            blob = b""
        try:
            database.rows(  # nothing for a document that was deleted meanwhile
                "INSERT OR REPLACE INTO vectors SELECT id, ?, ? FROM documents WHERE id = ?",
                (self._fingerprint, blob, document),
            )
        except sqlite3.OperationalError:
            return False
        return True

    def _parts(self, documents: Mapping[int, int], size: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """The numbers of passages, (P,) int64, and their vectors, (P, R) float32, some documents at a time."""
        for some in _groups(documents):
            rows = self._library.database.rows(
                "SELECT document, passages FROM json_each(?) JOIN vectors ON document = value AND fingerprint = ?",
                (json.dumps(some), self._fingerprint),
            )
            blobs = [(row["document"], row["passages"]) for row in rows if row["passages"]]
            if blobs:
                vectors = torch.frombuffer(bytearray(b"".join(blob for _, blob in blobs)), dtype=torch.int8)
                ids = [
                    torch.arange(1, 1 + len(blob) // size) + document * PASSAGES_OF_A_DOCUMENT
                    for document, blob in blobs
                ]
                yield torch.cat(ids), vectors.view(-1, size).float() / STEPS


def _similarities(vectors: torch.Tensor, meaning: torch.Tensor, centre: torch.Tensor) -> torch.Tensor:
    """How near vectors (P, R) of unit length lie to a question's, (P,).

    All passages have much in common, which says nothing: the cosine is that of what they have beside their centre.
    """
    along, common = (vectors @ torch.stack([meaning, centre], dim=1)).T
    lengths = (1 - 2 * common + centre.square().sum()).clamp_min(1e-6).sqrt()  # of `vectors - centre`
    return (along - centre @ meaning) / lengths


def _groups(documents: Mapping[int, int]) -> Iterator[Sequence[int]]:
    """The documents in groups of about as many tokens, as far as `MOST_TOKENS`."""
    group: list[int] = []
    tokens = total = 0
    for document, count in documents.items():
        if group and tokens + count > _TOKENS_AT_ONCE:
            yield group
            group, tokens = [], 0
        if total >= MOST_TOKENS:
            break
        group.append(document)
        tokens, total = tokens + count, total + count
    if group:
        yield group


def _owners(tokens: TokenMap, spans: Sequence[tuple[int, int, int, int]]) -> torch.Tensor:
    """The passage that each token lies in, (T,) int64; as many as there are passages for one that lies in none.

    spans: page, first character, last page and the end there of each passage.
    """
    places = torch.tensor([*spans, (0, 0, 0, 0)], dtype=torch.int64)  # the last one has no token
    begins, order = (places[:, 0] * _A_PAGE + places[:, 1]).sort()
    ends = (places[:, 2] * _A_PAGE + places[:, 3])[order]
    at = tokens.pages.long() * _A_PAGE + tokens.starts.long()
    rank = torch.searchsorted(begins, at, right=True) - 1
    inside = (tokens.ends > tokens.starts) & (at < ends[rank])
    return torch.where(inside, order[rank], len(spans))
