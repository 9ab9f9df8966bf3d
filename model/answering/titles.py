"""Which lines of a first page are the document's title: a linear score of what titles look like.

Candidates are lines near the top, and up to five of them that stand together. The weights are fitted on the titles that
people gave real documents (`train`), a softmax over the candidates of each; half of the documents were held out while
features were chosen. No feature names a kind of document or needs a language, but for the words of letterheads.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from statistics import median

from model.answering.front_matter import front_matter_end
from model.answering.lines import Line, has_words, lines_of
from model.answering.words import content_words
from model.types import Document, Page

_LINES = 30  # from the top
_TOGETHER = 5  # lines of a title
_LONGEST = 250  # characters
_LARGER = 1.12  # times the usual line's height: a title is set larger
_SAME_SIZE = 0.92  # of the largest line's height: the next line of the same title
_MOST_WORDS = 30  # that are told apart
_REPEATED = 4  # times that a word of the title occurs elsewhere; more says no more
_PAGES, _CHARACTERS = 8, 6_000  # of the document, and of each page, in which the title's words are looked for
LABEL = r"(?:title|subject|re|titel|betreff|titre|objet|título|asunto|标题|主题)\s*[:：]"  # that stands before a title
_MARKED = re.compile(rf"\s*#\s|\s*{LABEL}", re.I)
_COLUMNS = re.compile(r"\s{3}| - .*: ")  # words side by side, or a row of a table
_LETTERHEAD = re.compile(
    r"https?:|www\.|@|\b(?:doi|issn|isbn|vol|downloaded|exhibit|received|accepted|published|journal|proceedings"
    r"|transactions|conference|page|table of contents|inc|ltd|gmbh|corporation|tel|phone|fax|confidential|draft|by"
    r"|version|omb|press release|immediate release|contact)\b|©|\bno\.|\bpp?\.|\(c\)|copyright"
    r"|universi|universität|université|départ?ement|department|institut|ministr|\d{4}[-/.]\d\d|\d\d[/.]\d\d[/.]\d",
    re.I,
)
_WEIGHTS = {
    "first": 0.69,
    "position": -1.99,
    "lines": -0.39,
    "begins a block": 1.07,
    "ends a block": 1.22,
    "size": 0.3,
    "largest": 1.29,
    "length": 0.29,
    "length squared": -0.57,
    "one word": -0.48,
    "letterhead": -0.71,
    "digits": -0.53,
    "ends as a sentence": -1.13,
    "ends with a colon": -0.76,
    "begins small": -0.74,
    "capitals": 0.73,
    "marked": 1.91,
    "commas": -1.04,
    "columns": -0.31,
    "said again": 2.9,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TitleCandidate:
    """`page.text[start:end]`, whole lines, with what tells whether they are the title."""

    start: int
    end: int
    features: dict[str, float]

    @property
    def score(self) -> float:
        return sum(_WEIGHTS[name] * value for name, value in self.features.items())


def candidates(document: Document, page: Page) -> Iterator[TitleCandidate]:
    """The lines at the top of a page, alone and together, that may be the document's title."""
    lines = list(islice(lines_of(page, front_matter_end(page.text)), _LINES + _TOGETHER))
    heights = [line.height for line in lines if line.height]
    usual, largest = (median(heights), max(heights)) if heights else (0.0, 0.0)
    words = Counter(word for one in document.pages[:_PAGES] for word in content_words(one.text[:_CHARACTERS]))
    for first in range(min(_LINES, len(lines))):
        for last in range(first, min(first + _TOGETHER, len(lines))):
            some = lines[first : last + 1]
            text = page.text[some[0].start : some[-1].end]
            if len(text) > _LONGEST or (last > first and not _goes_on(page, lines[last - 1], lines[last], usual)):
                break
            around = [*lines[max(0, first - 1) : first], *lines[last + 1 : last + 2]]
            is_part = last + 1 - first < _TOGETHER and any(_is_as_large(some[0], one, usual) for one in around)
            if has_words(text) and not is_part:
                place = {
                    "first": float(first == 0),
                    "position": first / 10,
                    "lines": float(last - first),
                    "begins a block": float(first == 0 or _is_break(page, lines[first - 1], lines[first])),
                    "ends a block": float(last + 1 == len(lines) or _is_break(page, lines[last], lines[last + 1])),
                }
                sizes = _sizes(some, usual, largest)
                yield TitleCandidate(
                    start=some[0].start, end=some[-1].end, features=place | sizes | _wording(text) | _said(text, words)
                )


def _is_apart(page: Page, line: Line, following: Line) -> bool:
    return "\n\n" in page.text[line.end : following.start]


def _is_break(page: Page, line: Line, following: Line) -> bool:
    """Whether space, or another size of type, parts two lines."""
    smaller, larger = sorted((line.height, following.height))
    return _is_apart(page, line, following) or 0.0 < smaller * _LARGER < larger


def _goes_on(page: Page, line: Line, following: Line, usual: float) -> bool:
    """Whether the next line may be of the same title: as large, and no space between, unless both are large."""
    same_size = min(line.height, following.height) >= _SAME_SIZE * max(line.height, following.height)
    return same_size and (not _is_apart(page, line, following) or _is_as_large(line, following, usual))


def _is_as_large(line: Line, other: Line, usual: float) -> bool:
    """Whether two lines are set in the same size, which is larger than usual."""
    smaller, larger = sorted((line.height, other.height))
    return smaller > _LARGER * usual and smaller >= _SAME_SIZE * larger


def _sizes(lines: Sequence[Line], usual: float, largest: float) -> dict[str, float]:
    """How large the lines are set; zeros where the page does not tell."""
    height = median(line.height for line in lines)
    return {
        "size": math.log(height / usual) if height and usual else 0.0,
        "largest": float(largest > 0 and min(line.height for line in lines) >= _SAME_SIZE * largest),
    }


def _wording(text: str) -> dict[str, float]:
    count = len(text.split())
    length = min(count, _MOST_WORDS) / 10
    letters = [char for char in text if char.isalpha()]
    return {
        "length": length,
        "length squared": length**2,
        "one word": float(count == 1),
        "letterhead": float(_LETTERHEAD.search(text) is not None),
        "digits": sum(char.isdigit() for char in text) / len(text),
        "ends as a sentence": float(text.rstrip()[-1] in ".,;"),
        "ends with a colon": float(text.rstrip()[-1] == ":"),
        "begins small": float(text.lstrip()[0].islower()),
        "capitals": float(sum(char.isupper() for char in letters) > 0.7 * len(letters)),
        "marked": float(_MARKED.match(text) is not None),
        "commas": text.count(",") / count,
        "columns": float(_COLUMNS.search(text) is not None),
    }


def _said(text: str, words: Counter[str]) -> dict[str, float]:
    """How often the document says the title's words elsewhere."""
    own = set(content_words(text))
    return {"said again": sum(min(words[word] - 1, _REPEATED) for word in own) / _REPEATED / (len(own) + 1)}
