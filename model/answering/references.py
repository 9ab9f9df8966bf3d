"""What in a document is a reference to another one: an entry of a bibliography, or a footnote that cites.

Its title reads like a sentence, and is none of this document's own. It stands between authors and a year on one side
and a journal's volume and pages, or a publisher, on the other.
"""

from __future__ import annotations

import re
from typing import Final

_YEAR: Final = r"(?:1[5-9]|20)\d\d[a-z]?"
_INITIALS: Final = r"(?:[A-Z]\.[ -]?,? ?){1,4}"
_HEADING: Final = re.compile(
    r"^\W*(?:\d+\.?\s+|[IVX]+\.\s+)?(?:references|bibliography|works cited|literature cited|further reading"
    r"|literatur(?:verzeichnis)?|quellen(?:verzeichnis)?|références(?: bibliographiques)?|bibliographie"
    r"|referencias(?: bibliográficas)?|bibliografía|参考文献)\W*$",
    re.IGNORECASE | re.MULTILINE,
)
_NUMBER: Final = r"\[?\d{1,3}[\].]?\s+"
_AUTHOR: Final = rf"(?:[A-Z][\w'’-]+, ?{_INITIALS}|{_INITIALS}[A-Z][\w'’-]+)[,;&]?\s*(?:and |und |& ?)?"
_AUTHORS_BEFORE: Final = (
    re.compile(  # from a line's beginning on: "Holm, A., & Reid, B. C. (1998).", "3 Holm A, Reid BC."
        rf"^[^\S\n]*(?:{_NUMBER})?(?:{_AUTHOR})+"
        rf"\(?{_YEAR}\)?[.,:]\s*\Z|^{_NUMBER}(?:[A-Z][\w'’-]+ [A-Z]{{1,3}}(?:, |\.|\Z))+\s*(?:et al\.?)?\s*\Z",
        re.MULTILINE,
    )
)
_PLACE_BEHIND: Final = re.compile(
    rf"\s*[^.?!]{{3,100}}[.,]?\s+"
    rf"(?:{_YEAR}\s*[;:,]\s*\d|\d{{1,4}}\s?\(\d{{1,3}}\)|[Vv]ol\. \d|\d{{1,4}}, ?\d{{1,5}}[-–]\d)"
)
_CITES: Final = re.compile(
    rf"\b(?:Ibid|ebd|op\. cit|doi:|ISBN|NAL Call No)|{_YEAR};\s?\d+|\bpp?\. ?\d+[-–]\d+.*{_YEAR}"
    rf"|(?:Press|Verlag|Publishers?|Univ\.)[,:] {_YEAR}|^\W*\d{{0,3}}\W*In: [A-Z]|\bsee [A-Z]\w+, [\"“]"
    rf"|^\W*\[?\d{{1,3}}[\].]? [A-Z][\w'’-]+ [A-Z]{{1,3}}[.,] ",
    re.DOTALL,
)
_NEAR: Final = 240  # characters around a sentence in which authors and places of publication are looked for
_FIRST_ENTRY, _SHORTEST_ENTRY = 400, 40  # characters behind a heading of references; fewer: it ends its page
_ENTRIES_OF_LIST, _LONGEST_ENTRY = 5, 200  # so many on a page make it a bibliography, where they are most of it
_ENTRY: Final = re.compile(
    rf"(?:{_INITIALS}|[A-Z][\w'’-]+ [A-Z]{{1,3}}\b)[^\n]{{0,80}}\n?[^\n]{{0,80}}?\(?\b{_YEAR}\)?[.,;:]"
)


def list_begins(text: str) -> int | None:
    """Where a page's list of references begins; None where it has none."""
    if is_bibliography(text):
        return 0
    for found in _HEADING.finditer(text):
        behind = text[found.end() : found.end() + _FIRST_ENTRY].strip()
        if len(behind) < _SHORTEST_ENTRY or _ENTRY.search(behind):  # else it is a line of a table of contents
            return found.end()
    return None


def is_reference(text: str, start: int, end: int, *, in_list: bool) -> bool:
    """Whether the sentence [start, end) is part of a reference. in_list: it stands below a heading of references."""
    said, behind = text[start:end], text[end : end + _NEAR]
    before = text[max(0, start - _NEAR) : start]
    if _CITES.search(said) or _AUTHORS_BEFORE.search(before):
        return True
    near = f"{before[-_NEAR // 2 :]} {said} {behind[: _NEAR // 2]}"
    return in_list and (_PLACE_BEHIND.match(behind) is not None or re.search(rf"\b{_YEAR}\b", near) is not None)


def is_bibliography(text: str) -> bool:
    """Whether a page's text is a list of references more than anything else."""
    entries = sum(1 for _ in _ENTRY.finditer(text))
    return entries >= _ENTRIES_OF_LIST and entries * _LONGEST_ENTRY >= len(text)
