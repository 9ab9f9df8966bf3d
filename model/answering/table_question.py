"""What a question asks a table for: its words, and the noun behind "which" or "how many"."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from model.answering.table_cells import compared_words, is_among


@dataclass(frozen=True, slots=True, kw_only=True)
class TableQuestion:
    """The words of a question that a table has to account for.

    words: in plain letters, without those that only ask. noun: what is asked for ("region" of "Which region ..."), or
    "" where the question does not say.
    """

    words: frozenset[str]
    noun: str

    @classmethod
    def of(cls, plain: str, *, noun: re.Pattern[str], empty: frozenset[str]) -> TableQuestion:
        """plain: the question in plain letters. noun: finds the noun, as its group. empty: words that only ask."""
        found = noun.search(plain)
        return cls(words=compared_words(plain) - empty, noun=found[1] if found else "")

    def named(self, words: Collection[str]) -> frozenset[str]:
        """The question's words that some of these are forms of."""
        return frozenset(word for word in self.words if is_among(word, words))

    def has_all(self, words: Collection[str]) -> bool:
        """Whether the question has a form of each of these words; of none, it has not."""
        return bool(words) and all(is_among(word, self.words) for word in words)
