"""Questions that a text does not answer, but looks as if: one thing of an answerable question is replaced.

SQuAD 2.0's writers did the same by hand: a name, a number or a word for its opposite. What is made here is a little
less sure to have no answer, but can be made of nearly every answerable question.
"""

import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ASKED = 2  # of so many answerable questions one gets a edited_question

_NUMBER = re.compile(r"\b\d[\d,.]*\b")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_NAME = re.compile(r"(?<![.?!:] )(?<!^)(?<![\w'’-])(?![IVXLC]+\b)[A-ZÀ-Ý][\w-]+(?: [A-ZÀ-Ý][\w-]+)*")
_AUXILIARY = re.compile(r"\b(?:did|does|do|is|are|was|were|can|could|would|should|has|have|had)\b", re.IGNORECASE)
_SHORTENED = {"can": "can't"}
_SENTENCE_END = re.compile(r"[.!?]\s")
_BEGINNING = 4  # letters: India is not another name than Indian

Edit = Callable[["_Asked", random.Random], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """An answerable question about a text; opposites: of words of its language."""

    question: str
    context: str
    answer: str
    opposites: Mapping[str, str]

    def offloaded(self, found: re.Pattern[str]) -> list[str]:
        """What the text has beyond the question and the sentence with the answer."""
        place = self.context.find(self.answer)
        first = max((end.end() for end in _SENTENCE_END.finditer(self.context, 0, place)), default=0)
        end = _SENTENCE_END.search(self.context, place + len(self.answer))
        near = self.context[first : end.start() if end else None]
        known = f"{self.question}\0{near}".lower()
        asked = {word[:_BEGINNING] for word in _WORD.findall(self.question.lower())}
        others = {text for text in found.findall(self.context) if text.lower() not in known}
        return sorted(text for text in others if text[:_BEGINNING].lower() not in asked)

    def replaced(self, found: re.Match[str], text: str) -> str:
        return self.question[: found.start()] + text + self.question[found.end() :]


def edited_question(question: str, context: str, answer: str, language: str) -> str | None:
    """A question like this one that the text does not answer, for one in `ASKED`; the same whenever it is asked for."""
    rng = random.Random(f"{question}\0{context}")
    if rng.randrange(ASKED) or answer not in context:
        return None
    known = opposites() if language == "en" else {}
    asked = _Asked(question=question, context=context, answer=answer, opposites=known)
    ways: list[Edit] = [_other_number, _other_name, _half_another_name]
    if language == "en":
        ways += [_opposite, _opposite, _other_word]
        ways += [_denied] if rng.random() < 0.3 else []
    rng.shuffle(ways)
    return next((other for way in ways if (other := way(asked, rng)) is not None), None)


@cache
def opposites() -> dict[str, str]:
    """English words and their opposites, both ways."""
    lines = Path(__file__).with_name("opposites.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split() for line in lines if line]
    return {word: other for one, two in pairs for word, other in ((two, one), (one, two))}


def _chosen(found: Iterator[re.Match[str]], rng: random.Random) -> re.Match[str] | None:
    matches = list(found)
    return rng.choice(matches) if matches else None


def _other_number(asked: _Asked, rng: random.Random) -> str | None:
    found = _chosen(_NUMBER.finditer(asked.question), rng)
    if found is None:
        return None
    number = found.group()
    others = [other for other in asked.offloaded(_NUMBER) if len(other) == len(number) and other != number]
    if others and rng.random() < 0.5:
        return asked.replaced(found, rng.choice(others))
    digits = [index for index, sign in enumerate(number) if sign.isdigit()]
    changed = digits[-1] if len(digits) < 4 or rng.random() < 0.6 else digits[-2]
    digit = rng.choice([digit for digit in "123456789" if digit != number[changed]])
    other = number[:changed] + digit + number[changed + 1 :]
    return None if other in asked.context else asked.replaced(found, other)


def _other_name(asked: _Asked, rng: random.Random) -> str | None:
    found = _chosen(_NAME.finditer(asked.question), rng)
    if found is None:
        return None
    words = len(found.group().split())
    others = [name for name in asked.offloaded(_NAME) if abs(len(name.split()) - words) <= 1]
    return asked.replaced(found, rng.choice(others)) if others else None


def _half_another_name(asked: _Asked, rng: random.Random) -> str | None:
    """One word of a name of several."""
    several = (found for found in _NAME.finditer(asked.question) if " " in found.group())
    found = _chosen(several, rng)
    others = [name for name in asked.offloaded(_NAME) if " " not in name]
    if found is None or not others:
        return None
    words = found.group().split()
    words[rng.randrange(len(words))] = rng.choice(others)
    return asked.replaced(found, " ".join(words))


def _opposite(asked: _Asked, rng: random.Random) -> str | None:
    known = (found for found in _WORD.finditer(asked.question) if found.group() in asked.opposites)
    found = _chosen(known, rng)
    return asked.replaced(found, asked.opposites[found.group()]) if found else None


def _other_word(asked: _Asked, rng: random.Random) -> str | None:
    """A long word for one of the text that ends alike, so that it is likely of the same kind."""
    long = (found for found in _WORD.finditer(asked.question) if found.group().islower() and len(found.group()) > 4)
    found = _chosen((match for match in long if match.group() in asked.context), rng)
    if found is None:
        return None
    ends = re.compile(rf"\b[a-z]{{3,}}{found.group()[-3:]}\b")
    others = asked.offloaded(ends)
    return asked.replaced(found, rng.choice(others)) if others else None


def _denied(asked: _Asked, _: random.Random) -> str | None:
    found = _AUXILIARY.search(asked.question)
    if found is None or "n't" in asked.question:
        return None
    verb = found.group()
    return asked.replaced(found, _SHORTENED.get(verb, f"{verb}n't"))
