"""Fonts whose codes are not what they stand for in others: ticks, boxes, bullets, and ligatures under a wrong name.

Sources: the encodings of ITC Zapf Dingbats (ISO 32000-2, annex D.6) and of Microsoft's Wingdings.
"""

from collections.abc import Mapping, Sequence
from typing import Any

_DINGBATS = {
    "3": "✓", "4": "✔", "5": "✕", "6": "✖", "7": "✗", "8": "✘", "l": "●", "m": "○", "n": "■",
    "o": "☐", "p": "☐", "q": "☐", "r": "☐", "H": "★", "u": "◆", "\xd4": "➔", "\xd5": "→", "\xd8": "➢",
}  # fmt: skip
_WINGDINGS = {
    "l": "●", "m": "○", "n": "■", "o": "☐", "p": "☐", "q": "☐", "r": "☐", "u": "◆", "w": "◆",
    "\x9f": "•", "\xa7": "▪", "\xa8": "☐", "\xd8": "➢", "\xe0": "→", "\xfb": "✘", "\xfc": "✔", "\xfd": "☒", "\xfe": "☑",
}  # fmt: skip
_WINGDINGS_2 = {"O": "✗", "P": "✓", "Q": "☒", "R": "☑", "S": "☒", "T": "☒", "\x97": "•", "\xa3": "☐", "\xa2": "■"}
LIGATURES = {"i": "fi", "l": "fl", "f": "ff"}  # by the letter that a font says instead
NO_WIDTH = 0.2  # points: the letters of a known ligature but one
_WIDER = 1.7  # times the letter's own width
_PRIVATE = 0xF000  # Microsoft's symbol fonts have their codes from here on


def symbols_of(font: str) -> Mapping[str, str]:
    """What the codes of a font stand for; nothing for fonts of letters. font: its name in the file."""
    name = font.rpartition("+")[2].replace(" ", "").replace("-", "").casefold()
    if "dingbats" in name:
        return _DINGBATS
    if not name.startswith("wingdings"):
        return {}
    codes = _WINGDINGS_2 if name.startswith("wingdings2") else {} if name.startswith("wingdings3") else _WINGDINGS
    return codes | {chr(_PRIVATE + ord(code)): symbol for code, symbol in codes.items()}


def letters_of(span: Mapping[str, Any], *, upright: bool) -> list[str]:
    """The letters of a stretch of one font. upright: it runs across, so a letter's box has its width.

    A letter far wider than another of its name is drawn as two: the ligature has the name of its last letter.
    """
    chars, symbols = span["chars"], symbols_of(span["font"])
    letters = [symbols.get(char["c"], char["c"]) for char in chars]
    for letter, ligature in LIGATURES.items() if upright else ():
        places = [place for place, text in enumerate(letters) if text == letter]
        least = min((width for place in places if (width := _width(chars[place])) > NO_WIDTH), default=0.0)
        for place in places if len(places) > 1 else ():
            if _width(chars[place]) > _WIDER * least > 0 and not _is_among_wide(chars, place):
                letters[place] = ligature
    return letters


def _is_among_wide(chars: Sequence[Mapping[str, Any]], place: int) -> bool:
    """Whether the letters beside one are as wide, or wider than others of their names: all are set so.

    Beside a letter without a width stands the rest of a ligature that has its name.
    """
    beside = [*chars[max(place - 1, 0) : place], *chars[place + 1 : place + 2]]
    widths = [_width(char) for char in beside]
    alike = all(abs(width - _width(chars[place])) < NO_WIDTH / 4 for width in widths)
    least = [min(_width(other) for other in chars if other["c"] == char["c"]) for char in beside]
    wide = any(width > 1.2 * own for width, own in zip(widths, least, strict=True))
    return alike or wide or min(widths, default=0.0) <= NO_WIDTH


def _width(char: Mapping[str, Any]) -> float:
    return float(char["bbox"][2] - char["bbox"][0])
