"""Which passages share their words with a question, so that the decoder is shown those alone.

A small checkpoint loses its way among many pages, where attention must find the place and read it, too. Words find the
place well: passages are ranked by BM25 (Robertson and Zaragoza, 2009), in which rare words count most. As a memory is a
set of rows, looking at a few passages is attention over fewer rows: nothing is read again, and an answer costs less.

Shapes: T rows of the joined memories, N questions.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from model.types import EncodedDocument

_LONGEST = 160  # tokens of a passage
_LEAST_RELEVANCE = 0.5  # of the best passage's: a weaker one distracts
_STEM = 6  # characters of a word that count: endings differ
_SATURATION, _LENGTH = 1.2, 0.5  # BM25's k1 and b
_SENTENCE_ENDS = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")
_WORD = re.compile(r"[^\W_]+")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")  # scripts that put no space between words


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Some sentences or lines of a page: rows [first, last) of the joined memories, and their text in plain letters."""

    first: int
    last: int
    text: str


def shown_rows(encodings: Sequence[EncodedDocument], questions: Sequence[str], tokens: int) -> torch.Tensor:
    """Which rows each question is shown, (N, T) bool: its closest passages, about `tokens` tokens of them.

    A question that has no word in common with the documents is shown everything, and so is one about documents that
    are no longer than that.
    """
    total = sum(encoded.token_count for encoded in encodings)
    shown = torch.ones(len(questions), total, dtype=torch.bool)
    if total <= tokens:
        return shown
    passages = passages_of(encodings)
    for row, question in zip(shown, questions, strict=True):
        if chosen := _closest(passages, question, tokens):
            row[:] = False
            row[0] = True  # a `<bos>`, where attention that looks for nothing rests
            for passage in chosen:
                row[passage.first : passage.last] = True
    return shown


def _closest(passages: Sequence[Passage], question: str, tokens: int) -> list[Passage]:
    scores = relevance(passages, question)
    best = max(scores, default=0.0)
    chosen: list[Passage] = []
    for index in sorted(range(len(passages)), key=lambda index: -scores[index]):
        passage = passages[index]
        tokens -= passage.last - passage.first
        if scores[index] <= _LEAST_RELEVANCE * best or (chosen and tokens < 0):
            break
        chosen.append(passage)
    return chosen


def passages_of(encodings: Sequence[EncodedDocument]) -> list[Passage]:
    """The passages of all pages with text, in the order of the joined rows."""
    passages: list[Passage] = []
    offset = 0
    for encoded in encodings:
        passages += _passages(encoded, offset)
        offset += encoded.token_count
    return passages


def _passages(encoded: EncodedDocument, offset: int) -> Iterator[Passage]:
    for page in encoded.document.pages:
        rows = (encoded.tokens.pages == page.number).nonzero().flatten()
        starts, ends = encoded.tokens.starts[rows].tolist(), encoded.tokens.ends[rows].tolist()
        cuts = {match.end() for match in _SENTENCE_ENDS.finditer(page.text)}
        first = 0
        while first < len(rows):
            last = _cut(starts, first, cuts)
            text = page.text[starts[first] : ends[last - 1]]
            yield Passage(first=offset + int(rows[first]), last=offset + int(rows[last - 1]) + 1, text=_plain(text))
            first = last


def _cut(starts: Sequence[int], first: int, cuts: set[int]) -> int:
    """Where a passage that begins at row `first` ends: behind the last sentence or line that fits, if not too early."""
    last = min(first + _LONGEST, len(starts))
    if last == len(starts):
        return last
    return next((row for row in range(last, first + _LONGEST // 2, -1) if starts[row] in cuts), last)


def relevance(passages: Sequence[Passage], question: str) -> list[float]:
    """BM25 of each passage; 0 where it has none of the question's words."""
    words = set(_words(question))
    if not words or not passages:
        return [0.0] * len(passages)
    pattern = re.compile("|".join(sorted(words, reverse=True)))
    found = [Counter(match.group() for match in pattern.finditer(passage.text)) for passage in passages]
    holding = Counter(word for counts in found for word in counts)
    mean = sum(len(passage.text) for passage in passages) / len(passages)
    return [
        sum(
            math.log(1 + (len(passages) - holding[word] + 0.5) / (holding[word] + 0.5))
            * (count * (_SATURATION + 1))
            / (count + _SATURATION * (1 - _LENGTH + _LENGTH * len(passage.text) / mean))
            for word, count in counts.items()
        )
        for passage, counts in zip(passages, found, strict=True)
    ]


def _words(question: str) -> Iterator[str]:
    """Patterns of the question's words: a short one whole, a long one by its beginning; else pairs of characters."""
    for word in _WORD.findall(_plain(question)):
        if _UNSPACED.search(word):
            yield from (word[index : index + 2] for index in range(max(1, len(word) - 1)))
        elif len(word) < _STEM:
            yield rf"\b{word}\b"
        else:
            yield rf"\b{word[:_STEM]}"


def _plain(text: str) -> str:
    """Without case and accents."""
    return "".join(char for char in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(char))
