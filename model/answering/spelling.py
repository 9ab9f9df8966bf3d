"""Words that are one typing error apart: a letter too many, too few or wrong, or two neighbours exchanged.

This is the restricted Damerau-Levenshtein distance of one (Damerau, 1964: four fifths of all typing errors).
"""

from collections.abc import Iterable, Iterator


def near_words(word: str, vocabulary: Iterable[str]) -> Iterator[str]:
    """The words of a vocabulary whose beginning is one error away from `word`; endings may differ."""
    for other in vocabulary:
        if any(one_error_apart(word, other[:length]) for length in {len(word) - 1, len(word), len(word) + 1}):
            yield other


def one_error_apart(one: str, other: str) -> bool:
    """Whether one error makes one of the two words from the other."""
    if len(one) > len(other):
        one, other = other, one
    if len(other) - len(one) > 1 or one == other:
        return False
    first = next((place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), len(one))
    if len(one) < len(other):
        return one[first:] == other[first + 1 :]
    exchanged = one[first : first + 2] == other[first : first + 2][::-1]
    return one[first + 1 :] == other[first + 1 :] or (exchanged and one[first + 2 :] == other[first + 2 :])
