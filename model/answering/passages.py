"""Passages: a document's text in pieces that can be understood alone, as sets of tokens of its encoding.

A passage is one sentence or more, a few lines of a form, or the rows of a table. It ends with a sentence, a paragraph
or a row, never inside one of them, and a heading belongs to what follows it.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from model.answering.sentences import CLAUSE_ENDS, SENTENCE_END
from model.answering.table_rows import row_spans
from model.answering.tuning import FITTED, PassageTuning
from model.answering.words import plain_letters
from model.types import EncodedDocument

_LINE_END = re.compile(r"\n")
_ABBREVIATION = re.compile(
    r"\b(?:inc|corp|ltd|bros|dept|est|fig|figs|eqs?|refs?|secs?|vol|nos|art|para|approx|resp|incl|excl|vgl|bzw|usw|"
    r"evtl|ggf|inkl|zzgl|str|abs|bspw|env|núm|pág|sra|dra|gen|gov|sen|rep|prof|capt|sgt|rev|hon|messrs|mrs|jan|feb|"
    r"mar|apr|jun|jul|aug|sept?|oct|nov|dec)\.$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Some sentences or lines of a page: tokens [start, end) of the joined memories, and the text in plain letters."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTokens:
    """A page's text, the characters [starts[i], ends[i]) of its token i, and that token's place in the document."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    places: Sequence[int]


def passages_of(encoded: EncodedDocument, sizes: PassageTuning = FITTED.passages) -> list[Passage]:
    """The passages of all pages with text, in the order of the document's tokens."""
    return [passage for _, passage in cut_pages([*_pages(encoded)], sizes)]


def _pages(encoded: EncodedDocument) -> Iterator[PageTokens]:
    for page in encoded.document.pages:
        rows = (encoded.tokens.pages == page.number).nonzero().flatten()
        starts, ends = encoded.tokens.starts[rows].tolist(), encoded.tokens.ends[rows].tolist()
        yield PageTokens(text=page.text, starts=starts, ends=ends, places=rows.tolist())


def cut_pages(pages: Sequence[PageTokens], sizes: PassageTuning = FITTED.passages) -> list[tuple[int, Passage]]:
    """Each passage of a document, with the index of the page that it begins on. A sentence may go over a page break."""
    passages: list[tuple[int, Passage]] = []
    for index, page in enumerate(pages):
        found = [
            replace(one, start=page.places[one.start], end=page.places[one.end - 1] + 1)
            for one in cut(page.text, page.starts, page.ends, sizes)
        ]
        if found and passages and _goes_over(pages[passages[-1][0]].text, page.text):
            begun, before = passages.pop()
            both = f"{before.text} {found[0].text}"
            passages.append((begun, Passage(start=before.start, end=found.pop(0).end, text=both)))
        passages += [(index, one) for one in found]
    return passages


def _goes_over(text: str, following: str) -> bool:
    """Whether a page ends within a sentence that the following one goes on with."""
    return following.lstrip()[:1].islower() and not text.rstrip().endswith(CLAUSE_ENDS)


def cut(
    text: str, starts: Sequence[int], ends: Sequence[int], sizes: PassageTuning = FITTED.passages
) -> Iterator[Passage]:
    """Cut a text into passages. Its token i covers characters [starts[i], ends[i]); tokens count from 0.

    A passage ends with a sentence, a row or a paragraph; if none ends within the longest passage, with the last line
    that fits.
    """
    whole = [bisect_left(starts, place) for place in sorted(set(_ends(text)))]
    lines = [bisect_left(starts, match.end()) for match in _LINE_END.finditer(text)]
    first = 0
    while first < len(starts):
        last = _last(first, len(starts), whole, lines, sizes)
        yield Passage(start=first, end=last, text=plain_letters(text[starts[first] : ends[last - 1]]))
        first = last


def _last(first: int, count: int, whole: Sequence[int], lines: Sequence[int], sizes: PassageTuning) -> int:
    """Where the passage that begins with token `first` of `count` ends."""
    end = whole[index] if (index := bisect_left(whole, first + sizes.shortest)) < len(whole) else count
    if end <= first + sizes.longest:
        return end
    if fits := lines[bisect_right(lines, first) : bisect_right(lines, first + sizes.longest)]:
        return fits[-1]
    return end if end <= first + sizes.longest_sentence else first + sizes.longest


def _ends(text: str) -> Iterator[int]:
    """The characters behind which a passage may end: around rows of tables, and behind sentences and paragraphs."""
    rows = row_spans(text)
    starts = [start for start, _ in rows]
    yield from (place for row in rows for place in row)
    for match in SENTENCE_END.finditer(text):
        row = bisect_right(starts, match.start()) - 1
        within = row >= 0 and match.start() < rows[row][1] - 1
        if not within and (match.group().isspace() or not _goes_on(text, match)):
            yield match.end()


def _goes_on(text: str, match: re.Match[str]) -> bool:
    """Whether a full stop is an abbreviation's, and not a sentence's."""
    behind = text[match.end() : match.end() + 40].lstrip()
    return behind[:1].islower() or _ABBREVIATION.search(text[max(0, match.start() - 12) : match.end()]) is not None


def has_sentences(text: str, tokens: int) -> bool:
    """Whether a text of so many tokens consists of sentences, not of lines as a form does."""
    return tokens < FITTED.passages.longest // 2 * (1 + sum(1 for _ in SENTENCE_END.finditer(text)))
