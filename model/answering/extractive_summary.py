"""Extractive summaries: the sentences of a document that say most of it, quoted as they stand.

A sentence is central if its words are those that the document repeats (SumBasic, Nenkova and Vanderwende, 2005): its
score is the mean weight of its content words. Each word that a chosen sentence has said counts less for the next one,
so that they do not repeat each other. The beginning of a document tells what it is about, so early sentences count
more. It works in any language and runs no model.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from model.answering.front_matter import front_matter_end
from model.answering.quotes import Quote
from model.answering.references import is_reference, list_begins
from model.answering.sentences import BOXES, WHOLE_SENTENCE_ENDS, spans
from model.answering.words import UNSPACED, content_words
from model.types import Document

_SHORTEST, _LONGEST = 30, 320  # characters of a sentence that can be quoted
_SHORTEST_UNSPACED = 12  # of a script without spaces between words
_FEWEST_WORDS = 5
_LETTERS = 0.65  # least share of letters and spaces: formulas, references and rows of figures are no sentences
_SAID = 0.6  # what remains of the weight of a word that was said
_LEAD_BONUS = 2.0  # added share of the score of the first sentence; it decays
_LEAD = 15.0  # sentences over which that decays to 1 / e
_MARKUP = re.compile(rf"[<>{{}}|=\\{BOXES}]|^\W*\w[\w-]*:\s.*\s[\w-]+:\s", re.S)  # tags, code, boxes, "a: ... b: ..."
_MOST_CHARACTERS = 100_000  # of a summary that nobody wants short
_OVER = 0.3  # of those characters by which the last sentence may be longer
_HEADINGS, _BESIDE = 0.8, 0.5  # what a topic in the heading counts, and in the sentence before or behind
_LEAST_ON_TOPIC = 0.3  # share of a topic that some sentence must have
_LEAST_OF_BEST = 0.5  # a sentence has more than this of what the sentence with most of the topic has
_LONGEST_HEADING, _NEAR_LINES = 90, 40  # characters of a line, and how many lines above a sentence it may stand
_MOST_SENTENCES = 4_000  # of a document that are compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence(Quote):
    """A sentence with its content words."""

    words: tuple[str, ...]


def summary(
    documents: Sequence[Document],
    count: int,
    *,
    characters: int = _MOST_CHARACTERS,
    topic: frozenset[str] = frozenset(),
) -> tuple[Sentence, ...]:
    """At most so many of the most central sentences, in the order of the documents; none where there are none.

    characters: from which on nothing is added. Scripts without spaces say the same in a third of them. topic: words
    that the sentences are to be about; empty: the whole documents.
    """
    candidates = [
        sentence
        for index, document in enumerate(documents)
        for sentence in islice(sentences(document, index), _MOST_SENTENCES)
    ]
    weights = _word_weights(candidates)
    shares = _on_topic(candidates, topic) if topic else [1.0] * len(candidates)
    chosen: list[int] = []
    least = _LEAST_OF_BEST * max(shares, default=0.0)
    left = {index for index, share in enumerate(shares) if share > least}
    room = float(characters)
    while left and len(chosen) < count and room > 0:
        best = max(left, key=lambda index: shares[index] * _score(candidates[index], index, weights))
        left.remove(best)
        length = _length(candidates[best].text)
        if chosen and length > room + _OVER * characters:
            continue
        chosen.append(best)
        room -= length
        for word in set(candidates[best].words):
            weights[word] *= _SAID
    return tuple(candidates[index] for index in sorted(chosen))


def _on_topic(candidates: Sequence[Sentence], topic: frozenset[str]) -> list[float]:
    """How much of the topic each sentence has, in its own words or its heading's, and a little from its neighbours.

    Rare words count more. Where no sentence has enough of it, all count alike.
    """
    counts = Counter(word for sentence in candidates for word in set(sentence.words))
    rarity = {word: math.log(1 + len(candidates) / (1 + counts[word])) for word in topic}

    def share(words: Iterable[str]) -> float:
        return sum(rarity[word] for word in topic.intersection(words)) / sum(rarity.values())

    own = [share(sentence.words) for sentence in candidates]
    padded = [0.0, *own, 0.0]
    beside = [max(before, behind) for before, behind in zip(padded, padded[2:], strict=False)]
    shares = [
        max(mine, _HEADINGS * share(content_words(_heading(sentence)))) + _BESIDE * near
        for sentence, mine, near in zip(candidates, own, beside, strict=True)
    ]
    return shares if max(shares, default=0.0) >= _LEAST_ON_TOPIC else [1.0] * len(candidates)


def _heading(sentence: Sentence) -> str:
    """The last line above a sentence that may be a heading: short, and ended by no full stop."""
    above = sentence.page.text[: sentence.start].rstrip().split("\n")[-_NEAR_LINES:]
    lines = (line.strip() for line in reversed(above))
    return next((line for line in lines if line and len(line) <= _LONGEST_HEADING and line[-1] not in ".,;"), "")


def _length(text: str) -> int:
    return 3 * len(text) if UNSPACED.search(text) else len(text)


def sentences(document: Document, document_index: int = 0) -> Iterator[Sentence]:
    """The whole sentences of running text: no rows of tables, headings, formulas, markup, boxes to tick, references."""
    behind_references = False
    for page in document.pages:
        begins = 0 if behind_references else list_begins(page.text)
        behind_references = begins is not None
        text_begins = front_matter_end(page.text) if page is document.pages[0] else 0
        for start, end in spans(page.text, text_begins):
            words = content_words(page.text[start:end])
            in_table = any(table.start < end and start < table.end for table in page.tables)
            if in_table or not _is_sentence(page.text[start:end], words):
                continue
            if not is_reference(page.text, start, end, in_list=begins is not None and begins <= start):
                yield Sentence(document_index=document_index, page=page, start=start, end=end, words=tuple(words))


def _is_sentence(text: str, words: Sequence[str]) -> bool:
    shortest = _SHORTEST_UNSPACED if UNSPACED.search(text) else _SHORTEST
    letters = sum(char.isalpha() or char.isspace() for char in text)
    return (
        shortest <= len(text) <= _LONGEST
        and len(words) >= _FEWEST_WORDS
        and letters >= _LETTERS * len(text)
        and _MARKUP.search(text) is None
        and text.endswith(WHOLE_SENTENCE_ENDS)
    )


def _word_weights(candidates: Sequence[Sentence]) -> dict[str, float]:
    counts = Counter(word for sentence in candidates for word in set(sentence.words))
    return {word: math.log(1 + count) for word, count in counts.items()}


def _score(sentence: Sentence, index: int, weights: dict[str, float]) -> float:
    words = set(sentence.words)
    central = sum(weights[word] for word in words) / (len(words) + 4)  # short sentences say little
    return central * (1 + _LEAD_BONUS * math.exp(-index / _LEAD))
