"""The fields of a message's header, each held to its type and range."""

from typing import Any, TypeVar

LONGEST_MESSAGE = 4_000  # characters of an error

Choice = TypeVar("Choice", bound=str)


class MalformedMessage(ValueError):
    """Nothing that a worker of ours would say."""


class Fields:
    """The fields of a header, taken out one by one."""

    def __init__(self, header: dict[str, Any]) -> None:
        self._left = dict(header)

    def text(self, name: str, longest: int) -> str:
        value = self._take(name, str)
        if len(value) > longest or not value.isprintable():
            raise MalformedMessage(name)
        return value

    def integer(self, name: str, least: int, most: int) -> int:
        value = self._take(name, int)
        if not least <= value <= most:
            raise MalformedMessage(name)
        return value

    def number(self, name: str, least: float, most: float) -> float:
        value = self._take(name, (int, float))
        if not least <= value <= most:  # nor is NaN
            raise MalformedMessage(name)
        return float(value)

    def flag(self, name: str) -> bool:
        return self._take(name, bool)

    def one_of(self, name: str, choices: tuple[Choice, ...]) -> Choice:
        return _one_of(self._take(name, str), choices)

    def some_of(self, name: str, choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
        values = self._take(name, list)
        if len(values) > len(choices):
            raise MalformedMessage(name)
        return tuple(_one_of(value, choices) for value in values)

    def fields(self, name: str) -> "Fields":
        return Fields(self._take(name, dict))

    def mapping(self, name: str, most: int) -> dict[str, Any]:
        value = self._take(name, dict)
        if len(value) > most:
            raise MalformedMessage(name)
        return value

    def lines(self, name: str) -> tuple[str, ...]:
        values = self._take(name, list)
        return tuple(Fields({name: value}).text(name, LONGEST_MESSAGE) for value in values)

    def check_all_read(self) -> None:
        if self._left:
            raise MalformedMessage(", ".join(self._left))

    def _take(self, name: str, kinds: type | tuple[type, ...]) -> Any:
        value = self._left.pop(name, None)
        if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
            raise MalformedMessage(name)
        return value


def _one_of(value: object, choices: tuple[Choice, ...]) -> Choice:
    for choice in choices:
        if value == choice:
            return choice
    raise MalformedMessage(repr(value)[:100])
