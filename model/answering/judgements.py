"""Answers that judge: yes or no, in the languages that people ask in."""

from __future__ import annotations

import re
from typing import Literal

YES = frozenset(
    ("yes", "ja", "oui", "si", "sí", "tak", "是", "sim", "نعم", "예", "כן", "áno", "بله", "evet", "ano", "jah", "はい",
     "да")
)  # fmt: skip
NO = frozenset(
    ("no", "nein", "non", "nie", "否", "不", "nee", "não", "لا", "아니오", "לא", "hayır", "ne", "ei", "nej", "いいえ",
     "нет")
)  # fmt: skip
_FIRST_WORD = re.compile(r"\W*([^\W\d_]+)[.,!。，;:]?(?:\s|$)")

Side = Literal["yes", "no"]


def side(answer: str) -> Side | None:
    """Which judgement an answer begins with; None where it judges nothing."""
    first = _FIRST_WORD.match(answer.lower())
    if first is None:
        return None
    return "yes" if first[1] in YES else "no" if first[1] in NO else None
