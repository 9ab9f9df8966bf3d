"""Laws of typing errors: one is symmetric and is none, and every single edit is recognised."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.answering.spelling import near_words, one_error_apart

WORDS = st.text("abcdefg", min_size=2, max_size=9)


@given(WORDS, st.integers(0, 8), st.sampled_from("xyz"))
def test_every_single_error_is_one(word: str, place: int, letter: str) -> None:
    place %= len(word)
    for changed in (
        word[:place] + letter + word[place:],
        word[:place] + letter + word[place + 1 :],
        word[:place] + word[place + 1 :],
    ):
        assert one_error_apart(word, changed) and one_error_apart(changed, word)
    assert not one_error_apart(word, word)
    assert not one_error_apart(word, letter * 2 + word)


@pytest.mark.parametrize(
    ("one", "other", "apart"), [("form", "from", True), ("abcd", "acbd", True), ("abcd", "badc", False)]
)
def test_neighbours_exchanged_are_one_error(one: str, other: str, apart: bool) -> None:
    assert one_error_apart(one, other) == apart


def test_endings_may_differ() -> None:
    assert set(near_words("recieve", ["received", "receipt", "deceive", "recites"])) == {"received"}
