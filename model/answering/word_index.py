"""BM25 (Robertson and Zaragoza, 2009): passages ranked by the words that they share with a question.

The words of a document are indexed once, so that a question looks up its own and does not go through the text.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from model.answering.passages import Passage
from model.answering.spelling import near_words
from model.answering.stop_words import STOP_WORDS
from model.answering.tuning import FITTED, RetrievalTuning
from model.answering.words import STEM, UNSPACED, character_pairs, plain_letters

_SHORTER_STEM = 5  # characters that are compared where no word of the documents begins with the longer stem
SHORT_WORD = 4  # characters; longer words are matched by their prefix
_WORD = re.compile(r"[^\W_]+(?:\+\+|#)?|[§€$£¥%‰]")  # "C++" is a word, and so is a sign that stands for one


class WordIndex:
    """Which passages of a document have which word, how often. It does not change."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        postings: defaultdict[str, Counter[int]] = defaultdict(Counter)
        for number, passage in enumerate(passages):
            for term in _terms(passage.text):
                postings[term][number] += 1
        self.lengths = [len(passage.text) for passage in passages]
        self._postings: Mapping[str, Mapping[int, int]] = dict(postings)
        self._vocabulary = sorted(self._postings)

    def words_with(self, prefix: str) -> Iterator[str]:
        """The words that begin so."""
        for index in range(bisect_left(self._vocabulary, prefix), len(self._vocabulary)):
            if not self._vocabulary[index].startswith(prefix):
                return
            yield self._vocabulary[index]

    def near(self, word: str) -> set[str]:
        """The words that are one typing error away, without stop words."""
        return {one for one in near_words(word, self._vocabulary) if one not in STOP_WORDS}

    def counts(self, term: _Term) -> Mapping[int, int]:
        """How often each passage has the term."""
        if not term.is_prefix:
            return self._postings.get(term.text, {})
        counts: Counter[int] = Counter()
        for word in self.words_with(term.text):
            counts.update(self._postings[word])
        return counts


def relevance(indexes: Sequence[WordIndex], question: str, tuning: RetrievalTuning = FITTED.retrieval) -> list[float]:
    """The BM25 score of each passage of all documents; 0 if it has none of the question's content words."""
    lengths = [length for index in indexes for length in index.lengths]
    mean = sum(lengths) / max(1, len(lengths))
    scores = [0.0] * len(lengths)
    has_content_word = [False] * len(lengths)
    for term in _question_terms(question, indexes, tuning):
        counts = _counts(indexes, term)
        rarity = term.weight * math.log(1 + (len(lengths) - len(counts) + 0.5) / (len(counts) + 0.5))
        for passage, count in counts.items():
            size = 1 - tuning.length_share + tuning.length_share * lengths[passage] / mean
            scores[passage] += rarity * count * (tuning.saturation + 1) / (count + tuning.saturation * size)
            has_content_word[passage] |= term.is_content_word
    return [score if content else 0.0 for score, content in zip(scores, has_content_word, strict=True)]


def share_found(passages: Sequence[Passage], question: str, tuning: RetrievalTuning = FITTED.retrieval) -> float:
    """The share, by weight, of the question's content words that the passages have."""
    index = WordIndex(passages)
    content = [term for term in _question_terms(question, [index], tuning) if term.is_content_word]
    found = sum(term.weight for term in content if index.counts(term))
    return found / (sum(term.weight for term in content) or 1.0)


@dataclass(frozen=True, slots=True)
class _Term:
    """A word of the question, or the beginning of one; its weight, and whether it is a content word."""

    text: str
    weight: float
    is_prefix: bool = False
    is_content_word: bool = True


def _terms(text: str) -> Iterator[str]:
    """The words of a text in plain letters; of unspaced scripts the characters and their pairs."""
    for word in _WORD.findall(text):
        if UNSPACED.search(word):
            yield from word
            yield from map("".join, pairwise(word))
        else:
            yield word


def _counts(indexes: Sequence[WordIndex], term: _Term) -> dict[int, int]:
    """How often each passage has the term, by its number among the passages of all documents."""
    found: dict[int, int] = {}
    offset = 0
    for index in indexes:
        found |= {offset + number: count for number, count in index.counts(term).items()}
        offset += len(index.lengths)
    return found


def _question_terms(question: str, indexes: Sequence[WordIndex], tuning: RetrievalTuning) -> list[_Term]:
    """The question's words in plain letters: long ones by their prefix, unspaced scripts by character bigrams.

    Short words weigh less than long ones, except numbers and words in capitals. A word that the text does not have is
    matched by those that are one typing error away.
    """
    terms: dict[str, _Term] = {}
    for word in _WORD.findall(question):
        plain = plain_letters(word)
        name = word.isupper() or any(map(str.isdigit, word))
        weight = 1.0 if name else min(1.0, len(plain) / STEM)
        if UNSPACED.search(plain):
            terms |= {pair: _Term(pair, 1.0) for pair in character_pairs(plain)}
        elif plain in STOP_WORDS and not name:
            terms.setdefault(plain, _Term(plain, weight * tuning.stop_word_weight, is_content_word=False))
        elif len(plain) < SHORT_WORD or not plain.isalnum():
            terms[plain] = _Term(plain, weight)
        else:
            terms |= {term.text: term for term in _spellings(plain, weight, indexes, tuning)}
    return list(terms.values())


def _spellings(word: str, weight: float, indexes: Sequence[WordIndex], tuning: RetrievalTuning) -> list[_Term]:
    """How the documents write a word: with its prefix, or a shorter one ("expiry" finds "expires").

    In place of both, which is what a typing error leads to, words that are one such error away.
    """
    stems = (word[:STEM], word[:_SHORTER_STEM])
    for stem in stems:
        if any(True for index in indexes for _ in index.words_with(stem)):
            return [_Term(stem, weight, is_prefix=True)]
    near = {one for index in indexes for one in index.near(word)}
    return [_Term(one, weight * tuning.misspelt_weight) for one in sorted(near)] or [_Term(stems[-1], weight)]
