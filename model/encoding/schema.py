"""Untrusted JSON -> a dataclass of exactly the types that it declares.

The dataclass is the schema: no field is missing and none is added, numbers are finite and within their `Range`, a whole
number is neither a float nor a truth value, and nothing is converted silently.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, is_dataclass
from functools import cache
from reprlib import repr as shortened
from typing import Annotated, Any, Literal, Protocol, TypeVar, get_args, get_origin, get_type_hints

from model.errors import Message

_ROOT = "header"
_Value = TypeVar("_Value")


class Rule(Protocol):
    """What a field's annotation demands of its value, beside the type: `Annotated[int, Range(1, 9)]`."""

    def problem(self, value: Any, /) -> str:
        """What is wrong with the value, as the end of a sentence; empty where nothing is."""


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds of a number, or of a text's length; both are included."""

    least: float
    most: float

    def problem(self, value: float | str) -> str:
        size = len(value) if isinstance(value, str) else value
        if self.least <= size <= self.most:
            return ""
        unit = " characters" if isinstance(value, str) else ""
        return f"is {shortened(size)}{unit}, not {self.least:,} to {self.most:,}"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression that a whole text has to match, and what such a text is called."""

    expression: str
    meaning: str

    def problem(self, value: str) -> str:
        return "" if re.fullmatch(self.expression, value) else f"is {shortened(value)}, not {self.meaning}"


def parse_json(schema: type[_Value], text: str) -> _Value:
    """The dataclass that the text describes. Raises ValueError for any other text, and says where it differs."""
    return parse_value(schema, load_json(text))


def parse_value(schema: type[_Value], value: Any) -> _Value:
    """As `parse_json`, of JSON that is loaded already."""
    parsed: _Value = _parsed(schema, value, _ROOT)
    return parsed


def load_json(text: str | bytes) -> Any:
    """What the text says in no other way than one. Raises ValueError where it is no JSON, or is nested too deeply."""
    try:
        return json.loads(text, object_pairs_hook=_without_repetition, parse_constant=_not_finite)
    except RecursionError:  # the parser's own limit, which protects the stack
        raise ValueError("its header is nested too deeply") from None


def _parsed(schema: Any, value: Any, name: str) -> Any:
    origin, arguments = get_origin(schema), get_args(schema)
    if origin is Annotated:
        return _ruled(_parsed(arguments[0], value, name), arguments[1], name)
    if origin is tuple:  # of any length, `tuple[Page, ...]`
        items = _typed(value, list, "a list", name)
        return tuple(_parsed(arguments[0], item, f"{name}[{index}]") for index, item in enumerate(items))
    if origin is Literal:
        if not isinstance(value, str) or value not in arguments:
            raise ValueError(f"{name} is {shortened(value)}, not one of {', '.join(arguments)}")
        return value
    if is_dataclass(schema):
        return _object(schema, _typed(value, dict, "an object", name), name)
    return _SCALARS[schema](value, name)


def _object(schema: Any, value: dict[str, Any], name: str) -> Any:
    hints = _hints(schema)
    for problem, names in (("lacks", hints.keys() - value.keys()), ("has an unknown", value.keys() - hints.keys())):
        if names:
            raise ValueError(f"{name} {problem} {shortened(min(names))}")
    return schema(**{field: _parsed(hint, value[field], f"{name}.{field}") for field, hint in hints.items()})


@cache
def _hints(schema: type) -> dict[str, Any]:
    """Resolving them takes longer than parsing a page."""
    return get_type_hints(schema, include_extras=True)


def _ruled(value: Any, rule: Rule, name: str) -> Any:
    if problem := rule.problem(value):
        raise ValueError(f"{name} {problem}")
    return value


def _typed(value: Any, kind: type, meaning: str, name: str) -> Any:
    if type(value) is not kind:  # True is an int to isinstance
        raise ValueError(f"{name} is {shortened(value)}, not {meaning}")
    return value


def _whole(value: Any, name: str) -> int:
    number: int = _typed(value, int, "a whole number", name)
    return number


def _number(value: Any, name: str) -> float:
    if type(value) not in (int, float) or not abs(value) <= sys.float_info.max:  # of NaN no comparison holds
        raise ValueError(f"{name} is {shortened(value)}, not a finite number")
    return float(value)


def _text(value: Any, name: str) -> str:
    text: str = _typed(value, str, "a text", name)
    if not text.isascii() and re.search("[\ud800-\udfff]", text):  # JSON may spell one, UTF-8 may not
        raise ValueError(f"{name} holds a lone surrogate, which is no character")
    return text


def _truth(value: Any, name: str) -> bool:
    truth: bool = _typed(value, bool, "true or false", name)
    return truth


def _message(value: Any, name: str) -> Message:
    return Message(_text(value, name))


_SCALARS = {int: _whole, float: _number, str: _text, bool: _truth, Message: _message}


def _without_repetition(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """One of two fields of the same name would win, and another reader may take the other one."""
    value = dict(pairs)
    if len(value) < len(pairs):
        ((name, times),) = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"an object of its header has {times} fields of the name {shortened(name)}")
    return value


def _not_finite(constant: str) -> float:
    raise ValueError(f"its header holds {constant}, which is no number of JSON")
