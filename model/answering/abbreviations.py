"""Whether a full stop belongs to an abbreviation, or to an ordinal number, and ends no sentence.

What stands behind it decides: a title is followed by a name, "Fig." by a number, "approx." by anything. Behind "Inc." a
sentence may end, and does where a word follows with which sentences begin. So "It was no. Then" are two sentences, and
"See no. 7" is one.
"""

from __future__ import annotations

import re
from typing import Final

from model.answering.stop_words import STOP_WORDS

# Of people: a name follows
_OF_PEOPLE: Final = """
mr mrs ms dr prof mme mlle messrs sr sra srta dra hon rev gen gov sen rep capt sgt lt col maj ing dipl mag
"""
# Where a number follows; else they are words or end a sentence
_BEFORE_NUMBERS: Final = """
no nos nr nrs núm num n° nº fig figs eq eqs sec secs sect vol vols ch chap chaps p pp pg pág págs pag art arts abs
par para abb tab bd bde kap ziff zif ref refs ex app anh tel min max lfd jan feb febr mar apr jun jul aug sep sept
oct okt nov dec dez mär janv févr avr juil déc ene abr ago dic str ca env aprox vers ver bgbl
"""
# Whatever follows
_IN_SENTENCES: Final = """
approx vs viz cf vgl e.g i.e z.b d.h u.a o.ä bzw resp incl excl inkl exkl zzgl bspw evtl ggf sog p.ej p.ex geb hl lt
jhd jh mio mrd
"""
# Unless a word follows with which sentences begin
_AT_ENDS_TOO: Final = """
inc corp ltd co bros dept est univ st al jr ave blvd assn intl natl govt mgmt ph.d u.s u.k u.n hrsg ed eds ff pres
"""
_BEGINNING: Final = """
die sie also then later after before however both each all since during while another any
"""
_TITLES, _NUMBERED, _WITHIN, _EITHER = (
    frozenset(words.split()) for words in (_OF_PEOPLE, _BEFORE_NUMBERS, _IN_SENTENCES, _AT_ENDS_TOO)
)
_BEGINNERS: Final = STOP_WORDS | frozenset(_BEGINNING.split())
_WORD: Final = re.compile(r"(?<![^\W\d_])(?:[^\W\d_]\.\s?|[^\W\d_]{2,3}\.)*[^\W\d_]\w*[°º]?$")
_NUMBER: Final = re.compile(r"[(\[#§]?(?:\d|[IVXLC]{2,}\b|[B-HJ-Z]\b|[AI]\b(?!\s[a-z]))")
_MONTH: Final = re.compile(r"(?:jan|feb|mär|apr|mai|jun|jul|aug|sep|okt|nov|dez)\w*|jahrhundert", re.IGNORECASE)
_DAY: Final = re.compile(r"(?<!\S)\d{1,2}$")
_ORDINAL: Final = re.compile(
    r"\b(?:der|die|das|de[mns]|[aiv][mn]|vom|zu[mr]|bis|eine?[mnrs]?)\s\d{1,2}$", re.IGNORECASE
)
_BEFORE, _BEHIND = 24, 40  # characters that are looked at


def goes_on(text: str, stop: int, behind: int) -> bool:
    """Whether the sentence goes on behind the full stop at `text[stop]`; what follows begins at `behind` or later."""
    before, following = text[max(0, stop - _BEFORE) : stop], text[behind : behind + _BEHIND].lstrip()
    if following[:1].islower():
        return True
    if before[-1:].isdigit():
        is_date = _DAY.search(before) and _MONTH.match(following)
        return bool(is_date or _ORDINAL.search(before))
    found = _WORD.search(before)
    return found is not None and _is_followed(found[0], following)


def _is_followed(word: str, following: str) -> bool:
    """Whether a word before a full stop is an abbreviation with which this belongs together."""
    small = word.lower().replace(" ", "")
    if small in _WITHIN or (small in _TITLES and word[0].isupper() and following[:1].isupper()):
        return True
    if small in _NUMBERED or small.endswith("str"):
        return _NUMBER.match(following) is not None
    first = re.match(r"\w+", following)
    return small in _EITHER and (first is None or first[0].lower() not in _BEGINNERS)
