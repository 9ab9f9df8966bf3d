"""The rows of a table that have a value: "Which countries are rated low?", "How many people work in Sales?".

The decoder sees some rows and lists few of them. Here the column is read whole, and the answer is the labels of all
rows with the value that the question names. It is given only where every word of the question is accounted for: by the
value, by its column's heading, by the thing that is asked for, or by the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from model.answering.asking_words import EXCLUDING
from model.answering.table_cells import compared_words, is_among
from model.answering.table_columns import PlacedCell, WholeTable, answer_from
from model.answering.table_question import TableQuestion
from model.answering.words import plain_letters
from model.types import Answer, Document

# In plain letters, of the page's languages.
_LISTING = re.compile(
    r"^(?:please |bitte )?(?:which|who|what|list|name|give|show|welche[rsnm]?|wer|nenne|liste|quel(?:le)?s?|qui|cuales"
    r"|quien(?:es)?)\b|哪|谁|列出"
)
_COUNTING = re.compile(r"\b(?:how many|wie ?viele?|combien d|cuant[oa]s)\b|多少|几")
_NOUN = re.compile(
    r"\b(?:which|what|list|name|show|how many|welche[rsnm]?|nenne|wie ?viele?|quel(?:le)?s?|combien d\w*|cuant[oa]s)\s+"
    r"(?:(?:all|the|of|two|three|alle|die|der|les|los|las)\s+)*(\w+)"
)
_EMPTY = frozenset(
    re.findall(
        r"\w+",
        "which who what where viel viele combien "
        "list name names named give show us me all every number count how many have has had works "
        "work worked belong belongs come comes play plays rated marked called mentioned listed occur there table hat "
        "haben gibt arbeiten arbeitet sind ont travaillent tienen trabajan",
    )
)
_RIGHT = 0.8  # share of such answers that were right: 4 of 5, of 6,774 questions about 234 documents
_FEWEST_ROWS = 3  # of a table; of fewer the decoder sees all
_MOST_ROWS = 40  # that are listed, and of which places are named
_LONGEST_LIST = 200  # characters of labels that stand behind their number
_ELSEWHERE = 0.5  # what a word of the question costs that only the page has


@dataclass(frozen=True, slots=True, kw_only=True)
class _Selection:
    """What a question selects rows by. counts: whether it asks how many they are."""

    question: TableQuestion
    counts: bool

    @classmethod
    def of(cls, question: str) -> _Selection | None:
        """None where no rows are asked for, or those that do not have something."""
        plain = plain_letters(question).strip()
        counts = _COUNTING.search(plain) is not None
        if EXCLUDING.search(plain) or not (counts or _LISTING.search(plain)):
            return None
        return cls(question=TableQuestion.of(plain, noun=_NOUN, empty=_EMPTY), counts=counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Selected:
    score: float
    cells: Sequence[PlacedCell]  # those with the value


def selection(question: str, documents: Sequence[Document], tables: Iterable[WholeTable]) -> Answer | None:
    """The rows that have the value which a question names, or how many they are; None where it names none.

    tables: the documents'.
    """
    asked = _Selection.of(question)
    if asked is None or not asked.question.words:
        return None
    found = (one for table in tables if len(table.rows) >= _FEWEST_ROWS for one in _selected(asked, table))
    best = max(found, key=lambda one: one.score, default=None)
    if best is None:
        return None
    labels = list(dict.fromkeys(one.cell.row for one in best.cells))
    if len(labels) > _MOST_ROWS and not asked.counts:
        return None
    listed = "; ".join(labels)
    if asked.counts:
        text = f"{len(best.cells)} ({listed})" if len(listed) <= _LONGEST_LIST else str(len(best.cells))
    else:
        text = listed
    return answer_from(question, text, best.cells[:_MOST_ROWS], documents, _RIGHT)


def _selected(asked: _Selection, table: WholeTable) -> Iterator[_Selected]:
    for heading, cells in table.columns.items():
        having: dict[str, list[PlacedCell]] = {}
        for one in cells:
            having.setdefault(one.cell.value, []).append(one)
        for value, mine in having.items():
            score = _fit(asked, table, heading, value, mine) if 1 < len(mine) < len(cells) else None
            if score is not None:
                yield _Selected(score=score, cells=mine)


def _fit(asked: _Selection, table: WholeTable, heading: str, value: str, cells: Sequence[PlacedCell]) -> float | None:
    """How well a question names a value under a heading; None where it does not."""
    question, words = asked.question, compared_words(value)
    named = question.named(compared_words(heading))
    is_number = not any(map(str.isalpha, value))
    if not question.has_all(words) or (is_number and not named):
        return None
    if not all(one.cell.row for one in cells) or any(question.has_all(compared_words(one.cell.row)) for one in cells):
        return None  # the question knows the row, and asks for something else of it
    rest = {word for word in question.words - named - {question.noun} if not is_among(word, words)}
    if question.noun in named or (rest and asked.counts):  # "What accuracy counts as good?" asks of the column itself
        return None
    if not all(is_among(word, table.page_words) for word in rest):
        return None
    others = frozenset().union(*(compared_words(one) for one in table.columns if one != heading))
    on_the_page = sum(1 + is_among(word, others) for word in rest)
    score = len(words) + len(named) / 2 - _ELSEWHERE * on_the_page
    return score if score > 0 else None
