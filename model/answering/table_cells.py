"""How well a question names the cells of tables.

A question about a cell names its row and its column, and seldom anything that stands beside the value: in a row that is
written as a line (`table_rows.py`) the nearest words are often another cell's.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from model.answering.stop_words import STOP_WORDS
from model.answering.table_rows import LabelledCell
from model.answering.words import UNSPACED, character_pairs, plain_letters

_WORD = re.compile(r"[^\W_]+")
_PREFIX, _SHORTEST = 5, 3  # characters of words that are compared; a word may be cut to so many ("Feb")
_EARLIER = 0.5  # weight of a word of the turn before
_EXTRA = 0.15  # of a word's weight: what a word costs that a label has and the question does not
_LEAST = 0.5  # of the best cell's score
_MOST_OF_A_ROW = 3  # cells of a row that is named without a column: the decoder chooses among them
_ASKED_FOR = {  # what a question asks for and a heading announces, in the page's languages
    "number": re.compile(r"\b(how many|number|no|nos|n|count|anzahl|wie viele?|nombre|combien|numero|cuant[oa]s)\b"),
    "share": re.compile(r"%|\b(percent|prozent|pourcent|porcent)"),
    "date": re.compile(r"\b(when|dates?|wann|datum|quand|cuando|fecha)\b"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCell:
    """A cell, and how well a question names it. Words weigh the more, the fewer labels have them.

    row, column: weight of the question's words in them. extra: of their words that the question does not have. asked:
    of the question's words in the value, which is then what the question knows, not what it asks for. row_is_whole:
    whether the question has all words of the row's label.
    """

    cell: LabelledCell
    row: float
    column: float
    extra: float
    asked: float
    row_is_whole: bool

    @property
    def score(self) -> float:
        return self.row + self.column - _EXTRA * self.extra - self.asked


def named_cells(cells: Sequence[LabelledCell], question: str, earlier: str = "") -> list[NamedCell]:
    """How well a question names each cell. earlier: the turn before, if the question leans on it ("And in 2005?")."""
    asked = dict.fromkeys(compared_words(earlier), _EARLIER) | dict.fromkeys(compared_words(question), 1.0)
    rows, columns = (_Labels.of(labels, asked) for labels in ({c.row for c in cells}, {c.column for c in cells}))
    return [_named(cell, asked, rows, columns) for cell in cells]


def best_named(cells: Sequence[NamedCell], most: int | None = None) -> list[NamedCell]:
    """The cells that a question names best, the best first, each value once; at most so many.

    None where it names only a column, which is true of many cells; or only a row, unless its label stands whole in the
    question and it has few cells.
    """
    in_row = Counter(one.cell.row for one in cells)
    best: dict[str, NamedCell] = {}
    for one in sorted(cells, key=lambda one: -one.score):
        whole = one.row_is_whole and in_row[one.cell.row] <= _MOST_OF_A_ROW
        if one.row > 0 and one.score > 0 and (one.column > 0 or whole):
            best.setdefault(one.cell.value, one)
    found = list(best.values())[:most]
    return [one for one in found if one.score >= _LEAST * found[0].score]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Labels:
    """The words of labels: how rare each is, and the weight of those that a question has, too."""

    rarity: Mapping[str, float]
    asked: Mapping[str, float]

    @classmethod
    def of(cls, labels: set[str], asked: Mapping[str, float]) -> _Labels:
        having = Counter(word for label in labels for word in compared_words(label))
        shared = {word: max((asked[one] for one in asked if is_same_word(word, one)), default=0.0) for word in having}
        rarity = {word: math.log(1 + len(labels) / count) for word, count in having.items()}
        return cls(rarity=rarity, asked={word: rarity[word] * much for word, much in shared.items() if much})


def _named(cell: LabelledCell, asked: Mapping[str, float], rows: _Labels, columns: _Labels) -> NamedCell:
    row, column = compared_words(cell.row), compared_words(cell.column)
    extra_row = [rows.rarity[word] for word in row - rows.asked.keys()]
    extra_column = [columns.rarity[word] for word in column - columns.asked.keys()]
    known = [much for word, much in asked.items() if is_among(word, compared_words(cell.value))]
    return NamedCell(
        cell=cell,
        row=sum(rows.asked.get(word, 0.0) for word in row),
        column=sum(columns.asked.get(word, 0.0) for word in column - row),
        extra=sum(extra_row) + sum(extra_column),
        asked=sum(known),
        row_is_whole=not extra_row,
    )


def compared_words(text: str) -> frozenset[str]:
    """A text's content words in plain letters, and the kind of thing that it asks for or announces."""
    plain = plain_letters(text)
    words = {part for word in _WORD.findall(plain) if word not in STOP_WORDS for part in _parts(word)}
    return frozenset(words | {kind for kind, pattern in _ASKED_FOR.items() if pattern.search(plain)})


def _parts(word: str) -> Iterable[str]:
    return character_pairs(word) if UNSPACED.search(word) else (word,)


def is_among(word: str, words: Iterable[str]) -> bool:
    """Whether some of the words is a form of this one."""
    return any(is_same_word(word, one) for one in words)


def is_same_word(one: str, other: str) -> bool:
    """Whether two words are forms of the same: letters agree as far as both have them, figures are equal."""
    if one == other:
        return True
    shorter, longer = sorted((one, other), key=len)
    return len(shorter) >= _SHORTEST and shorter.isalpha() and longer.startswith(shorter[:_PREFIX])
