"""The one error tree of the project.

    ReadonceError
    ├── DocumentError
    │   └── PasswordNeeded
    ├── CheckpointError
    ├── QuestionError
    ├── EncodingError
    ├── KernelError
    ├── LibraryError
    └── Cancelled

A message says what is wrong, the actual value, and the fix. Only the page's handlers turn one into `gr.Error`,
only the command line turns one into an exit status.

It is a template and its values, so that it can be said in another language: `raise DocumentError("{name!r} has {n:,}
pages.", name=name, n=count)`. Each place of the template is a value's name, with the format in which English shows it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

PLACE = re.compile(r"\{(?P<name>\w+)(?P<quoted>!r)?(?::(?P<format>,?(?:\.\d)?[fg%]?))?\}")

Value = str | int | float  # a text is somebody else's and stays as it is, unless it is a Message; a number is a number


class Message(str):
    """What a person is told: a text in English that remembers the template and the values it is made of."""

    template: str
    values: Mapping[str, Value]

    def __new__(cls, template: str = "", /, **values: object) -> Self:
        """A text without values is its own template, and a message is itself; other values than texts and numbers are
        taken as texts.
        """
        if isinstance(template, cls) and not values:
            return template
        kept = {name: value if isinstance(value, (str, int, float)) else str(value) for name, value in values.items()}
        message = super().__new__(cls, filled(template, kept, in_english))
        message.template, message.values = str(template), kept
        return message

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (self.template, dict(self.values))

    @property
    def key(self) -> str:
        """The template as catalogues of languages have it: places by their names alone, in quotes where it has them."""
        return PLACE.sub(
            lambda place: f"'{{{place['name']}}}'" if place["quoted"] else f"{{{place['name']}}}", self.template
        )

    @classmethod
    def joined(cls, separator: str, parts: Sequence[str]) -> Self:
        """Several messages as one."""
        values = {f"part_{index}": part for index, part in enumerate(parts)}
        return cls(separator.join(f"{{{name}}}" for name in values), **values)


def filled(template: str, values: Mapping[str, Value], shown: Callable[[Value, re.Match[str]], str]) -> str:
    """A template with what `shown` makes of the value of each place; a place without a value is text."""
    return PLACE.sub(
        lambda place: shown(values[place["name"]], place) if place["name"] in values else place[0], template
    )


def in_english(value: Value, place: re.Match[str]) -> str:
    """A value as it stands in the English text of a template."""
    text = value if isinstance(value, str) else format(value, place["format"] or "")
    return repr(text) if place["quoted"] else text


def _remade(template: str, values: Mapping[str, Value]) -> Message:
    return Message(template, **values)


NO_MESSAGE = Message()


class ReadonceError(Exception):
    """Anything that the person can do something about."""

    def __init__(self, template: str = "", /, **values: object) -> None:
        """A template and its values, or a whole message."""
        self.message = Message(template, **values)
        super().__init__(self.message)


class DocumentError(ReadonceError):
    """A file cannot be read as a document."""


class PasswordNeeded(DocumentError):
    """The document is encrypted and no password, or a wrong one, was given."""


class CheckpointError(ReadonceError):
    """A checkpoint cannot be found, fetched or used."""


class QuestionError(ReadonceError):
    """A question cannot be asked as it stands."""


class EncodingError(ReadonceError):
    """A saved encoding is damaged or belongs to another checkpoint."""


class KernelError(ReadonceError):
    """Native code cannot be compiled or loaded here; PyTorch's operations do the same more slowly."""


class LibraryError(ReadonceError):
    """The library on the disk cannot do what is asked: it is full, damaged, or off."""


class Cancelled(ReadonceError):
    """The person stopped the work; nothing is wrong."""


def raise_if_cancelled(cancelled: Callable[[], bool] | None, template: str, /, **values: object) -> None:
    """Raises Cancelled with this message where the person stopped the work."""
    if cancelled is not None and cancelled():
        raise Cancelled(template, **values)
