"""Comparisons that a table decides: which of its rows has the most of a column, or which of two has more.

A question such as "Which region sold most?" names a column and a direction. The decoder sees a few rows and reads no
numbers; the column is read here instead, and the answer is a row's label with its value. It is given only where every
word of the question is accounted for: by the column's heading, by the labels, or by the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from model.answering.numbers import Amount, amounts
from model.answering.table_cells import compared_words, is_among
from model.answering.table_columns import PlacedCell, WholeTable, answer_from
from model.answering.table_question import TableQuestion
from model.answering.words import plain_letters
from model.types import Answer, Document

# In plain letters, of the page's languages.
_MOST = re.compile(
    r"\b(most|highest|largest|biggest|greatest|maximum|longest|tallest|heaviest|widest|best|meisten?"
    r"|(?:hoch|gross|groß|lang|teuer)s?te[nrsm]?|l(?:e|a|es) plus|plus (?:eleve|grand|haut|important|cher|long)e?s?"
    r"|mayor(?:es)?|mas (?:alt|grande|car|larg)[oa]?s?|maximo)\b|最高|最大|最多|最长"
)
_LEAST = re.compile(
    r"\b(least|fewest|lowest|smallest|minimum|shortest|cheapest|lightest|(?:niedrig|klein|gering|kurze|billig|gunstig)"
    r"ste[nrsm]?|wenigsten?|le moins|plus (?:bas|petit|faible|court)(?:s?e)?s?|menor(?:es)?|menos"
    r"|mas (?:baj|pequen|barat|cort)[oa]?s?|minimo)\b|最低|最小|最少|最短"
)
_MORE = re.compile(
    r"\b(more|higher|larger|bigger|greater|longer|taller|heavier|wider|mehr|hoher[enrs]*|gro(?:ss|ß)er[enrs]*|plus|mas"
    r"|mayor)\b|更高|更多|更大"
)
_LESS = re.compile(
    r"\b(less|fewer|lower|smaller|shorter|cheaper|lighter|weniger|niedriger[enrs]*|kleiner[enrs]*|moins|menos|menor)\b"
    r"|更低|更少|更小"
)
_ANOTHER = re.compile(  # "at least", "the second highest", and what asks for yes or no, or for how much
    r"^(?:is|are|was|were|do|does|did|has|have|ist|sind|war|hat|haben|est-ce|es|son)\b"
    r"|\b(?:at (?:least|most)|mindestens|hochstens|au (?:moins|plus)|al menos|second|third|next|after|zweit|dritt|nach"
    r"|apres|segund[oa]|how (?:much|many)|by how|wie ?viele?|um wie|combien|cuant[oa]s?)"
)
_ASKING = re.compile(  # for a label; "highest price" alone asks for a value
    r"\b(?:which|what|where|who|when|welche[rsnm]?|wer|wo|wann|quel(?:le)?s?|qui|ou|quand|cual|quien|donde|cuando)\b"
    r"|[哪谁何]|什么"
)
_BETWEEN_TWO = re.compile(r"\b(?:or|oder|ou|o|than|als|que)\b|还是")
_NOUN = re.compile(r"\b(?:which|what|welche[rsnm]?|quel(?:le)?s?|que|cual)\s+(?:of (?:the|all|these)\s+)?(\w+)")
_TOKEN = re.compile(r"\w+")
_EMPTY = frozenset(
    re.findall(
        r"\w+",
        "table tabelle tableau tabla list liste lista value values named given listed according one has have had "
        "number share date there than compared among between get gets got who where when hat hatte hatten haben gibt "
        "tiene tienen avait ont",
    )
)
_ALL = re.compile(
    r"\b(?:sub)?totals?\b|\b(?:all|sum|average|mean|median|overall|gesamt|summe|insgesamt|durchschnitt|moyenne|ensemble"
    r"|todos|media|suma)\b|合计|总计"
)
_PERIODS = re.compile(r"(?:19|20)\d\d|\b(?:jan|feb|mar|apr|may|mai|jun|jul|aug|sep|o[ck]t|nov|de[cz]|q[1-4])", re.I)
_TIMES = re.compile(r"years?|months?|quarters?|jahr|monat|quartal|annee|mois|trimestre|ano|mes")
_RIGHT = 0.8  # share of such answers that were right: 8 of 10, of 6,774 questions about 234 documents
_LEAST_NUMERIC = 0.6  # share of a column's cells
_NOWHERE = 1  # words that not even the page has ("needs"), in a question that names two labels
_UNNAMED = 0.15  # what a word costs that a heading has and the question does not
_ELSEWHERE = 0.3  # what a word of the question costs that only the page has


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comparison:
    """What a question compares.

    tokens: all of its words in plain letters, as they are. of_two: whether it compares two things alone.
    """

    question: TableQuestion
    tokens: frozenset[str]
    wants_most: bool
    of_two: bool

    @classmethod
    def of(cls, question: str) -> _Comparison | None:
        """None where nothing is compared, or more than one column decides."""
        plain = plain_letters(question)
        most, least = _MOST.search(plain), _LEAST.search(plain)
        of_two = not (most or least) and _BETWEEN_TWO.search(plain) is not None
        more, less = _MORE.search(plain), _LESS.search(plain)
        up, down = (more, less) if of_two else (most, least)
        if _ANOTHER.search(plain) or bool(up) == bool(down) or not _ASKING.search(plain):
            return None
        for pattern in (_MOST, _LEAST, _MORE, _LESS):
            plain = pattern.sub(" ", plain)
        return cls(
            question=TableQuestion.of(plain, noun=_NOUN, empty=_EMPTY),
            tokens=frozenset(_TOKEN.findall(plain)),
            wants_most=bool(up),
            of_two=of_two,
        )

    def names(self, label: str) -> bool:
        """Whether the question has all words of a label."""
        words = compared_words(label)
        if not words:  # "May" is a stop word
            return bool(label) and self.tokens.issuperset(_TOKEN.findall(plain_letters(label)))
        return self.question.has_all(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A value that may be compared, and what it is of."""

    label: str
    amount: Amount
    source: PlacedCell

    @property
    def text(self) -> str:
        return f"{self.label} ({self.source.cell.value})"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """Values of one kind: a column of a table under its heading, or a row of it under its label."""

    heading: str
    entries: tuple[_Entry, ...]
    page_words: frozenset[str]
    is_row: bool


