"""Messages for people on their way from a worker: the template, and its values as they are typed."""

from typing import Any

from app.documents.wire_fields import LONGEST_MESSAGE, Fields, MalformedMessage
from model.errors import Message, Value

MOST_VALUES = 100  # of one message: an archive tells of each file in it
DEEPEST = 16  # messages within a message
_LONGEST_NAME = 40  # characters of a value's name


def printable(text: str) -> str:
    """The text as one line of bounded length."""
    return "".join(char if char.isprintable() else " " for char in text[:LONGEST_MESSAGE])


def packed_message(message: Message) -> dict[str, Any]:
    """A message as JSON has it; one that is too large goes as its English text, cut."""
    try:
        packed = _packed(message)
        unpacked_message(packed)
    except MalformedMessage:
        return _packed(Message(printable(message)))
    return packed


def _packed(message: Message) -> dict[str, Any]:
    return {
        "template": printable(message.template),
        "values": {name: _packed_value(value) for name, value in message.values.items()},
    }


def _packed_value(value: Value) -> Any:
    if isinstance(value, Message):
        return _packed(value)
    return printable(value) if isinstance(value, str) else value


def unpacked_message(packed: object, depth: int = DEEPEST) -> Message:
    """The message that a worker says it is. Raises MalformedMessage."""
    if not isinstance(packed, dict) or depth == 0:
        raise MalformedMessage("message")
    fields = Fields(packed)
    template, values = fields.text("template", LONGEST_MESSAGE), fields.mapping("values", MOST_VALUES)
    fields.check_all_read()
    try:
        message = Message(template, **{_name(name): _value(value, depth) for name, value in values.items()})
    except (ValueError, OverflowError) as error:  # a number without bounds
        raise MalformedMessage("values") from error
    if len(message) > LONGEST_MESSAGE:
        raise MalformedMessage("message")
    return message


def _name(name: str) -> str:
    if len(name) > _LONGEST_NAME or not name.isidentifier():
        raise MalformedMessage("values")
    return name


def _value(value: object, depth: int) -> Value:
    if isinstance(value, dict):
        return unpacked_message(value, depth - 1)
    if isinstance(value, str):
        return Fields({"value": value}).text("value", LONGEST_MESSAGE)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    raise MalformedMessage("values")
