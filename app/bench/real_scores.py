"""Whether an answer about a real document is right, by its kind, and the figures of many answers.

Approximate, since people may say the same in other words. The rules, for each accepted answer: the given one is its
equal; or holds it and is not much longer; or is its larger half; or shares two thirds of its words (F1). An answer that
is a figure may hold no number that stands neither in the accepted ones, nor in the question, nor in the label of the
row. Of a judgement the first word decides. What is said of a whole text needs a third of the words.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.bench.real_rows import RealQuestion
from app.bench.scores import refuses
from model.answering.judgements import NO, YES

EXACT_KINDS = frozenset(("table-cell", "number", "date", "count"))
OPEN_KINDS = frozenset(("whole-document", "instruction", "section"))
ARTICLES = frozenset(("the", "a", "an", "of", "der", "die", "das", "le", "la", "les", "el", "los"))

_SAME = 2 / 3  # F1 of words, from which on an answer says the same
_OF_A_WHOLE = 1 / 3  # the same, of a summary or a list of reasons
_LONGER = 12  # words that an answer may have beside twice those of an accepted one
_GROUPED = re.compile(r"(?<=\d)[,.'’\s\u202f](?=\d{3}\b)")
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")
_UNSPACED = re.compile(r"[一-鿿぀-ヿ가-힣]")
_WORD = re.compile(r"\d+(?:\.\d+)?|[^\W\d_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a question: its answer, the pages of its evidence (best first), and whether it bore a mark.

    has_pages: whether its document has several. failed: why there is no answer at all: a file that cannot be read.
    """

    question: RealQuestion
    has_pages: bool = False
    text: str = ""
    pages: tuple[int, ...] = ()
    doubtful: bool = False
    confidence: float = 0.0
    found: bool = True
    is_rated: bool = False  # its confidence is calibrated; remarks of ours are not
    failed: str = ""

    @property
    def refused(self) -> bool:
        return not self.failed and (not self.found or not self.text.strip() or refuses(self.text))

    @property
    def right(self) -> bool:
        if self.failed:
            return False
        if self.refused or not self.question.answers:
            return self.refused and not self.question.answers
        return says(self.text, self.question)

    @property
    def is_placed(self) -> bool:
        """Whether its first evidence page is told, and the right ones are known."""
        return self.given and self.has_pages and bool(self.question.pages)

    @property
    def page_is_right(self) -> bool:
        return bool(self.pages) and self.pages[0] in self.question.pages

    @property
    def given(self) -> bool:
        """Whether something was answered, right or wrong."""
        return not self.failed and not self.refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Of so many questions: how many were answered rightly, refused, and answered wrongly or not at all."""

    rows: int
    right: int
    refused: int
    wrong: int

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Tally:
        found = list(outcomes)
        right, refused = sum(one.right for one in found), sum(one.refused for one in found)
        wrong = sum(not one.right and not one.refused for one in found)
        return cls(rows=len(found), right=right, refused=refused, wrong=wrong)


def says(text: str, question: RealQuestion) -> bool:
    """Whether an answer says what one of the accepted ones says, by the rules of the question's kind."""
    given = words(text)
    if not given:  # signs alone, such as "±"
        return any(text.strip() == answer.strip() for answer in question.answers)
    if question.kind in EXACT_KINDS and not _figures(text) <= _allowed_figures(question):
        return False
    return any(_agrees(given, wanted, question.kind) for answer in question.answers if (wanted := words(answer)))


def side(question: RealQuestion) -> str | None:
    """Which judgement a question wants, "yes" or "no"; None where it wants none."""
    first = (words(question.answers[0]) or [""])[0] if question.answers and question.kind == "yes-no" else ""
    return "yes" if first in YES else "no" if first in NO else None


def words(text: str) -> list[str]:
    """Words and numbers in one form: no case, no articles, no thousands' separators, no trailing zeros."""
    plain = unicodedata.normalize("NFKC", text).lower()
    plain = _DECIMAL_COMMA.sub(".", _GROUPED.sub("", plain))
    plain = _UNSPACED.sub(r" \g<0> ", plain)
    found = (word.rstrip("0").rstrip(".") if "." in word else word for word in _WORD.findall(plain))
    return [word for word in found if word not in ARTICLES]


def shared(one: Sequence[str], other: Sequence[str]) -> float:
    """F1 of words, counted with repetition."""
    common = (Counter(one) & Counter(other)).total()
    return 2 * common / (len(one) + len(other)) if common else 0.0


def _agrees(given: list[str], wanted: list[str], kind: str) -> bool:
    if kind == "yes-no" and wanted[0] in YES | NO:
        return any({given[0], wanted[0]} <= judgement for judgement in (YES, NO))
    if kind in OPEN_KINDS and shared(wanted, given) >= _OF_A_WHOLE:
        return True
    holds = _inside(wanted, given) and len(given) <= 2 * len(wanted) + _LONGER
    is_most_of = _inside(given, wanted) and 2 * len(given) > len(wanted)
    return given == wanted or holds or is_most_of or shared(wanted, given) >= _SAME


def _inside(small: Sequence[str], large: Sequence[str]) -> bool:
    return any(large[at : at + len(small)] == small for at in range(len(large) - len(small) + 1))


def _figures(*texts: str) -> set[str]:
    return {word for text in texts for word in words(text) if word[0].isdigit()}


def _allowed_figures(question: RealQuestion) -> set[str]:
    label, bar, _ = question.quote.partition("|")
    return _figures(*question.answers, question.question, label if bar else "")
