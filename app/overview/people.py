"""The people of a document: names beside which their office or title stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from model.types import Document

MOST_PAGES: Final = 30  # from the beginning, in which names are looked for
_NAME: Final = r"[A-ZÀ-Þ][a-zß-ÿ]+(?: [A-Z]\.)? [A-ZÀ-Þ](?:[a-zß-ÿ]|[’'-][A-Z]|(?<=c)[A-Z]|(?<=Mac)[A-Z])+"
ROLE: Final = re.compile(
    r"\b(?i:accountant|applicant|architect|assistant|attorney|author|buyer|cashier|ceo|cfo|chair(?:man|woman|person)?"
    r"|chief|client|coach|commissioner|consultant|coordinator|customer|dean|debtor|director|doctor|editor|employee"
    r"|employer|engineer|founder|founded|governor|head|inspector|investigator|judge|keeper|landlord|lawyer|leader"
    r"|lecturer|manager|mayor|minister|nurse|officer|owner|partner|patient|physician|president|principal|producer"
    r"|professor|representative|researcher|scientist|secretary|seller|senator|spokes(?:man|woman|person)|student"
    r"|supervisor|supplier|surgeon|teacher|tenant|treasurer|trustee|vendor|vice)\b"
)
_PLACE: Final = re.compile(r"\b(?:Avenue|Street|Road|Drive|Boulevard|Square|University|College|Company|Bank|Group)$")
_BEFORE: Final = r"\b(?:Dr|Prof|Mr|Ms|Mrs|Sir|President|Director|Governor|Senator|Judge|Mayor|Minister|Professor)\.? "
_IS: Final = r"(?:, |,? ?\(| (?:is|was|became) (?:the |a |an |our )?)"
_WITH_ROLE: Final = re.compile(
    rf"\b({_NAME})\b(?! [A-ZÀ-Þ]){_IS}[^.;()]{{0,50}}?{ROLE.pattern}|{_BEFORE}({_NAME})\b(?! [A-ZÀ-Þ])"
)


def people(document: Document) -> Iterator[str]:
    """Full names with an office: "Ines Barros, director of ...", "Dr. Ines Barros". Each name once.

    A word that stands small elsewhere names no person: "Investor Relations" beside "relations with investors".
    """
    pages = document.pages[:MOST_PAGES]
    small = {word for page in pages for word in re.findall(r"\b[a-zß-ÿ]{3,}\b", page.text)}
    found = (match[1] or match[2] for page in pages for match in _WITH_ROLE.finditer(" ".join(page.text.split())))
    yield from dict.fromkeys(name for name in found if _is_person(name) and small.isdisjoint(name.lower().split()))


def _is_person(name: str) -> bool:
    return not ROLE.search(name) and not _PLACE.search(name)
