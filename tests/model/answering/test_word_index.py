"""Laws of ranking by words: what counts as the same word, and what does not."""

from collections.abc import Sequence

import pytest

from model.answering.passages import Passage, cut
from model.answering.word_index import WordIndex, relevance


def scores(passages: Sequence[Passage], question: str) -> list[float]:
    return relevance([WordIndex(passages)], question)


def test_marks_above_and_beside_letters_do_not_hide_a_word() -> None:
    text = "ガスの料金は三千円。"
    (passage,) = cut(text, [0], [len(text)])
    assert scores([passage], "ガス?") != [0.0]


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("This paper was issued in May.", "What is the date of issue?"),
        ("It expires in June.", "What is the expiry date?"),
        ("He died in the war.", "Which war is it?"),
    ],
)
def test_a_word_is_found_by_its_beginning(text: str, question: str) -> None:
    other = "What is the name of it? It is the one of which we know."
    found, without = scores([*cut(text, [0], [len(text)]), *cut(other, [0], [len(other)])], question)
    assert found > without == 0


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("The monthly rent is due on the third day.", "What is the rnet?"),
        ("It was received by the office.", "When was it recieved?"),
        ("They live at this address.", "Which adress is it?"),
        ("The bridge was repaired.", "Who repairred it?"),
        ("La caution est de trois mois.", "Combien est la cuation ?"),
    ],
)
def test_a_word_with_a_typing_error_is_found(text: str, question: str) -> None:
    other = "Nothing else of note was ever written about that quiet valley."
    found, without = scores([*cut(text, [0], [len(text)]), *cut(other, [0], [len(other)])], question)
    assert found > without == 0


def test_a_word_that_the_text_has_is_not_corrected() -> None:
    text, other = "The host waits at the door.", "The most of it is old."
    assert scores([*cut(text, [0], [len(text)]), *cut(other, [0], [len(other)])], "Which host?")[1] == 0


@pytest.mark.parametrize(
    ("text", "other", "question"),
    [
        ("It is written in C++ and runs.", "It is written in C and runs.", "What is written in C++?"),
        ("The fee is 3 % of it.", "The fee is 3 and no more.", "What costs %?"),
        ("See § 4 of the statute.", "See page 4 of the statute.", "What is §?"),
    ],
)
def test_signs_are_matched(text: str, other: str, question: str) -> None:
    found, without = scores([*cut(text, [0], [len(text)]), *cut(other, [0], [len(other)])], question)
    assert found > without


def test_without_passages_nothing_is_relevant() -> None:
    assert scores([], "Who was the keeper?") == []
