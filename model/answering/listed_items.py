"""Lists that stand in a document, read whole: "What are the three sources of income?", "Which methods are used?".

The decoder writes the first item or two. Here the answer is all items of the list whose lead-in or heading has every
word of the question, in the document's words. A question that says how many it wants gets a list of so many; one that
does not gets a list that a colon announces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from model.answering.asking_words import EXCLUDING
from model.answering.quotes import Quote, answer_quoting
from model.answering.table_cells import compared_words, is_among
from model.answering.words import plain_letters
from model.types import Answer, Document, Page

_NUMBERS = {
    word: number
    for number, words in enumerate(
        (
            "two both zwei beiden deux dos",
            "three drei trois tres",
            "four vier quatre cuatro",
            "five funf cinq cinco",
            "six sechs seis",
            "seven sieben sept siete",
            "eight acht huit ocho",
            "nine neun neuf nueve",
            "ten zehn dix diez",
        ),
        start=2,
    )
    for word in words.split()
}
_NUMBER = re.compile(rf"\b(?:{'|'.join(_NUMBERS)})\b")
# In plain letters, of the page's languages. "Which of ..." asks for some items, "What is ..." for one thing.
_ASKING = re.compile(
    r"^(?:please |bitte )?(?:(?:in |for |from |at |by |on |to |with |into )?(?:which|what)(?! of\b)|who are|list|name"
    rf"|give|the (?={_NUMBER.pattern})|(?:in |bei |mit |fur )?welche[nr]?|was sind|nenne|liste"
    r"|(?:dans |pour )?quel(?:le)?s|cites?|citez|cuales|enumera|nombra|que(?= \w+s\b))\b"
)
_ONE = re.compile(r"^(?:what|which) (?:is|was|does|do|did|has|have|can|must|should|would|will)\b")
_SEVERAL = re.compile(
    r"^(?:please |bitte )?(?:list|name|give|nenne|liste|cites?|citez|enumera|nombra|was sind|cuales|que|who are"
    r"|welche|(?:\w+ )?quel(?:le)?s|(?:\w+ )?(?:which|what) (?:are (?:the )?)?(?:\w+ )?\w+s)\b"
)
_EMPTY = frozenset(_NUMBERS) | frozenset(
    re.findall(
        r"\w+",
        "which what who name names named give given list lists listed mentioned described following all ways way there "
        "kind kinds type types thing things are were does did have has make made up distinguished document page paper "
        "text one many other please bitte nenne liste genannt aufgezahlt dokument cite citez enumera nombra documento "
        "die fur",
    )
)
_MARK = re.compile(
    r"(?P<indent>[ \t]*)(?:(?P<bullet>[-•·▪–*●○◦■□➢✓\uf0b7\uf0a7])"
    r"|(?P<number>\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)]))[ \t]+(?=\S)"
)
_RUN_IN = re.compile(r"\W*(?P<name>\w[^.:–—]{0,79}?)[*_]*(?:\s*[:–—]|\s-\s|(?<=\w{3})\.\s)")  # what an item is about
_TAIL = re.compile(r"[\s.,;]*(?:(?<=[\s,;])(?:and|or|und|oder|et|ou|y|o))?[\s.,;]*$")
_RIGHT = 0.75  # share of such answers that were right: 12 of 16, of 6,774 questions about 234 documents
_MOST_ITEMS = 12  # of a list that is not counted in the question
_LONGEST = 1_000  # characters of an answer
_NEAR_LINES = 40  # above a list in which its heading stands
_LEAD_LINES = 4  # above a list that may announce it
_FIRST_LINES = 5  # of the next page, where a list may go on
_LONGEST_HEADING = 100  # characters
_WORDS_FOR_A_MISS = 3  # of a question that says how many it wants: one of them may be missing
_UNNAMED = 0.02  # what a word costs that a lead-in has and the question does not


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    words: frozenset[str]
    count: int  # 0: the question does not say how many

    @classmethod
    def of(cls, question: str) -> _Asked | None:
        """None where no list is asked for."""
        plain = plain_letters(question).strip(" ¿")
        number = _NUMBER.search(plain)
        if EXCLUDING.search(plain) or not _ASKING.search(plain) or _ONE.search(plain):
            return None
        if number is None and not _SEVERAL.search(plain):
            return None
        words = compared_words(plain) - _EMPTY
        return cls(words=words, count=_NUMBERS[number[0]] if number else 0) if words else None

    def fit(self, listing: _Listing) -> float | None:
        """How well a list is what the question names; None where it is not."""
        length = len(listing.items)
        if length != self.count if self.count else length > _MOST_ITEMS or not listing.is_announced_whole:
            return None
        words = compared_words(listing.lead)
        missing = sum(not is_among(word, words) for word in self.words)
        if missing > (self.count > 0 and len(self.words) >= _WORDS_FOR_A_MISS):
            return None
        return len(self.words) - 2 * missing + listing.is_announced_whole - _UNNAMED * len(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listing:
    """The items of a list, with what stands above it: its lead-in and its heading.

    is_announced_whole: a colon announces it, and neither items of another kind nor another page go on with it.
    """

    lead: str
    items: tuple[Quote, ...]
    is_announced_whole: bool


def listed(question: str, documents: Sequence[Document]) -> Answer | None:
    """All items of the list that a question names; None where it names none."""
    asked = _Asked.of(question)
    if asked is None:
        return None
    found = (
        (score, listing)
        for index, document in enumerate(documents)
        for page, following in zip(document.pages, (*document.pages[1:], None), strict=True)
        for listing in _listings(index, page, following)
        if (score := asked.fit(listing)) is not None
    )
    best = max(found, key=lambda pair: pair[0], default=None)
    if best is None:
        return None
    items = _named(best[1].items)
    text = "; ".join(one.text for one in items)
    return answer_quoting(question, text, items, documents, _RIGHT) if len(text) <= _LONGEST else None


def _named(items: Sequence[Quote]) -> list[Quote]:
    """The items, each as what it is about where nearly all begin with that: "Speed: how fast it is"."""
    names = [_RUN_IN.match(one.page.text, one.start, one.end) for one in items]
    if sum(name is not None for name in names) < max(2, len(items) - 1):
        return [_until(one, one.end) for one in items]
    return [_until(one, name.end("name") if name else one.end) for one, name in zip(items, names, strict=True)]


def _until(item: Quote, end: int) -> Quote:
    text = item.page.text[item.start : end]
    tail = _TAIL.search(text)
    end = item.start + (tail.start() if tail else len(text))
    return Quote(document_index=item.document_index, page=item.page, start=item.start, end=end)


def _listings(document_index: int, page: Page, following: Page | None) -> Iterator[_Listing]:
    """The lists of a page: lines that begin with the same kind of mark, and the lines that go on with them."""
    begins_with_items = following is not None and any(map(_MARK.match, following.text.split("\n")[:_FIRST_LINES]))
    lines = [(match.start(), match.group()) for match in re.finditer(r"[^\n]+|(?<=\n)(?=\n)", page.text)]
    at = 0
    while at < len(lines):
        last, starts = _run(lines, at)
        if len(starts) > 1:
            ends = [lines[one - 1][0] + len(lines[one - 1][1]) for one in (*starts[1:], last)]
            above = _above([line for _, line in lines[max(0, at - _NEAR_LINES) : at]])
            cut = (last == len(lines) and begins_with_items) or (last < len(lines) and _MARK.match(lines[last][1]))
            yield _Listing(
                lead=" ".join(above),
                items=tuple(
                    Quote(document_index=document_index, page=page, start=_behind_mark(*lines[one]), end=end)
                    for one, end in zip(starts, ends, strict=True)
                ),
                is_announced_whole=bool(above) and above[-1].endswith(":") and not cut,
            )
        at = max(last, at + 1)


def _run(lines: Sequence[tuple[int, str]], at: int) -> tuple[int, list[int]]:
    """Where the list that begins at a line ends, and the lines that its items begin at; none where none begins."""
    first = _MARK.match(lines[at][1])
    starts: list[int] = []
    if first is None:
        return at, starts
    after_blank = False
    end = at
    for index in range(at, len(lines)):
        line = lines[index][1]
        mark = _MARK.match(line)
        if mark and len(mark["indent"]) <= len(first["indent"]):
            if _kind(mark) != _kind(first):
                break
            starts.append(index)
        elif line.strip() and after_blank and not (mark or line[0].isspace()):
            break
        after_blank = not line.strip()
        end = end if after_blank else index + 1
    return end, starts


def _kind(mark: re.Match[str]) -> str:
    return mark["bullet"] or re.sub(r"\d+|[a-z]+", lambda found: "1" if found[0].isdigit() else "a", mark["number"])


def _behind_mark(start: int, line: str) -> int:
    mark = _MARK.match(line)
    return start + (mark.end() if mark else 0)


def _above(lines: Sequence[str]) -> list[str]:
    """The heading and the last paragraph above a list."""
    left = [line.strip() for line in lines]
    while left and not left[-1]:
        left.pop()
    lead: list[str] = []
    while left and left[-1] and len(lead) < _LEAD_LINES and not (lead and lead[0].startswith("#")):
        lead.insert(0, left.pop())
    heading = next((line for line in reversed(left) if _is_heading(line)), "")
    return [heading, *lead] if heading else lead


def _is_heading(line: str) -> bool:
    return 0 < len(line) <= _LONGEST_HEADING and line[-1] not in ".,;:"
