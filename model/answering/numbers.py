"""Numbers as the cells of a table's column have them, whatever separates their thousands and decimals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_NUMBER = re.compile(
    r"\s*(?P<minus>[-−–(]?)\s*(?:[A-Z]{0,3}[$€£¥₹]|EUR|USD|CHF|GBP|Rs\.?|~|approx\.?)?\s*(?P<inner>[-−–]?)"
    r"(?P<digits>\d[\d.,'’ \u00a0\u202f]*)(?P<rest>\D{0,14})"
)
_SPACES = re.compile(r"['’ \u00a0\u202f]")
_UNIT = re.compile(r"[^\W_]+|%")


class Amount(NamedTuple):
    """A number and what it counts: "%", "kg", "million", or nothing. Only amounts of one unit can be compared."""

    value: float
    unit: str


def amounts(cells: Sequence[str]) -> list[Amount | None]:
    """The number that each cell consists of, beside a currency, a unit or a mark; None where it is something else.

    What a full stop or a comma means is told by the whole column: it parts thousands if three digits stand behind it
    everywhere, and no number begins with a zero before it.
    """
    found = [_NUMBER.fullmatch(cell) for cell in cells]
    digits = ["" if one is None else _SPACES.sub("", one["digits"]).rstrip(".,") for one in found]
    decimal = _decimal_sign([one for one in digits if one])
    return [
        None if one is None else Amount(_value(number, decimal, negative=_is_negative(one)), _unit(one))
        for one, number in zip(found, digits, strict=True)
    ]


def _decimal_sign(numbers: Sequence[str]) -> str:
    """The sign before decimals; empty where no number of the column has any."""
    for number in numbers:
        if len(set(re.findall(r"[.,]", number))) == 2:
            return max(",.", key=number.rfind)
    signs = [sign for number in numbers for sign in re.findall(r"[.,]", number)[:1] if not _has_thousands(number, sign)]
    return signs[0] if signs else ""


def _has_thousands(number: str, sign: str) -> bool:
    first, *groups = number.split(sign)
    return all(len(group) == 3 for group in groups) and 1 <= len(first) <= 3 and first != "0"


def _value(number: str, decimal: str, *, negative: bool) -> float:
    whole, _, decimals = number.rpartition(decimal) if decimal and decimal in number else (number, "", "0")
    value = float(re.sub(r"[.,]", "", whole or "0") + "." + decimals)
    return -value if negative else value


def _is_negative(found: re.Match[str]) -> bool:
    return bool(found["minus"] or found["inner"])


def _unit(found: re.Match[str]) -> str:
    return " ".join(_UNIT.findall(found["rest"].lower()))
