"""Sentences of a page's text, whatever the language, and the sentence or row that some characters stand in.

Where a sentence ends depends on the purpose. A passage ends where those of training did (`SENTENCE_END`, and its own
abbreviations); a quote also ends behind a short number or word and before an item of a list, and goes on behind every
abbreviation that is known (`abbreviations.py`). The reranker and the edited negatives of training have simpler
rules of their own, with which their numbers were fitted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from model.answering.abbreviations import goes_on
from model.types import Page

SENTENCE_END = re.compile(  # after a word of at least three letters: "Mr." and "No." end no sentence
    r"(?:(?<=\w{3})|(?<=[)\]\"”’»%]))[.!?][\"'”’»)\]]*(?=\s)|(?<=[。！？])|\n\s*(?=\n)"
)
# As passages end; and behind a short number or word, which ends no passage ("No. 3."), and before each item of a list.
BOXES = "☐☑☒□❑❏❒"  # to tick
_QUOTE_END = re.compile(
    rf"{SENTENCE_END.pattern}|(?:(?<=\d)|(?<=\b[a-zß-ÿ]{{2}}))[.!?][\"'”’»)\]]*(?=\s)"
    rf"|\n(?=[#*•·▪■▶–\ufffd-] |[{BOXES}])"
)
_FULL_STOPS = (".", "!", "?", "。", "！", "？")
WHOLE_SENTENCE_ENDS = (*_FULL_STOPS, '"', "”", "»", ")")
CLAUSE_ENDS = (*_FULL_STOPS, ":", ";")  # behind which something new may begin
_LONGEST = 320  # characters of a sentence that is quoted whole


def spans(text: str, begin: int = 0) -> Iterator[tuple[int, int]]:
    """The sentences of text[begin:] as [start, end), without the space around them; a paragraph ends one, too."""
    start = begin
    for end in [*(end for end in _ends(text) if end > begin), len(text)]:
        part = text[start:end]
        if part.strip():
            yield start + len(part) - len(part.lstrip()), end - len(part) + len(part.rstrip())
        start = end


def _ends(text: str) -> Iterator[int]:
    for match in _QUOTE_END.finditer(text):
        if match.group() != "." or not goes_on(text, match.start(), match.end()):
            yield match.end()


def around(page: Page, start: int, end: int) -> tuple[int, int]:
    """The characters of the sentence that [start, end) stands in; in a table or a form, of its row or line.

    A row of a table is a line that names its columns (`app/documents/table.py`).
    """
    first, last = page.text.rfind("\n", 0, start) + 1, page.text.find("\n", end)
    line = first, len(page.text) if last < 0 else last
    if any(table.start < end and start < table.end for table in page.tables):
        return line
    begins_at = page.text.rfind("\n\n", 0, start)
    paragraph = max(begins_at + 2 if begins_at >= 0 else 0, start - 2 * _LONGEST)
    within = page.text[paragraph : end + 2 * _LONGEST]
    for begins, ends in spans(within):
        if begins <= start - paragraph and end - paragraph <= ends:
            sentence = within[begins:ends]
            is_whole = sentence.endswith(WHOLE_SENTENCE_ENDS) and len(sentence) <= _LONGEST
            return (paragraph + begins, paragraph + ends) if is_whole or "\n" not in sentence else line
    return line
