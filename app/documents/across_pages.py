"""What can only be told from all pages of a document: running heads and feet, and words broken at line ends.

A running head that was read once is left out of the pages after it, with the numbers of pages: it stands between the
halves of a sentence that goes over a page break, and says nothing new.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median

from model.types import Page, Table, Word

MARGIN = 0.12  # share of a page's height within which running heads and feet stand
FEWEST_PAGES = 3  # that a running head stands on; two, if that is all pages
LONGEST = 150  # characters of a running head
MOST_ALIKE = 2  # heads of one page: one above the text and one below

_NUMBER = re.compile(r"\d+|\b[ivxlc]+\b")
_PAGE_NUMBER = re.compile(
    r"^\W*(?:(?:page|seite|p[aá]gina|p\.|s\.)\s*)?(?:\d{1,4}|[ivxlc]{1,6})(?:\s*(?:/|of|von|de|sur)\s*\d{1,4})?\W*$",
    re.I,
)
_BROKEN = re.compile(r"(?<=[^\W\d_])[-\u2010]\n+(?=[^\W\d_])")
_BROKEN_NUMBER = re.compile(r"(?<=[^\W_])[-\u2010](\n)(?=\d)")  # 45-50, COVID-19, a telephone's

Cut = tuple[int, int]  # a stretch of a page's text


def finished(pages: Sequence[Page]) -> tuple[Page, ...]:
    """The pages of a document without repeated running heads, and with broken words joined."""
    heads = _running(pages)
    words = Counter(word.casefold() for page in pages for word in re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", page.text))
    return tuple(
        _without(page, sorted([*_heads(page, lines, seen), *_breaks(page, words)]))
        for (page, lines), seen in zip(heads, _seen_before(heads), strict=True)
    )


def _running(pages: Sequence[Page]) -> list[tuple[Page, list[Cut]]]:
    """For each page the lines in its margins that come back on other pages, and the numbers of pages."""
    margins = [_without_lists(page, list(_margin_lines(page))) for page in pages]
    known = Counter(
        key for page, lines in zip(pages, margins, strict=True) for key in {_key(page, line) for line in lines}
    )
    enough = min(FEWEST_PAGES, max(len(pages), 2))
    return [
        (page, [line for line in lines if known[_key(page, line)] >= enough and len(pages) > 1])
        for page, lines in zip(pages, margins, strict=True)
    ]


def _without_lists(page: Page, lines: list[Cut]) -> list[Cut]:
    """The lines but for those that come more often on one page: the rows of a list that differ in their numbers."""
    texts = [_key(page, line)[0] for line in lines] if len(lines) > MOST_ALIKE else []
    return (
        [line for line, text in zip(lines, texts, strict=True) if texts.count(text) <= MOST_ALIKE] if texts else lines
    )


def _margin_lines(page: Page) -> Iterator[Cut]:
    """The lines whose words all stand in the upper or the lower margin, outside of tables."""
    if page.source == "tags" or not page.words:
        return
    place = 0
    for line in page.text.split("\n"):
        cut = (place, place + len(line))
        place += len(line) + 1
        if not line.strip() or len(line) > LONGEST or any(t.start <= cut[0] < t.end for t in page.tables):
            continue
        boxes = [word.box for word in page.words if cut[0] <= word.start < cut[1]]
        if boxes and (max(box[3] for box in boxes) < MARGIN or min(box[1] for box in boxes) > 1 - MARGIN):
            yield cut


def _key(page: Page, line: Cut) -> tuple[str, int]:
    """What a line of a margin says, whatever number it bears, and how high it stands."""
    text = page.text[line[0] : line[1]]
    height = median((word.box[1] + word.box[3]) / 2 for word in page.words if line[0] <= word.start < line[1])
    return "#" if _PAGE_NUMBER.match(text) else _NUMBER.sub("#", text.casefold()), round(height * 25)


def _seen_before(heads: Sequence[tuple[Page, list[Cut]]]) -> Iterator[set[str]]:
    seen: set[str] = set()
    for page, lines in heads:
        yield set(seen)
        seen |= {_key(page, line)[0] for line in lines}


def _heads(page: Page, lines: Sequence[Cut], seen: set[str]) -> Iterator[Cut]:
    for line in lines:
        text = page.text[line[0] : line[1]]
        if _PAGE_NUMBER.match(text) or _key(page, line)[0] in seen:
            end = line[1]
            while page.text[end : end + 1] == "\n":
                end += 1
            yield line[0], end


def _breaks(page: Page, known: Counter[str]) -> Iterator[Cut]:
    """Hyphens at line ends, with the line end; of a compound word only the line end."""
    for match in _BROKEN.finditer(page.text):
        before = re.search(r"[^\W\d_]+(?:-[^\W\d_]+)*$", page.text[: match.start()][-60:])
        after = re.match(r"[^\W\d_]+", page.text[match.end() : match.end() + 60])
        if before is None or after is None or any(t.start <= match.start() < t.end for t in page.tables):
            continue
        joined = (before[0] + after[0]).casefold()
        parted = f"{before[0]}-{after[0]}".casefold()
        if known[joined] == 0 and (
            known[parted] or not after[0][0].islower() or _is_compound(before[0], after[0], known)
        ):
            yield match.start() + 1, match.end()
        else:
            yield match.start(), match.end()
    for match in _BROKEN_NUMBER.finditer(page.text):
        if not any(t.start <= match.start() < t.end for t in page.tables):
            yield match.span(1)


def _is_compound(before: str, after: str, known: Counter[str]) -> bool:
    """Whether both halves are words by themselves: beside each other in the document, or a usual first half."""
    first, last = before.casefold().rsplit("-")[-1], after.casefold()
    if (
        (_FIRST_HALF.fullmatch(first) and not _SUFFIX.match(last))
        or _LAST_HALF.fullmatch(last)
        or _OWN_VOWEL.fullmatch(f"{first} {last[0]}")
    ):
        return True
    return len(after) > 3 and known[first] > 0 and known[last] > 1


_FIRST_HALF = re.compile(
    "state|self|well|non|long|short|high|low|full|part|half|all|ever|pre|post|ex|anti|co|cross|decision|first|second|"
    "third|four|five|six|ten|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|two|three|one|world|year|old|new|"
    "open|user|left|right|so|time|cost|risk|rate|tax|market"
)
_SUFFIX = re.compile(
    "(?:ly|ing|ed|e?st|n?ers?|teen|ty|ants?|ment|ish|less|ness|ful|y|s)$|ici|icu|it"
)  # part-ner, six-teen
_LAST_HALF = re.compile("up|off|based|owned|elect|level|speaking|called")  # the end of no other word
_OWN_VOWEL = re.compile("(?:r|pr|d)e e|co o")  # re-elected, co-operation


def _without(page: Page, cuts: Sequence[Cut]) -> Page:
    """The page without some stretches of its text; its words and tables keep their places."""
    if not cuts:
        return page
    parts, place = [], 0
    for start, end in cuts:
        parts.append(page.text[place:start])
        place = max(place, end)
    parts.append(page.text[place:])
    text = "".join(parts)
    shift = len(text) - len(text.rstrip("\n"))
    moved = _Moved(cuts)
    words = tuple(
        Word(start=moved(word.start), end=moved(word.end), box=word.box, hidden=word.hidden)
        for word in page.words
        if moved(word.start) < moved(word.end)
    )
    tables = tuple(_moved_table(table, moved) for table in page.tables)
    return replace(page, text=text[: len(text) - shift], words=words, tables=tables)


class _Moved:
    """Where a place of the text stands after stretches were cut out of it."""

    def __init__(self, cuts: Sequence[Cut]) -> None:
        self._cuts = cuts

    def __call__(self, place: int) -> int:
        return place - sum(min(end, place) - start for start, end in self._cuts if start < place)


def _moved_table(table: Table, moved: _Moved) -> Table:
    cells = tuple(replace(cell, start=moved(cell.start), end=moved(cell.end)) for cell in table.cells)
    return replace(table, start=moved(table.start), end=moved(table.end), cells=cells)
