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
        raise QuestionError("The turns are {value}. {form}.", value=_shown(value), form=_FORM)
    if len(value) > MOST_TURNS:
        raise QuestionError(
            "There are {count:,} turns; the limit is {limit}. Give the latest ones.", count=len(value), limit=MOST_TURNS
        )
    return tuple(_turn(number, pair) for number, pair in enumerate(value, start=1))


def read_turns(file: Path) -> tuple[Turn, ...]:
    """The turns that a file holds. Raises QuestionError where it cannot be read or is no list of pairs."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise QuestionError(
            "{file} cannot be read ({why}). Name a file with turns. {form}.", file=file, why=error.strerror, form=_FORM
        ) from error
    if len(data) > MOST_BYTES:
        raise QuestionError(
            "{file} has {count:,} bytes; turns may have {limit:,}. Give the latest ones.",
            file=file,
            count=len(data),
            limit=MOST_BYTES,
        )
    try:
        return checked_turns(json.loads(data))
    except (ValueError, RecursionError) as error:
        raise QuestionError("{file} is no JSON ({why}). {form}.", file=file, why=str(error)[:80], form=_FORM) from error


def _turn(number: int, pair: Any) -> Turn:
    if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(text, str) for text in pair):
        raise QuestionError("Turn {number} is {value}. {form}.", number=number, value=_shown(pair), form=_FORM)
    question, answer = (text.strip() for text in pair)
    if not question:
        raise QuestionError("Turn {number} has an empty question. {form}.", number=number, form=_FORM)
    return Turn(question=question, answer=answer)


def _shown(value: Any) -> str:
    return repr(value)[:80]
