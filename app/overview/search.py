"""Where words stand in the documents: page search, without the model."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from model.errors import QuestionError
from model.types import Document

MOST_HITS = 100
LONGEST = 200  # characters
AROUND = 60  # characters that are shown on each side of a hit


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A place where the words stand: `page.text[start:end]` of the document with this key."""

    key: str
    name: str
    page: int
    start: int
    end: int
    before: str
    found: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """What was looked for, the first places, and how many there are in all."""

    words: str = ""
    first: tuple[Hit, ...] = ()
    total: int = 0


def search(documents: Sequence[Document], words: str) -> Hits:
    """Every place where the words stand one after the other, whatever the case and the spaces between them."""
    words = " ".join(words.split())
    if not words:
        raise QuestionError("There are 0 words to look for. Type what you want to find.")
    if len(words) > LONGEST:
        raise QuestionError(
            "The search has {n:,} characters; the limit is {limit}. Look for fewer words.", n=len(words), limit=LONGEST
        )
    pattern = re.compile(r"\s+".join(map(re.escape, words.split())), re.IGNORECASE)
    found = [hit for document in documents for hit in _hits(document, pattern)]
    return Hits(words=words, first=tuple(found[:MOST_HITS]), total=len(found))


def _hits(document: Document, pattern: re.Pattern[str]) -> Iterator[Hit]:
    for page in document.pages:
        for match in pattern.finditer(page.text):
            start, end = match.span()
            yield Hit(
                key=document.sha256,
                name=document.name,
                page=page.number,
                start=start,
                end=end,
                before=_before(page.text, start),
                found=match.group(),
                after=_after(page.text, end),
            )


def _before(text: str, start: int) -> str:
    """What stands before a hit, from the beginning of a word."""
    near = text[max(0, start - AROUND) : start]
    return near if start <= AROUND else "… " + re.split(r"\s", near, maxsplit=1)[-1]


def _after(text: str, end: int) -> str:
    """What stands after a hit, to the end of a word."""
    near = text[end : end + AROUND]
    return near if len(text) <= end + AROUND else re.sub(r"\s\S*$", "", near) + " …"
