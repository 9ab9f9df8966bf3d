"""What a load run has noted, and the figures that are made of it."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from app.bench.visitors import Timed

Interval = tuple[float, float]  # begin and end, in seconds on the monotonic clock


@dataclass(slots=True, kw_only=True)
class Notes:
    """What happened to all clients of a run, as each of them noted it."""

    answers: list[Timed] = field(default_factory=list)
    first_answers: list[float] = field(default_factory=list)  # seconds from the drop of a file to the first answer
    readings: list[Interval] = field(default_factory=list)  # from the drop of a file until it can be asked
    pages: list[float] = field(default_factory=list)  # seconds until a newcomer's page can be used
    refusals: list[str] = field(default_factory=list)
    finished: int = 0  # sessions that came to their end


def figures(notes: Notes, sessions: int, questions: int) -> dict[str, float | int | None]:
    """What the benchmark says of a run with so many sessions and questions each."""
    return {
        "sessions": sessions,
        "sessions_finished": notes.finished,
        "questions": sessions * questions,
        "questions_lost": sessions * questions - len(notes.answers),
        "answered_freed": sum("freed" in reason for reason in notes.refusals),
        "refused": len(notes.refusals),
        **_spread("first_answer_seconds", notes.first_answers),
        **_spread("answer_seconds", [one.answered - one.asked for one in notes.answers]),
        **_spread("engine_seconds", [one.engine_seconds for one in notes.answers]),
        **_spread("behind_reading_seconds", behind_reading(notes.answers)),
        **_spread("newcomer_page_seconds", notes.pages),
        "answers_a_minute": answers_a_minute(notes),
    }


def beside_alone(together: Notes, alone: Notes) -> dict[str, float | None]:
    """How many answers all get together, beside those that one alone gets."""
    ours, theirs = answers_a_minute(together), answers_a_minute(alone)
    return {
        **_spread("engine_seconds_alone", [one.engine_seconds for one in alone.answers]),
        "answers_a_minute_alone": theirs,
        "percent_of_alone": 100 * ours / theirs if ours and theirs else None,
    }


def answers_a_minute(notes: Notes) -> float | None:
    """While questions wait and documents are being read; None where both never were at once."""
    asked = [(one.asked, one.answered) for one in notes.answers]
    both = _intersection(_union(asked), _union(notes.readings))
    seconds = _seconds(both)
    count = sum(any(begin <= one.answered <= end for begin, end in both) for one in notes.answers)
    return 60 * count / seconds if seconds else None


def behind_reading(answers: Sequence[Timed]) -> list[float]:
    """The seconds that each question waited while none was answered: for reading, and for the way to and fro."""
    working = _union((one.answered - one.engine_seconds, one.answered) for one in answers)
    return [
        one.answered
        - one.asked
        - sum(end - begin for begin, end in _intersection([(one.asked, one.answered)], working))
        for one in answers
    ]


def _spread(name: str, values: Sequence[float]) -> dict[str, float | None]:
    ordered = sorted(values)
    return {
        f"{name}_median": statistics.median(ordered) if ordered else None,
        f"{name}_95": ordered[int(0.95 * (len(ordered) - 1))] if ordered else None,
        f"{name}_most": ordered[-1] if ordered else None,
    }


def _seconds(intervals: Iterable[Interval]) -> float:
    return sum(end - begin for begin, end in intervals)


def _union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same times as intervals that do not overlap, in their order."""
    joined: list[Interval] = []
    for begin, end in sorted(intervals):
        if joined and begin <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((begin, end))
    return joined


def _intersection(first: Sequence[Interval], second: Sequence[Interval]) -> list[Interval]:
    overlaps = ((max(a, c), min(b, d)) for a, b in first for c, d in second)
    return [(begin, end) for begin, end in overlaps if begin < end]
