"""The lines of a page's text, each with the height that its words are set in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from model.types import Page

_LETTER = re.compile(r"[^\W\d_]")
_FEWEST_LETTERS = 4  # so that a drop cap or a page number has no words


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`page.text[start:end]`; height in points, 0 where the page does not tell."""

    start: int
    end: int
    height: float


def has_words(text: str) -> bool:
    """Whether a text has letters enough to say something."""
    return len(_LETTER.findall(text)) >= _FEWEST_LETTERS


def lines_of(page: Page, begin: int = 0) -> Iterator[Line]:
    """The lines of page.text[begin:] that are not empty, each as high as its words usually are."""
    words = iter(page.words)
    word = next(words, None)
    start = 0
    for text in page.text.split("\n"):
        end = start + len(text)
        heights: list[float] = []
        while word is not None and word.start < end:
            if not word.hidden:
                heights.append((word.box[3] - word.box[1]) * page.height)
            word = next(words, None)
        if text.strip() and start >= begin:
            yield Line(start=start, end=end, height=median(heights) if heights else 0.0)
        start = end + 1
