"""Which of several candidates answers the question: what the decoder thinks of each, and how it stands in the text.

A small decoder hardly sees whether a name stands beside the words of the question or three lines below, and likes to
repeat what it was asked. Both are easily counted. A candidate's score is the weighted sum of its features; the weights
are fitted on training questions (`python -m app.bench ranking`) and belong to the checkpoint.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch

from model.answering.beam_search import Candidate
from model.answering.prompts import NOT_IN_DOCUMENT
from model.answering.retrieval import plain_letters
from model.answering.stop_words import STOP_WORDS
from model.types import EncodedDocument

_WORD = re.compile(r"[^\W_]+")
_CHOICE = re.compile(r"\b(?:or|ou|oder|o)\b")  # a question that names the possible answers
_SENTENCE_END = re.compile(r"(?<=\w{3})[.!?][\"')\]]*\s|\n")
_BEGINNING = 5  # characters of a word that count
_SMALL_WORD = 0.6  # of its weight that a word of up to three letters keeps
_DISTANCES = {"near_20": 20, "near_60": 60, "near_150": 150}  # characters, over which a word's nearness falls to 1 / e
_LINE = 40  # characters that the end of a line counts for: beside a value stands its label
_MOST_PLACES = 8  # of a candidate's words in the text

Features = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reranker:
    """The weight of each feature; one that is not named has none."""

    weights: Mapping[str, float]

    def best(self, question: str, text: str, answers: Sequence[str], candidates: Sequence[Candidate]) -> int:
        """The index of the best answer to the question about the text; `answers` are the candidates', read off."""
        asked = QuestionContext.of(question, text)
        return self.first(
            [features(asked, answer, one.log_probabilities) for answer, one in zip(answers, candidates, strict=True)]
        )

    def first(self, found: Sequence[Features]) -> int:
        """The index of the features with the highest score.

        A likeliest answer in the decoder's own words, "Yes", stands nowhere in the text, so that cannot say more of it.
        """
        likeliest = max(range(len(found)), key=lambda index: found[index]["log_probability"])
        one = found[likeliest]
        if "refuses" not in one and not one["verbatim"] and not one["only_repeats"]:
            return likeliest
        scores = [self.score(one) for one in found]
        return scores.index(max(scores))

    def score(self, found: Features) -> float:
        return sum(self.weights.get(name, 0.0) * value for name, value in found.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionContext:
    """A question and the text that the decoder was shown, in plain letters; words by their beginnings."""

    words: Mapping[str, float]  # the question's words but function words, and how much each says
    all_words: frozenset[str]
    text: str
    places: tuple[tuple[str, int, int], ...]  # of the question's words in the text: the word, where it begins, ends
    sentences: tuple[int, ...]  # where they end
    lines: tuple[int, ...]  # where they end
    offers_answers: bool

    @classmethod
    def of(cls, question: str, text: str) -> QuestionContext:
        asked, shown = plain_letters(question), plain_letters(text)
        telling = {_beginning(word): word for word in _WORD.findall(asked) if word not in STOP_WORDS}
        found = ((_beginning(match.group()), match.start(), match.end()) for match in _WORD.finditer(shown))
        return cls(
            words={name: _SMALL_WORD if len(word) <= len("and") else 1.0 for name, word in telling.items()},
            all_words=frozenset(map(_beginning, _WORD.findall(asked))),
            text=shown,
            places=tuple(place for place in found if place[0] in telling),
            sentences=tuple(match.end() for match in _SENTENCE_END.finditer(shown)),
            lines=tuple(match.start() for match in re.finditer("\n", shown)),
            offers_answers=bool(_CHOICE.search(question.lower())),
        )

    def share(self, words: Mapping[str, float]) -> float:
        """Of the question's weight, that of these words, each as much as it is found."""
        return sum(self.words[word] * much for word, much in words.items()) / (sum(self.words.values()) or 1.0)

    def distance(self, start: int, end: int) -> int:
        """How far apart two places are, in characters, between which text[start:end] stands."""
        return end - start + _LINE * (bisect_left(self.lines, end) - bisect_left(self.lines, start))


def features(asked: QuestionContext, answer: str, log_probabilities: Sequence[float]) -> Features:
    """What is known of one answer. Those of the decoder are in nats, the others between 0 and 1 or 2."""
    decoded = {
        "log_probability": sum(log_probabilities),
        "mean_log_probability": sum(log_probabilities) / len(log_probabilities),
        "least_log_probability": min(log_probabilities),
    }
    if answer == NOT_IN_DOCUMENT:
        return decoded | {"refuses": 1.0, "covered": asked.share(dict.fromkeys((p[0] for p in asked.places), 1.0))}
    answered = plain_letters(answer)
    return decoded | _wording(asked, answered) | _proximity_features(asked, answered)


def _wording(asked: QuestionContext, answer: str) -> Features:
    """How the answer is put: whether it only repeats the question, and ends in the middle of something."""
    words = _WORD.findall(answer)
    telling = [_beginning(word) for word in words if word not in STOP_WORDS]
    repeated = sum(word in asked.all_words for word in telling) / len(telling) if telling else 1.0
    return {
        "repeats": 0.0 if asked.offers_answers else repeated,
        "only_repeats": float(repeated == 1.0 and not asked.offers_answers),
        "length": min(len(words), 15) / 10,
        "ends_open": float(bool(words) and words[-1] in STOP_WORDS),
        "unbalanced": float(answer.count("(") != answer.count(")") or answer.count('"') % 2 == 1),
    }


def _proximity_features(asked: QuestionContext, answer: str) -> Features:
    """How the answer stands in the text: word for word or not, and near which of the question's words, at best."""
    places = list(_places(asked.text, answer))
    whole = [place for place in places if _ends_words(asked.text, *place)]
    found = {"verbatim": float(bool(places)), "whole_words": float(bool(whole))}
    near = [_nearness(asked, *place) for place in (whole or places)[:_MOST_PLACES]]
    return found | {name: max(one[name] for one in near) for name in (near[0] if near else ())}


def _places(text: str, answer: str) -> Iterator[tuple[int, int]]:
    """Where the answer stands in the text, from its first to behind its last character."""
    start = text.find(answer) if answer else -1
    while start >= 0:
        yield start, start + len(answer)
        start = text.find(answer, start + 1)


def _ends_words(text: str, start: int, end: int) -> bool:
    """Whether no word is cut in two at either end."""
    return not any(0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum() for at in (start, end))


def _nearness(asked: QuestionContext, start: int, end: int) -> Features:
    """How near the question's words are to text[start:end]: each word at its nearest, and those of its sentence."""
    distances: dict[str, int] = {}
    for word, first, last in asked.places:
        if last <= start or first >= end:
            distance = asked.distance(last, start) if last <= start else asked.distance(end, first)
            distances[word] = min(distances.get(word, distance), distance)
    begins = max((place for place in asked.sentences if place <= start), default=0)
    ends = min((place for place in asked.sentences if place > start), default=len(asked.text) + 1)
    beside = {word for word, first, last in asked.places if begins <= first < ends and (last <= start or first >= end)}
    near = {
        name: asked.share({word: math.exp(-distance / size) for word, distance in distances.items()})
        for name, size in _DISTANCES.items()
    }
    return near | {"in_sentence": asked.share(dict.fromkeys(beside, 1.0))}


def _beginning(word: str) -> str:
    return word[:_BEGINNING]


def visible_text(encodings: Sequence[EncodedDocument], rows: torch.Tensor) -> str:
    """The text of the rows (T,) that are True, a line for each run of them."""
    lines: list[str] = []
    parts = rows.split([encoded.token_count for encoded in encodings])
    for encoded, part in zip(encodings, parts, strict=True):
        for page in encoded.document.pages:
            mine = part & (encoded.tokens.pages == page.number)
            starts, ends = encoded.tokens.starts[mine].tolist(), encoded.tokens.ends[mine].tolist()
            lines += [page.text[start:end] for start, end in _runs(starts, ends)]
    return "\n".join(lines)


def _runs(starts: Sequence[int], ends: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Characters of tokens that follow each other, as one span."""
    if not starts:
        return
    first, last = starts[0], ends[0]
    for start, end in zip(starts[1:], ends[1:], strict=True):
        if start > last + 1:
            yield first, last
            first = start
        last = max(last, end)
    yield first, last
