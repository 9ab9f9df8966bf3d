"""A linear reranker of candidate answers, by the decoder's probabilities and by where a candidate stands in the text.

A small decoder hardly distinguishes a name beside the words of the question from one three lines below, and tends to
repeat the question. Both are easy to count. A candidate's score is the weighted sum of its features; the weights are
fitted on training questions (`python -m app.bench ranking`) and belong to the checkpoint.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from model.answering.beam_search import Candidate
from model.answering.judgements import side
from model.answering.prompts import NOT_IN_DOCUMENT
from model.answering.stop_words import STOP_WORDS
from model.answering.table_cells import NamedCell, best_named, named_cells
from model.answering.table_rows import cells_of
from model.answering.words import plain_letters

_WORD = re.compile(r"[^\W_]+")
_CHOICE = re.compile(r"\b(?:or|ou|oder|o)\b")  # a question that names the possible answers
_SENTENCE_END = re.compile(r"(?<=\w{3})[.!?][\"')\]]*\s|\n")
_PREFIX = 5  # characters of a word that are compared
_SHORT_WORD = 3  # letters at most
_SHORT_WORD_WEIGHT = 0.6
_DISTANCES = {"near_20": 20, "near_60": 60, "near_150": 150}  # characters over which a word's proximity decays to 1 / e
_LINE = 40  # characters that a line break counts for: a label is beside its value
_LONGEST_JUDGEMENT = 12  # words
_MOST_PLACES = 8  # occurrences of a candidate that are looked at

Features = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reranker:
    """Chooses among candidates. weights: feature name to weight; other features have none."""

    weights: Mapping[str, float]

    def best(self, context: QuestionContext, answers: Sequence[str], candidates: Sequence[Candidate]) -> int:
        """The index of the best candidate. answers: the candidates' texts."""
        return self.first(
            [features(context, answer, one.log_probabilities) for answer, one in zip(answers, candidates, strict=True)]
        )

    def first(self, candidates: Sequence[Features]) -> int:
        """The index of the features with the highest score.

        If the likeliest answer is in the decoder's own words, such as "Yes", it is not in the text, so proximity says
        nothing about it, and it is chosen. Of two judgements that wins which is likelier in all its wordings. What does
        not stand in the text as whole words does not win over a likelier refusal.
        """
        likeliest = _likeliest(candidates, range(len(candidates)))
        one = candidates[likeliest]
        if (judged := _judgement(candidates, likeliest)) is not None:
            return judged
        if "refuses" not in one and not one["verbatim"] and not one["only_repeats"]:
            return likeliest
        scores = [self.score(one) for one in candidates]
        best = scores.index(max(scores))
        return likeliest if "refuses" in one and not candidates[best].get("whole_words", 0.0) else best

    def score(self, found: Features) -> float:
        return sum(self.weights.get(name, 0.0) * value for name, value in found.items())


def _likeliest(found: Sequence[Features], among: Iterable[int]) -> int:
    return max(among, key=lambda index: found[index]["log_probability"])


def _judgement(found: Sequence[Features], likeliest: int) -> int | None:
    """The likeliest wording of the likelier of yes and no; None where something else is likelier than both together."""
    sides = [[index for index, one in enumerate(found) if name in one] for name in ("says_yes", "says_no")]
    chances = [sum(math.exp(found[index]["log_probability"]) for index in wordings) for wordings in sides]
    rest = found[likeliest]
    judges = "says_yes" in rest or "says_no" in rest
    if not judges and ("refuses" not in rest or sum(chances) <= math.exp(rest["log_probability"])):
        return None
    return _likeliest(found, sides[chances.index(max(chances))])


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionContext:
    """A question and the text that it attends to, in plain letters; words are compared by their first characters."""

    question: str
    words: Mapping[str, float]  # the question's content words and their weights
    all_words: frozenset[str]
    text: str
    places: tuple[tuple[str, int, int], ...]  # of content words in the text: (word, start, end)
    sentences: tuple[int, ...]  # end offsets
    lines: tuple[int, ...]  # end offsets
    offers_answers: bool
    cells: tuple[NamedCell, ...]  # of the tables in the text
    best_cells: tuple[NamedCell, ...]  # those of them that the question names, the best first

    @classmethod
    def of(cls, question: str, text: str, earlier: str = "") -> QuestionContext:
        """text: what the question attends to. earlier: the turn before, if the question leans on it."""
        asked, shown = plain_letters(question), plain_letters(text)
        cells = named_cells(cells_of(text), question, earlier)
        content = {_prefix(word): word for word in _WORD.findall(asked) if word not in STOP_WORDS}
        found = ((_prefix(match.group()), match.start(), match.end()) for match in _WORD.finditer(shown))
        return cls(
            question=question,
            words={name: _SHORT_WORD_WEIGHT if len(word) <= _SHORT_WORD else 1.0 for name, word in content.items()},
            all_words=frozenset(map(_prefix, _WORD.findall(asked))),
            text=shown,
            places=tuple(place for place in found if place[0] in content),
            sentences=tuple(match.end() for match in _SENTENCE_END.finditer(shown)),
            lines=tuple(match.start() for match in re.finditer("\n", shown)),
            offers_answers=bool(_CHOICE.search(question.lower())),
            cells=tuple(cells),
            best_cells=tuple(best_named(cells)),
        )

    def share(self, words: Mapping[str, float]) -> float:
        """The share of the question's weight that these words have, each scaled by its value in 0..1."""
        return sum(self.words[word] * much for word, much in words.items()) / (sum(self.words.values()) or 1.0)

    def distance(self, start: int, end: int) -> int:
        """The distance in characters across text[start:end], with a penalty for each line break."""
        return end - start + _LINE * (bisect_left(self.lines, end) - bisect_left(self.lines, start))


