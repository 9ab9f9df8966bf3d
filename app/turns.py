"""Earlier turns of a conversation, as programs and files give them: `[[question, answer], ...]`."""

import json
from pathlib import Path
from typing import Any

from model.errors import QuestionError
from model.types import Turn

MOST_TURNS = 100
MOST_BYTES = 1_000_000
_FORM = "Give a list of pairs, [[question, answer], ...]"


def checked_turns(value: Any) -> tuple[Turn, ...]:
    """The turns of a JSON value, the earliest first. Raises QuestionError where it is no list of pairs of texts."""
    if not isinstance(value, list):
        raise QuestionError(f"The turns are {_shown(value)}. {_FORM}.")
    if len(value) > MOST_TURNS:
        raise QuestionError(f"There are {len(value):,} turns; the limit is {MOST_TURNS}. Give the latest ones.")
    return tuple(_turn(number, pair) for number, pair in enumerate(value, start=1))


def read_turns(file: Path) -> tuple[Turn, ...]:
    """The turns that a file holds. Raises QuestionError where it cannot be read or is no list of pairs."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise QuestionError(f"{file} cannot be read ({error.strerror}). Name a file with turns. {_FORM}.") from error
    if len(data) > MOST_BYTES:
        raise QuestionError(f"{file} has {len(data):,} bytes; turns may have {MOST_BYTES:,}. Give the latest ones.")
    try:
        return checked_turns(json.loads(data))
    except (ValueError, RecursionError) as error:
        raise QuestionError(f"{file} is no JSON ({str(error)[:80]}). {_FORM}.") from error


def _turn(number: int, pair: Any) -> Turn:
    if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(text, str) for text in pair):
        raise QuestionError(f"Turn {number} is {_shown(pair)}. {_FORM}.")
    question, answer = (text.strip() for text in pair)
    if not question:
        raise QuestionError(f"Turn {number} has an empty question. {_FORM}.")
    return Turn(question=question, answer=answer)


def _shown(value: Any) -> str:
    return repr(value)[:80]
