"""The wording of an answer: a small decoder spells by tokens, so it is a letter off, or stops within a word or number.

Where the text that it was shown has the word, the text's spelling is taken. Figures are never corrected: another figure
is another answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from model.answering.judgements import side
from model.answering.spelling import one_error_apart
from model.answering.words import plain_letters

_BROKEN = re.compile(r"(?<=[^\W\d_])-\s+(?=[^\W\d_])")
_CONJUNCTIONS = frozenset(  # "Vor- und Nachteile" is no break
    ("and", "or", "und", "oder", "bzw", "sowie", "et", "ou", "y", "o", "e", "i", "en", "of")
)
_WORD = re.compile(r"\S+")
_EDGES = ".,;:!?()[]{}\"'“”„«»‘’"
_SHORTEST = 5  # letters of a word that may be a letter off
_MOST_WORDS = 12  # of an answer that is compared with the text
_INSIDE_NUMBER = re.compile(r"[.,]?\d")


def mended(answer: str, shown: str) -> str:
    """The answer as the shown text spells it: broken words joined, cut ones whole, one wrong letter put right."""
    if side(answer):  # "Nein" is no "neun"
        return answer
    answer = _joined(answer, shown)
    if not answer or answer in shown:
        return _whole(answer, shown)
    return _spelt_as_shown(answer, shown) or answer


def _joined(answer: str, shown: str) -> str:
    """Words that a line end has broken, written whole; with their hyphen where the text has it."""

    def join(match: re.Match[str]) -> str:
        before = answer[: match.start()].rpartition(" ")[2]
        after = re.split(r"[^\w-]", answer[match.end() :], maxsplit=1)[0]
        if after.lower() in _CONJUNCTIONS or match.group() + after in shown:
            return match.group()
        return "-" if f"{before}-{after}" in shown or after[:1].isupper() else ""

    return _BROKEN.sub(join, answer)


def _whole(answer: str, shown: str) -> str:
    """An answer that stands in the text only within a longer word or number, extended to that."""
    found = [match.start() for match in re.finditer(re.escape(answer), shown)] if answer else []
    extended = [_extended(shown, start, start + len(answer)) for start in found]
    is_word = answer[-1:].isalpha() and len(answer) < _SHORTEST  # "No" is not the beginning of "North"
    return answer if not extended or is_word or answer in extended else extended[0]


def _extended(shown: str, start: int, end: int) -> str:
    if shown[start].isalnum():
        while start > 0 and shown[start - 1].isalnum():
            start -= 1
    if shown[end - 1].isdigit():
        while more := _INSIDE_NUMBER.match(shown, end):
            end = more.end()
        while before := re.search(r"\d[.,]?$", shown[max(0, start - 2) : start]) if shown[start].isdigit() else None:
            start -= len(before.group())
    elif shown[end - 1].isalnum():
        while end < len(shown) and shown[end].isalnum():
            end += 1
    return shown[start:end]


def _spelt_as_shown(answer: str, shown: str) -> str:
    """The text's words that differ from the answer's in one letter of one word; empty where there are none."""
    wanted = [plain_letters(word).strip(_EDGES) for word in answer.split()]
    if not wanted or len(wanted) > _MOST_WORDS:
        return ""
    places = [match.span() for match in _WORD.finditer(shown)]
    words = [plain_letters(shown[start:end]).strip(_EDGES) for start, end in places]
    for first in range(len(words) - len(wanted) + 1):
        if _is_a_letter_off(wanted, words[first : first + len(wanted)]):
            begin, end = places[first][0], places[first + len(wanted) - 1][1]
            return " ".join(shown[begin:end].split()).strip(_EDGES)
    return ""


def _is_a_letter_off(answer: Sequence[str], text: Sequence[str]) -> bool:
    """Whether all words are the same but for one, which differs by one letter."""
    different = [(ours, theirs) for ours, theirs in zip(answer, text, strict=True) if ours != theirs]
    return len(different) == 1 and _one_edit(*different[0])


def _one_edit(one: str, other: str) -> bool:
    """Whether one error makes one of the two from the other: words of letters alone, and not too short."""
    is_word = min(len(one), len(other)) >= _SHORTEST and (one + other).replace("-", "").isalpha()
    return is_word and one_error_apart(one, other)
