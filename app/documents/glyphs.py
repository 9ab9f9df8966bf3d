"""The glyphs of a line as they are printed -> its letters as they are read.

A PDF says which glyph stands where. What a reader sees as one letter can be two glyphs (an accent and its letter), and
two glyphs one letter (bold type made by drawing it twice); a raised 1 is no part of the number before it.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import Any

from app.documents.characters import VOWELS, clean
from app.documents.geometry import Rect
from app.documents.symbol_fonts import letters_of

SMALL = 0.85  # of the line's size: from here down a shifted glyph is a raised or lowered one
SHIFT = 0.07  # of the line's size
DOUBLED = 0.7  # of a glyph's width: the same glyph nearer than this is drawn again
SPACED_LETTERS = 4  # single letters in a row that make a word set wide
TOUCHING = 0.1  # of a letter's size: between letters as near as this is no space

_RAISED = str.maketrans("0123456789+-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻")
_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_MARKS = {
    "`": "\u0300", "´": "\u0301", "ˆ": "\u0302", "^": "\u0302", "˜": "\u0303", "~": "\u0303", "¯": "\u0304",
    "˘": "\u0306", "˙": "\u0307", "¨": "\u0308", "˚": "\u030a", "˝": "\u030b", "ˇ": "\u030c", "¸": "\u0327",
    "˛": "\u0328",
}  # fmt: skip
_DOTLESS = {"ı": "i", "ȷ": "j"}
_IN_NUMBERS = frozenset(".,:/٫٬-")
_UNITS = 2  # letters of a unit of measure, at most: m², km²
_NOTED = re.compile(r"(?:[\d.,]{3}|[^\W\d_]{4}|[%)])$")  # figures and words that bear the mark of a note; "2e" does not
_NOTES = frozenset("abcdfghijk")  # letters of notes behind a figure; a raised e or o makes an ordinal of it
_TYPED = re.compile(r"(?<!\S)(?:[^\W\d_\u2e80-\uffef] ){3,}[^\W\d_](?!\S)")  # "R E P O R T"


@dataclass(frozen=True, slots=True)
class Glyph:
    """A printed character. `apart` tells that a word begins with it, though no space stands before it."""

    text: str
    box: Rect
    base: float  # y of the baseline
    size: float
    made_up: bool = False  # a space that MuPDF saw in a gap
    apart: bool = False

    @property
    def is_space(self) -> bool:
        return self.text.isspace()


def line_glyphs(raw: dict[str, Any], fewest: int = SPACED_LETTERS) -> list[Glyph]:
    """The letters of one of MuPDF's lines, in the order in which they are read.

    fewest: how many single letters with wide spaces between them are taken for a word.
    """
    spans = [span for span in raw["spans"] if span["chars"]]
    glyphs = [
        Glyph(letter, char["bbox"], char["origin"][1], span["size"], char["synthetic"])
        for span in spans
        for letter, char in zip(letters_of(span, upright=raw["dir"] == (1.0, 0.0)), span["chars"], strict=True)
    ]
    if not glyphs:
        return glyphs
    text = "".join(glyph.text for glyph in glyphs)
    plain = text.isascii() and text.isprintable()
    glyphs = _once(glyphs, upright=abs(raw["dir"][0]) > 0.9)
    if not plain or any(mark in text for mark in "`^~"):
        glyphs = _cleaned(_composed(_unswapped(glyphs)))
    if not text.isascii():
        glyphs = _numbers_forward(glyphs)
    if raw["dir"] == (1.0, 0.0) and len({(span["size"], span["origin"][1]) for span in spans}) > 1:
        glyphs = _shifted_apart(glyphs)
    return _closed_up(glyphs, text, fewest)


def _once(glyphs: list[Glyph], *, upright: bool) -> list[Glyph]:
    """Without glyphs that are drawn a second time, a little beside the first. upright: the line runs across."""
    start, end = (0, 2) if upright else (1, 3)
    kept = glyphs[:1]
    for glyph in glyphs[1:]:
        last = kept[-1]
        if glyph.text == last.text and glyph.box[0] != last.box[2]:
            step = abs(glyph.box[0] - last.box[0]) + abs(glyph.box[1] - last.box[1])
            if step < DOUBLED * (last.box[end] - last.box[start]) and not (glyph.is_space and step):
                continue
        kept.append(glyph)
    return kept


def _unswapped(glyphs: list[Glyph]) -> list[Glyph]:
    """A glyph for two Arabic letters has its letters in their order: MuPDF turns the line round, and them with it."""
    kept = list(glyphs)
    for index, (one, other) in enumerate(pairwise(glyphs)):
        narrow = one.box[2] - one.box[0] < 0.01
        if narrow and _is_right_to_left(one.text) and abs(one.box[0] - other.box[2]) < 0.1:
            kept[index], kept[index + 1] = other, one
    return kept


def _composed(glyphs: list[Glyph]) -> list[Glyph]:
    """Accents joined with the letters that they stand over."""
    kept: list[Glyph] = []
    waiting: Glyph | None = None
    for glyph in glyphs:
        if waiting is not None and glyph.is_space and glyph.made_up:
            continue
        if waiting is not None:
            if _over(waiting.box, glyph.box) and glyph.text.isalpha():
                kept.append(replace(glyph, text=_accented(glyph.text, waiting.text)))
                waiting = None
                continue
            kept.append(waiting)
            waiting = None
        if glyph.text in _MARKS and kept and _over(glyph.box, kept[-1].box) and kept[-1].text.isalpha():
            kept[-1] = replace(kept[-1], text=_accented(kept[-1].text, glyph.text))
        elif glyph.text in _MARKS:
            waiting = glyph
        else:
            kept.append(glyph)
    kept = [*kept, waiting] if waiting is not None else kept
    return _without_false_spaces(kept) if len(kept) < len(glyphs) else kept


def _without_false_spaces(glyphs: list[Glyph]) -> list[Glyph]:
    """Without spaces that MuPDF saw beside a narrow accent, where the letter under it touches its neighbour."""
    touching = {
        index + 1
        for index, (one, space, other) in enumerate(zip(glyphs, glyphs[1:], glyphs[2:], strict=False))
        if space.is_space and space.made_up and abs(other.box[0] - one.box[2]) < TOUCHING * one.size
    }
    return [glyph for index, glyph in enumerate(glyphs) if index not in touching]


def _accented(letter: str, mark: str) -> str:
    return unicodedata.normalize("NFC", _DOTLESS.get(letter, letter) + _MARKS[mark])


def _over(mark: Rect, letter: Rect) -> bool:
    shared = min(mark[2], letter[2]) - max(mark[0], letter[0])
    return shared > 0.5 * (mark[2] - mark[0])


def _cleaned(glyphs: list[Glyph]) -> list[Glyph]:
    if glyphs[-1].text == "\u00ad":  # a soft hyphen that ends a line is printed
        glyphs = [*glyphs[:-1], replace(glyphs[-1], text="-")]
    return [
        cleaned
        for glyph in glyphs
        for char in ((glyph.text,) if glyph.text.isascii() and glyph.text.isprintable() else clean(glyph.text))
        for cleaned in (glyph if char == glyph.text else replace(glyph, text=char),)
    ]


def _numbers_forward(glyphs: list[Glyph]) -> list[Glyph]:
    """Numbers in a line that runs to the left: their digits run to the right."""
    if not any(_is_right_to_left(glyph.text) or glyph.text.isdecimal() for glyph in glyphs):
        return glyphs
    kept: list[Glyph] = []
    number: list[Glyph] = []
    for glyph in [*glyphs, None]:
        if glyph is not None and (glyph.text.isdecimal() or (number and glyph.text in _IN_NUMBERS)):
            number.append(glyph)
            continue
        kept += _forward(number)
        number = []
        if glyph is not None:
            kept.append(glyph)
    return kept


def _forward(number: list[Glyph]) -> list[Glyph]:
    tail: list[Glyph] = []
    while number and not number[-1].text.isdecimal():
        tail.insert(0, number.pop())
    backward = len(number) > 1 and all(one.box[0] > other.box[0] for one, other in pairwise(number))
    return (number[::-1] if backward else number) + tail


def _is_right_to_left(text: str) -> bool:
    return unicodedata.bidirectional(text[:1]) in ("R", "AL")


def _shifted_apart(glyphs: list[Glyph]) -> list[Glyph]:
    """Raised and lowered digits as such, a raised one apart from the number or the word that it stands behind."""
    printed = [glyph for glyph in glyphs if not glyph.is_space]
    if not printed:
        return glyphs
    size = max({glyph.size for glyph in printed}, key=lambda size: sum(glyph.size == size for glyph in printed))
    base = median(glyph.base for glyph in printed if glyph.size == size)
    kept: list[Glyph] = []
    for index, glyph in enumerate(glyphs):
        rise = (base - glyph.base) / size if glyph.size < SMALL * size else 0.0
        before = "".join(other.text for other in kept[-4:])
        if rise > SHIFT and _is_note(glyphs, index, before):
            x0, _, x1, _ = glyph.box  # as high as its word, or it would stand in the row above
            kept.append(replace(glyph, box=(x0, kept[-1].box[1], x1, kept[-1].box[3]), apart=True))
        elif abs(rise) < SHIFT or not (glyph.text.isdecimal() or glyph.text in "+-") or _in_fraction(glyphs, index):
            kept.append(glyph)
        elif rise > 0:
            starts = not (kept and kept[-1].size < SMALL * size) and not _is_power(before)
            kept.append(replace(glyph, text=glyph.text.translate(_RAISED), apart=starts and bool(before.strip())))
        else:
            after_number = before[-1:].isdecimal() or (before[-1:] in "₀₁₂₃₄₅₆₇₈₉" and bool(before))
            kept.append(replace(glyph, text=glyph.text.translate(_LOWERED)) if after_number else glyph)
    return kept


def _is_note(glyphs: list[Glyph], index: int, before: str) -> bool:
    """Whether a raised letter is the mark of a note: by itself, or before a comma, behind a figure or a whole word."""
    glyph, last, following = glyphs[index], glyphs[index - 1], glyphs[index + 1 : index + 2]
    first = index > 0 and last.size > 1.1 * glyph.size
    single = not any(other.text.isalpha() and other.size < 1.1 * glyph.size for other in following)
    letter = "a" <= glyph.text <= "z" if before[-1:].islower() else glyph.text in _NOTES
    return letter and first and single and _NOTED.search(before) is not None


def _is_power(before: str) -> bool:
    """Whether a raised digit behind this belongs to it: a unit, a variable, the ten of a power of ten."""
    letters = len(before) - len(before.rstrip("".join(char for char in before if char.isalpha())))
    if letters:
        return letters <= _UNITS
    return before.endswith("10") and not before[:-2][-1:].isdecimal() and before[:-2][-1:] not in (".", ",", "$", "€")


def _in_fraction(glyphs: list[Glyph], index: int) -> bool:
    around = [glyphs[place].text for place in (index - 1, index + 1) if 0 <= place < len(glyphs)]
    return any(text in "/⁄" for text in around)


def _closed_up(glyphs: list[Glyph], text: str, fewest: int) -> list[Glyph]:
    """Words that are set with wide letter spacing as words: spaces were typed, or MuPDF sees one behind each letter."""
    seen = sum(glyph.made_up for glyph in glyphs) >= fewest - 1 and len(text.split()) >= fewest
    if not seen and not _is_typed_wide(text):
        return glyphs
    kept: list[Glyph] = []
    for run, spaced in _runs(glyphs, fewest):
        kept += _joined(run) if spaced else run
    return kept


def _is_typed_wide(text: str) -> bool:
    """Whether letters with a typed space behind each make words, and no list such as A B C."""
    found = _TYPED.search(text)
    letters = found[0].casefold().split() if found else []
    return letters != sorted(letters) and 1 < sum(letter in VOWELS for letter in letters) < len(letters)


def _runs(glyphs: list[Glyph], fewest: int) -> Iterator[tuple[list[Glyph], bool]]:
    """Stretches of single letters with spaces between them, and what stands between such stretches."""
    words: list[list[Glyph]] = [[]]
    for glyph in glyphs:  # each word with the space before it
        if glyph.is_space and words[-1] and not words[-1][-1].is_space:
            words.append([])
        words[-1].append(glyph)
    run: list[list[Glyph]] = []
    for word in [*words, None]:
        letters = [glyph for glyph in word if not glyph.is_space] if word is not None else []
        if word is not None and len(letters) == 1 and (_is_letter(letters[0].text) or len(run) >= fewest):
            run.append(word)
            continue
        yield [glyph for part in run for glyph in part], len(run) >= fewest
        yield word or [], False
        run = []


def _is_letter(text: str) -> bool:
    return (text.isalpha() and not "\u2e80" <= text <= "\uffef") or text in "&.-"


def _joined(run: list[Glyph]) -> list[Glyph]:
    letters = [glyph for glyph in run if not glyph.is_space]
    gaps = [other.box[0] - one.box[2] for one, other in pairwise(letters)]
    usual = median(gaps)
    kept = letters[:1]
    if run[0].is_space:
        kept.insert(0, run[0])
    for gap, letter in zip(gaps, letters[1:], strict=True):
        kept.append(replace(letter, apart=True) if gap > 1.6 * max(usual, 0.1) else letter)
    return kept
