"""How long the reading of a file will still take: one bar and one estimate for recognition and encoding."""

from __future__ import annotations

import pytest

from app.sessions.pace import Estimate, Pace
from model.types import Progress
from tests.helpers.stand_ins import Clock

PAGES, SECONDS_A_PAGE = 40, 5.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


def recognised(pace: Pace, clock: Clock, pages: int) -> list[Estimate]:
    """What is said while so many pages are recognised, as a worker tells it."""
    said = [pace.estimate(Progress(stage="reading", done=0, total=PAGES, unit="pages"))]
    for page in range(pages):
        said.append(pace.estimate(Progress(stage="recognising", done=page, total=PAGES, unit="pages")))
        clock.now += SECONDS_A_PAGE
        said.append(pace.estimate(Progress(stage="reading", done=page + 1, total=PAGES, unit="pages")))
    return said


def test_pages_that_are_recognised_one_by_one_are_one_stage(clock: Clock) -> None:
    speeds = {"encoding": 200.0}
    *_, last = recognised(Pace(speeds, clock=clock), clock, 10)
    assert last.seconds_left == pytest.approx(30 * SECONDS_A_PAGE + PAGES * 450 / 200)
    assert last.fraction == pytest.approx(50 / (50 + 150 + 90))


def test_what_the_first_pages_took_to_encode_says_what_all_will_take(clock: Clock) -> None:
    pace = Pace(clock=clock)
    *_, before = recognised(pace, clock, 4)
    assert before.seconds_left is None
    pace.was_encoded(tokens=2_000, pages=4, seconds=10.0)
    *_, after = recognised(pace, clock, 4)
    assert after.seconds_left is not None and after.seconds_left > PAGES * 500 / 200


def test_the_bar_never_goes_back_from_recognition_to_the_end(clock: Clock) -> None:
    pace = Pace(clock=clock)
    said = recognised(pace, clock, PAGES)
    pace.was_encoded(tokens=2_000, pages=4, seconds=10.0)
    for tokens in range(0, 20_001, 2_000):
        said.append(pace.estimate(Progress(stage="encoding", done=tokens, total=20_000, unit="tokens")))
        clock.now += 10.0
    fractions = [one.fraction for one in said]
    assert fractions == sorted(fractions) and fractions[-1] > 0.95


def test_a_file_whose_text_is_read_does_not_guess_by_one_that_was_recognised(clock: Clock) -> None:
    speeds = {"encoding": 200.0}
    recognised(Pace(speeds, clock=clock), clock, PAGES)
    first = Pace(speeds, clock=clock).estimate(Progress(stage="reading", done=0, total=PAGES, unit="pages"))
    assert first.seconds_left is None  # nothing of its own kind was read before
