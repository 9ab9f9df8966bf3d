"""How well the text of a page agrees with the right one: order, words, characters, rows of tables.

Compared are printed characters: no white space, no hyphens or minus signs (a page has either for the other), no
leaders, no difference of case or width. A repeated heading (it has the box of an earlier word) counts once, so that a
row of a table may say its headings again.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.bench.right_pages import RightOrder, RightTable
from model.types import Page

LINE = 7  # words of a block that are looked for as one line
FOUND = 0.3  # share of a line's characters that may be wrong where it is found
BESIDE = 0.1  # share of a row's characters that may stand beside its cells and headings

_IGNORED = re.compile(r"[\s\u00ad\u2010-\u2015\u2212\-_.…·•\u200b]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderScore:
    """order: 1 - edit distance of the sequence of lines / lines. words: share found. wrong: share of characters."""

    order: float
    words: float
    wrong: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TableScore:
    """Rows of a table, those right, cells below a heading, and those that stand behind it in a line of the text."""

    rows: int
    right: int
    cells: int
    headed: int


def printed(text: str) -> str:
    """The characters that are compared."""
    return _IGNORED.sub("", unicodedata.normalize("NFKC", text).casefold())


def score_order(page: Page, right: RightOrder) -> OrderScore:
    """Compare the order of a page's lines with the right one."""
    text = printed(" ".join(_words_once(page)))
    lines = [line for block in right.blocks for line in _lines(block) if printed(line)]
    places: list[tuple[int, int]] = []
    wrong = previous = 0
    taken: set[int] = set()
    for index, line in enumerate(lines):
        place, errors = _find(printed(line), text, previous, taken)
        wrong += errors
        if place is not None:
            places.append((place, index))
            taken.add(place)
            previous = place
    order = [index for _, index in sorted(places)]
    return OrderScore(
        order=1 - _edit_distance(range(len(lines)), order) / max(len(lines), 1),
        words=_words_found(text, page, right),
        wrong=wrong / max(sum(len(printed(line)) for line in lines), 1),
    )


def score_table(pages: Sequence[Page], right: RightTable) -> TableScore:
    """Look for a line of the text for each row of the table, which may go on on the next page."""
    lines = [line for page in pages for line in page.text.split("\n")]
    found = headed = cells = 0
    for row in right.rows:
        best = max((_headed(line, row, right) for line in lines), key=lambda hit: (hit is not None, hit or 0))
        found += best is not None
        headed += best or 0
        cells += sum(bool(printed(cell) and printed(head)) for cell, head in _headed_cells(row, right))
    return TableScore(rows=len(right.rows), right=found, cells=cells, headed=headed)


def _words_once(page: Page) -> list[str]:
    seen = set()
    words = []
    for word in page.words:
        if word.box not in seen or word.box[0] == word.box[2]:
            words.append(page.text[word.start : word.end])
        seen.add(word.box)
    return words


def _lines(block: str) -> list[str]:
    parts = [part.split() for part in block.split(" ... ")]
    return [" ".join(words[start : start + LINE]) for words in parts for start in range(0, len(words), LINE)]


def _find(line: str, text: str, previous: int, taken: set[int]) -> tuple[int | None, int]:
    """Where the line stands, behind the line before it if it can be, and how many of its characters are wrong."""
    places = [match.start() for match in re.finditer(f"(?={re.escape(line)})", text)]
    free = [place for place in places if place not in taken] or places
    if free:
        return min(free, key=lambda place: (place < previous, place)), 0
    distances = _distances(line, text)
    end = int(distances.argmin())
    errors = int(distances[end])
    return (max(end - len(line), 0), errors) if errors <= FOUND * len(line) else (None, len(line))


def _distances(line: str, text: str) -> NDArray[np.int64]:
    """The edit distance of the line from the stretch of the text that ends at each place."""
    letters = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    steps = np.arange(len(letters) + 1)
    row = np.zeros(len(letters) + 1, np.int64)
    for count, letter in enumerate(line, start=1):
        below = np.empty_like(row)
        below[0] = count
        below[1:] = np.minimum(row[:-1] + (letters != ord(letter)), row[1:] + 1)
        row = np.minimum.accumulate(below - steps) + steps
    return row


def _edit_distance(right: Sequence[int], order: Sequence[int]) -> int:
    row = list(range(len(order) + 1))
    for count, one in enumerate(right, start=1):
        left, row[0] = row[0], count
        for index, other in enumerate(order, start=1):
            left, row[index] = row[index], min(left + (one != other), row[index] + 1, row[index - 1] + 1)
    return row[-1]


def _words_found(text: str, page: Page, right: RightOrder) -> float:
    wanted = Counter(printed(word) for block in right.blocks for word in block.replace(" ... ", " ").split())
    del wanted[""]
    there = Counter(printed(word) for word in page.text.split())
    found = sum(count if word in text and len(word) > 3 else min(count, there[word]) for word, count in wanted.items())
    return found / max(wanted.total(), 1)


def _headed(line: str, row: Sequence[str], table: RightTable) -> int | None:
    """How many cells stand behind their headings in the line, or None where it does not hold this row alone."""
    text = printed(line)
    place = headed = 0
    rest = []
    heads = dict(enumerate(table.columns))
    for index, cell in enumerate(row):
        value = printed(cell.split(" / ")[-1] if index == 0 else cell)
        if not value:
            continue
        head = printed(heads.get(index, "").split(" / ")[-1])
        behind = text.find(head + ":" + value, place) if head else -1
        found = behind + len(head) + 1 if behind >= 0 else text.find(value, place)
        if found < 0:
            return None
        headed += behind >= 0
        rest.append(text[place:found])
        place = found + len(value)
    known = sorted({printed(part) for name in (*table.columns, table.caption, row[0] if row else "", *table.groups)
                    for part in (*name.split(" / "), *name.split())}, key=len, reverse=True)  # fmt: skip
    beside = _without("".join((*rest, text[place:])), known)
    return headed if len(beside) <= max(BESIDE * len(text), 2) else None


def _without(text: str, known: Sequence[str]) -> str:
    for part in known:
        text = text.replace(part, "") if part else text
    return re.sub(r"[^\w]", "", text)


def _headed_cells(row: Sequence[str], table: RightTable) -> list[tuple[str, str]]:
    return [(cell, head) for cell, head in zip(row[1:], table.columns[1:], strict=False)]
