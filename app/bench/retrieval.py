"""`retrieval`: how high the passage that holds the answer is ranked, by words, by meaning, and by both.

Rows about the same title are pooled until there are `PASSAGES` passages; the right one holds the answer. A row whose
question is in another language than its context measures finding across languages.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.bench.asking import engine_for
from app.bench.quality import row_document
from app.bench.results import as_result
from app.bench.rows import Row, read_rows
from app.cli.progress import ProgressLine
from model.answering.document_index import joined_passages, scores_by_meaning
from model.answering.passages import Passage
from model.answering.retrieval import fused
from model.answering.word_index import relevance
from model.answering.words import plain_letters
from model.engine import Engine
from model.errors import CheckpointError, DocumentError
from model.types import EncodedDocument

PASSAGES = 40
TOPS = (1, 3, 10)
WAYS = ("words", "meaning", "both")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The rank of the right passage by each of `WAYS`, counted from 0."""

    ranks: tuple[int, ...]


def retrieval(arguments: argparse.Namespace) -> None:
    rows = [row for row in read_rows(arguments.data, arguments.limit) if row.answers]
    line = ProgressLine(sys.stderr)
    found: list[Found] = []
    try:
        engine = engine_for(arguments, line)
        if engine.checkpoint.retrieval is None:
            raise CheckpointError(
                "{name} has no projection for retrieval: use `embedded`.", name=engine.checkpoint.name
            )
        for pool in pools(rows):
            line.say(f"{len(found):,} of {len(rows):,} questions")
            found += ranked(engine, pool)
    finally:
        line.clear()
    if not found:
        raise DocumentError("{folder} has no question whose answer stands in its context.", folder=arguments.data)
    figures = {"questions": len(found), "passages": PASSAGES, "ranked_within": _shares(found)}
    print(as_result(figures) if arguments.json else _table(found))


def pools(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Rows in groups of neighbouring contexts, as the file has them."""
    pool: list[Row] = []
    for row in rows:
        pool.append(row)
        if sum(len(text) for text in {one.context for one in pool}) > 160 * PASSAGES:  # characters: some 40 sentences
            yield pool
            pool = []
    if pool:
        yield pool


def ranked(engine: Engine, pool: Sequence[Row]) -> list[Found]:
    """Each question of a pool over the passages of all its contexts."""
    contexts = list(dict.fromkeys(row.context for row in pool))
    first = {context: next(row for row in pool if row.context == context) for context in contexts}
    encoded = [engine.encode(row_document(first[context])) for context in contexts]
    passages = joined_passages(encoded, [engine.answering.indexes.of(one) for one in encoded])
    holder: dict[str, list[int]] = defaultdict(list)
    for index, passage in enumerate(passages):
        holder[contexts[_owner(encoded, passage)]].append(index)
    return [
        Found(ranks=_ranks(engine, encoded, row.question, right))
        for row in pool
        if (right := _right(row, passages, holder[row.context])) is not None
    ]


def _owner(encoded: Sequence[EncodedDocument], passage: Passage) -> int:
    """Which of the joined encodings a passage is of."""
    first = 0
    for index, one in enumerate(encoded):
        first += one.token_count
        if passage.start < first:
            return index
    raise ValueError(f"the passage begins at token {passage.start} of {first}")


def _right(row: Row, passages: Sequence[Passage], own: Sequence[int]) -> int | None:
    """The first passage of the row's context that holds an answer."""
    answers = [plain_letters(answer) for answer in row.answers]
    return next((index for index in own if any(answer in passages[index].text for answer in answers)), None)


def _ranks(engine: Engine, encoded: Sequence[EncodedDocument], question: str, right: int) -> tuple[int, ...]:
    known = [engine.answering.indexes.of(one) for one in encoded]
    by_words = relevance([index.words for index in known], question)
    by_meaning = scores_by_meaning(engine.answering.indexes.question(question), known)
    assert by_meaning is not None
    rankings = [by_words, by_meaning.tolist(), fused(by_words, by_meaning)]
    return tuple(
        sum(score > ranking[right] for score in ranking) if ranking[right] > 0 or way != "words" else len(by_words)
        for way, ranking in zip(WAYS, rankings, strict=True)
    )


def _shares(found: Sequence[Found]) -> dict[str, dict[str, float]]:
    """Per cent of questions whose passage is among the first 1, 3, 10."""
    return {
        way: {f"top_{top}": round(100 * sum(one.ranks[index] < top for one in found) / len(found), 1) for top in TOPS}
        for index, way in enumerate(WAYS)
    }


def _table(found: Sequence[Found]) -> str:
    lines = [f"{len(found):,} questions, per cent".ljust(28) + "".join(f"{f'top {top}':>10}" for top in TOPS)]
    for way, shares in _shares(found).items():
        lines.append(f"{way:<28}" + "".join(f"{share:>10.1f}" for share in shares.values()))
    return "\n".join(lines)