def features(context: QuestionContext, answer: str, log_probabilities: Sequence[float]) -> Features:
    """The features of one answer: the decoder's in nats, the others in 0..1 or 0..2."""
    decoded = {
        "log_probability": sum(log_probabilities),
        "mean_log_probability": sum(log_probabilities) / len(log_probabilities),
        "least_log_probability": min(log_probabilities),
    }
    if answer == NOT_IN_DOCUMENT:
        return decoded | {"refuses": 1.0, "covered": context.share(dict.fromkeys((p[0] for p in context.places), 1.0))}
    answered = plain_letters(answer)
    judged = side(answer)
    decoded |= {f"says_{judged}": 1.0} if judged and len(answered.split()) <= _LONGEST_JUDGEMENT else {}
    return (
        decoded
        | _wording(context, answered)
        | _proximity_features(context, answered)
        | _cell_features(context, answered)
    )


def _wording(context: QuestionContext, answer: str) -> Features:
    """Features of the wording: whether it only repeats the question, and whether it ends in mid-phrase."""
    words = _WORD.findall(answer)
    content = [_prefix(word) for word in words if word not in STOP_WORDS]
    repeated = sum(word in context.all_words for word in content) / len(content) if content else 1.0
    return {
        "repeats": 0.0 if context.offers_answers else repeated,
        "only_repeats": float(repeated == 1.0 and not context.offers_answers),
        "length": min(len(words), 15) / 10,
        "ends_open": float(bool(words) and words[-1] in STOP_WORDS),
        "unbalanced": float(answer.count("(") != answer.count(")") or answer.count('"') % 2 == 1),
    }


def _proximity_features(context: QuestionContext, answer: str) -> Features:
    """Whether the answer is in the text verbatim, and how near to the question's words its best occurrence is."""
    places = list(_places(context.text, answer))
    whole = [place for place in places if _is_whole_words(context.text, *place)]
    found = {"verbatim": float(bool(places)), "whole_words": float(bool(whole))}
    near = [_proximity(context, *place) for place in (whole or places)[:_MOST_PLACES]]
    return found | {name: max(one[name] for one in near) for name in (near[0] if near else ())}


def _cell_features(context: QuestionContext, answer: str) -> Features:
    """How well the question names the cell that the answer stands in, among those that it names; none in plain text."""
    if not context.best_cells:
        return {}
    best = context.best_cells[0].score
    mine = max((one for one in context.cells if _is_in(answer, one)), key=lambda one: one.score, default=None)
    if mine is None:
        return {"no_cell": 1.0}
    is_best = mine.score == best
    return {
        "cell": max(-1.0, mine.score / best),
        "cell_row": float(mine.row > 0),
        "cell_column": float(mine.column > 0),
        "best_cell": float(is_best and mine.column > 0),
        "best_of_row": float(is_best and mine.column == 0),
    }


def _is_in(answer: str, named: NamedCell) -> bool:
    value = plain_letters(named.cell.value)
    return any(_is_whole_words(value, *place) for place in _places(value, answer))


def _places(text: str, answer: str) -> Iterator[tuple[int, int]]:
    """The occurrences [start, end) of the answer in the text."""
    start = text.find(answer) if answer else -1
    while start >= 0:
        yield start, start + len(answer)
        start = text.find(answer, start + 1)


def _is_whole_words(text: str, start: int, end: int) -> bool:
    """Whether text[start:end] begins and ends at word boundaries."""
    return not any(0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum() for at in (start, end))


def _proximity(context: QuestionContext, start: int, end: int) -> Features:
    """The proximity of the question's words to text[start:end], each at its nearest, and of those in its sentence."""
    distances: dict[str, int] = {}
    for word, first, last in context.places:
        if last <= start or first >= end:
            distance = context.distance(last, start) if last <= start else context.distance(end, first)
            distances[word] = min(distances.get(word, distance), distance)
    begins = max((place for place in context.sentences if place <= start), default=0)
    ends = min((place for place in context.sentences if place > start), default=len(context.text) + 1)
    beside = {
        word for word, first, last in context.places if begins <= first < ends and (last <= start or first >= end)
    }
    near = {
        name: context.share({word: math.exp(-distance / size) for word, distance in distances.items()})
        for name, size in _DISTANCES.items()
    }
    return near | {"in_sentence": context.share(dict.fromkeys(beside, 1.0))}


def _prefix(word: str) -> str:
    return word[:_PREFIX]