def comparison(question: str, documents: Sequence[Document], tables: Iterable[WholeTable]) -> Answer | None:
    """What a question compares, read off the column of a table that it names; None where it names none.

    tables: the documents'.
    The answer has the row that is asked for, of two things both, each as its label and its value.
    """
    asked = _Comparison.of(question)
    if asked is None:
        return None
    found = ((score, column) for column in _columns(tables) if (score := _fit(asked, column)) is not None)
    best = max(found, key=lambda pair: pair[0], default=None)
    if best is None:
        return None
    ranked = sorted(_compared(asked, best[1]), key=lambda one: one.amount.value, reverse=asked.wants_most)
    chosen = ranked if asked.of_two else ranked[:1]
    return answer_from(
        question, "; ".join(one.text for one in chosen), [one.source for one in chosen], documents, _RIGHT
    )


def _fit(asked: _Comparison, column: _Column) -> float | None:
    """How well a question names a column; None where it does not, or the column does not decide it."""
    entries = _compared(asked, column)
    values = [one.amount.value for one in entries]
    best = (max if asked.wants_most else min)(values, default=0.0)
    if len(entries) < 2 or values.count(best) > 1 or len({one.amount.unit for one in entries}) > 1:
        return None
    question, heading = asked.question, compared_words(column.heading)
    named = question.named(heading)
    in_labels = frozenset().union(*(compared_words(one.label) for one in entries)) if asked.of_two else frozenset()
    labels = question.named(in_labels)
    if not named or not _may_be_asked_for(asked, column, entries):
        return None
    rest = question.words - named - labels - {question.noun}
    nowhere = [word for word in rest if not is_among(word, column.page_words)]
    if len(nowhere) > (_NOWHERE if asked.of_two else 0):
        return None
    unnamed = sum(not is_among(word, question.words) for word in heading)
    return len(named) + len(labels) - _ELSEWHERE * len(rest) - _UNNAMED * unnamed


def _compared(asked: _Comparison, column: _Column) -> list[_Entry]:
    """All entries but sums, each once; of two things, those that the question names."""
    unique = {(one.label, one.amount): one for one in column.entries if not _ALL.search(plain_letters(one.label))}
    entries = list(unique.values())
    if not asked.of_two:
        return entries
    named = [one for one in entries if asked.names(one.label)]
    words = [frozenset(_TOKEN.findall(plain_letters(one.label))) for one in named]
    longest = [one for one, mine in zip(named, words, strict=True) if not any(mine < other for other in words)]
    return longest if len(longest) == 2 and longest[0].label != longest[1].label else []


def _may_be_asked_for(asked: _Comparison, column: _Column, entries: Sequence[_Entry]) -> bool:
    """Whether the labels may be what a question asks for: "In which year ..." wants labels that are years.

    The headings over a row say what they are; the labels beside a column seldom do.
    """
    if asked.of_two:
        return True
    noun = asked.question.noun
    if _TIMES.fullmatch(noun):
        return all(_PERIODS.search(plain_letters(one.label)) for one in entries)
    if not column.is_row:
        return True
    labels = [compared_words(one.label) for one in entries]
    return bool(noun) and all(is_among(noun, words) for words in labels)


def _columns(tables: Iterable[WholeTable]) -> Iterator[_Column]:
    """All columns and rows of tables that consist of numbers."""
    for table in tables:
        for heading, cells in table.columns.items():
            entries = _entries([(one.cell.row, one) for one in cells])
            yield _Column(heading=heading, entries=entries, page_words=table.page_words, is_row=False)
        for row in table.rows:
            entries = _entries([(one.cell.column, one) for one in row])
            yield _Column(heading=row[0].cell.row, entries=entries, page_words=table.page_words, is_row=True)


def _entries(cells: Sequence[tuple[str, PlacedCell]]) -> tuple[_Entry, ...]:
    """The cells that have a label and a number; none where too many others have no number."""
    found = amounts([one.cell.value for _, one in cells])
    entries = tuple(
        _Entry(label=label, amount=number, source=one)
        for (label, one), number in zip(cells, found, strict=True)
        if label and number is not None
    )
    return entries if len(entries) >= _LEAST_NUMERIC * len(cells) else ()
