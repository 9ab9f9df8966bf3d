"""Retrieval: the passages that a question attends to, ranked by words and by meaning.

A small checkpoint is distracted by many pages, over which attention must find a place as well as read it. Words find
exact names and numbers: BM25 (Robertson and Zaragoza, 2009), in which rare words count most and a passage that shares
only stop words ("what", "of") with the question counts nothing. Late interaction (`late_interaction.py`) finds other
wordings and other languages. The two rankings are fused by their reciprocal ranks (Cormack et al., SIGIR 2009). A
memory is a set of tokens, so attending to a few passages is attention over fewer tokens: nothing is encoded again.

Shapes: T tokens of the joined memories, N questions.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from model.answering.late_interaction import LateInteraction
from model.answering.passages import Passage, has_sentences, passages_of, plain_letters
from model.answering.stop_words import STOP_WORDS
from model.types import EncodedDocument

_MOST = 8  # passages of a question
_LEAST_RELEVANCE = 0.35  # of the best passage's score: a weaker passage distracts
_LEAST_FOUND = 0.5  # share of the question's words that the passages have; below it all of a short text is used
_STEM, _SHORTEST_STEM = 6, 5  # characters that are compared, since endings differ; such a long word has full weight
_SHORT_WORD = 4  # characters; longer words are matched by their prefix
_STOP_WORD_WEIGHT = 0.5  # share of its weight that a stop word keeps
_SATURATION, _LENGTH = 1.2, 0.5  # BM25's k1 and b
_LEAST_FUSED = 0.45  # likewise, of reciprocal ranks
_RANK_OFFSET = 10  # of reciprocal rank fusion: smaller lets the first ranks count more
_WORD = re.compile(r"[^\W_]+")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")  # scripts without spaces between words


def visible_tokens(
    encodings: Sequence[EncodedDocument],
    questions: Sequence[str],
    tokens: int,
    late_interaction: LateInteraction | None = None,
) -> torch.Tensor:
    """The tokens that each question attends to, (N, T) bool: its best passages, of about `tokens` tokens at most.

    Without late interaction a question that has no content word in common with the documents attends to everything.
    """
    visible_mask = torch.ones(len(questions), sum(encoded.token_count for encoded in encodings), dtype=torch.bool)
    passages = passages_of(encodings)
    spans = [(passage.first, passage.last) for passage in passages]
    for visible, question in zip(visible_mask, questions, strict=True):
        by_meaning = late_interaction.scores(encodings, spans, question) if late_interaction else None
        if chosen := retrieve(passages, question, tokens, by_meaning):
            visible[:] = False
            visible[0] = True  # a `<bos>`: heads that find nothing attend to it (an attention sink)
            for passage in chosen:
                visible[passage.first : passage.last] = True
    return visible_mask


def retrieve(
    passages: Sequence[Passage], question: str, tokens: int, by_meaning: torch.Tensor | None = None
) -> list[Passage]:
    """The passages of a question, the best first; none: it attends to everything.

    by_meaning: (P,), each passage's score by late interaction, if there is one. None are retrieved from a short form,
    and from a short text that has few of the question's words, because the question is then worded differently.
    """
    total = sum(passage.last - passage.first for passage in passages)
    if total <= 2 * tokens and not has_sentences("\n".join(one.text for one in passages), total):  # a short form
        return []
    scores = relevance(passages, question)
    best, short = max(scores, default=0.0), total <= tokens
    chosen: list[Passage] = []
    least = _LEAST_RELEVANCE * best
    if by_meaning is not None:
        scores = fused(scores, by_meaning)
        least = _LEAST_FUSED * max(scores, default=0.0)
    for index in sorted(range(len(passages)), key=lambda index: -scores[index])[:_MOST]:
        passage = passages[index]
        tokens -= passage.last - passage.first
        if scores[index] <= least or (chosen and tokens < 0):
            break
        chosen.append(passage)
    return [] if short and _share_found(chosen, question) < _LEAST_FOUND else chosen


def fused(by_words: Sequence[float], by_meaning: torch.Tensor) -> list[float]:
    """Reciprocal rank fusion. A passage without a content word of the question has no rank by words."""
    scores = [0.0] * len(by_words)
    for ranking in (by_words, by_meaning.tolist()):
        for rank, index in enumerate(sorted(range(len(ranking)), key=lambda index: -ranking[index])):
            if ranking is not by_words or ranking[index] > 0:
                scores[index] += 1 / (_RANK_OFFSET + rank)
    return scores


def relevance(passages: Sequence[Passage], question: str) -> list[float]:
    """The BM25 score of each passage; 0 if it has none of the question's content words."""
    words = _words(question, "\n".join(passage.text for passage in passages))
    if not words or not passages:
        return [0.0] * len(passages)
    pattern = re.compile("|".join(words[text].pattern for text in sorted(words, reverse=True)))
    found = [Counter(match.group() for match in pattern.finditer(passage.text)) for passage in passages]
    holding = Counter(word for counts in found for word in counts)
    mean = sum(len(passage.text) for passage in passages) / len(passages)
    return [
        sum(
            words[word].weight
            * math.log(1 + (len(passages) - holding[word] + 0.5) / (holding[word] + 0.5))
            * (count * (_SATURATION + 1))
            / (count + _SATURATION * (1 - _LENGTH + _LENGTH * len(passage.text) / mean))
            for word, count in counts.items()
        )
        if any(words[word].is_content_word for word in counts)
        else 0.0
        for passage, counts in zip(passages, found, strict=True)
    ]


def _share_found(passages: Sequence[Passage], question: str) -> float:
    """The share, by weight, of the question's content words that the passages have."""
    text = "\n".join(passage.text for passage in passages)
    telling = [word for word in _words(question, text).values() if word.is_content_word]
    found = sum(word.weight for word in telling if re.search(word.pattern, text))
    return found / (sum(word.weight for word in telling) or 1.0)


@dataclass(frozen=True, slots=True)
class _Word:
    """How a word of the question is matched, its weight, and whether it is a content word."""

    pattern: str
    weight: float
    is_content_word: bool = True


def _words(question: str, text: str) -> dict[str, _Word]:
    """The question's words in plain letters: long ones by their prefix, unspaced scripts by character bigrams.

    Short words weigh less than long ones, except numbers and words in capitals.
    """
    words: dict[str, _Word] = {}
    for word in _WORD.findall(question):
        plain = plain_letters(word)
        name = word.isupper() or any(map(str.isdigit, word))
        weight = 1.0 if name else min(1.0, len(plain) / _STEM)
        if _UNSPACED.search(plain):
            pairs = [plain[index : index + 2] for index in range(max(1, len(plain) - 1))]
            words |= {pair: _Word(pair, 1.0) for pair in pairs}
        elif plain in STOP_WORDS and not name:
            words.setdefault(plain, _Word(rf"\b{plain}\b", weight * _STOP_WORD_WEIGHT, is_content_word=False))
        elif len(plain) < _SHORT_WORD:
            words[plain] = _Word(rf"\b{plain}\b", weight)
        else:
            stem = _stem(plain, text)
            words[stem] = _Word(rf"\b{stem}", weight)
    return words


def _stem(word: str, text: str) -> str:
    """The prefix of a word, a shorter one if the text does not have it: "expiry" finds "expires"."""
    stem = word[:_STEM]
    return stem if re.search(rf"\b{stem}", text) else stem[:_SHORTEST_STEM]
