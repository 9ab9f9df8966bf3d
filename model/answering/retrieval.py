"""Retrieval: the passages that a question attends to, ranked by words and by meaning.

A small checkpoint is distracted by many pages, over which attention must find a place as well as read it. Words find
exact names and numbers: BM25 (Robertson and Zaragoza, 2009), in which rare words count most and a passage that shares
only stop words ("what", "of") with the question counts nothing. Late interaction (`late_interaction.py`) finds other
wordings and other languages. The two rankings are fused by their reciprocal ranks (Cormack et al., SIGIR 2009). A
memory is a set of tokens, so attending to a few passages is attention over fewer tokens: nothing is encoded again.

Shapes: T tokens of the joined memories, N questions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from model.answering.document_index import DocumentIndexes, joined_passages, scores_by_meaning
from model.answering.passages import Passage, has_sentences
from model.answering.tuning import FITTED, RetrievalTuning
from model.answering.word_index import relevance, share_found
from model.types import EncodedDocument


def visible_tokens(
    encodings: Sequence[EncodedDocument],
    questions: Sequence[str],
    tokens: int,
    indexes: DocumentIndexes,
    tuning: RetrievalTuning = FITTED.retrieval,
) -> torch.Tensor:
    """The tokens that each question attends to, (N, T) bool: its best passages, of about `tokens` tokens at most.

    Without a projection a question that has no content word in common with the documents attends to everything.
    """
    visible_mask = torch.ones(len(questions), sum(encoded.token_count for encoded in encodings), dtype=torch.bool)
    known = [indexes.of(encoded) for encoded in encodings]
    passages = joined_passages(encodings, known)
    for visible, question in zip(visible_mask, questions, strict=True):
        by_words = relevance([index.words for index in known], question, tuning)
        by_meaning = scores_by_meaning(indexes.question(question), known)
        if chosen := retrieve(passages, question, tokens, by_words, by_meaning, tuning):
            visible[:] = False
            visible[0] = True  # a `<bos>`: heads that find nothing attend to it (an attention sink)
            for passage in chosen:
                visible[passage.start : passage.end] = True
    return visible_mask


def visible_text(encodings: Sequence[EncodedDocument], visible: torch.Tensor) -> str:
    """The text of the visible tokens (T,), a line for each run of them."""
    lines: list[str] = []
    parts = visible.split([encoded.token_count for encoded in encodings])
    for encoded, part in zip(encodings, parts, strict=True):
        for page in encoded.document.pages:
            mine = part & (encoded.tokens.pages == page.number)
            starts, ends = encoded.tokens.starts[mine].tolist(), encoded.tokens.ends[mine].tolist()
            lines += [page.text[start:end] for start, end in _runs(starts, ends)]
    return "\n".join(lines)


def _runs(starts: Sequence[int], ends: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Merge the character spans of consecutive tokens."""
    if not starts:
        return
    first, last = starts[0], ends[0]
    for start, end in zip(starts[1:], ends[1:], strict=True):
        if start > last + 1:
            yield first, last
            first = start
        last = max(last, end)
    yield first, last


def retrieve(
    passages: Sequence[Passage],
    question: str,
    budget: int,
    by_words: Sequence[float],
    by_meaning: torch.Tensor | None = None,
    tuning: RetrievalTuning = FITTED.retrieval,
) -> list[Passage]:
    """The passages of a question, the best first; none: it attends to everything.

    budget: how many tokens the passages have in all, but the first may have more. by_words: each passage's score by
    BM25. by_meaning: (P,), those by late interaction, if there are any. None are retrieved from a short form, and from
    a short text that has few of the question's words, because the question is then worded differently.
    """
    total = sum(passage.end - passage.start for passage in passages)
    if total <= 2 * budget and not has_sentences("\n".join(one.text for one in passages), total):  # a short form
        return []
    scores = by_words if by_meaning is None else fused(by_words, by_meaning, tuning.rank_offset)
    least = (tuning.least_relevance if by_meaning is None else tuning.least_fused) * max(scores, default=0.0)
    short = total <= budget
    chosen: list[Passage] = []
    left = budget
    for index in sorted(range(len(passages)), key=lambda index: -scores[index])[: tuning.most]:
        passage = passages[index]
        left -= passage.end - passage.start
        if scores[index] <= least or (chosen and left < 0):
            break
        chosen.append(passage)
    return [] if short and share_found(chosen, question, tuning) < tuning.least_found else chosen


def fused(
    by_words: Sequence[float], by_meaning: torch.Tensor, offset: int = FITTED.retrieval.rank_offset
) -> list[float]:
    """The sums of 1 / (offset + rank). A passage without a content word of the question has no rank by words."""
    scores = [0.0] * len(by_words)
    for ranking in (by_words, by_meaning.tolist()):
        for rank, index in enumerate(sorted(range(len(ranking)), key=lambda index: -ranking[index])):
            if ranking is not by_words or ranking[index] > 0:
                scores[index] += 1 / (offset + rank)
    return scores
