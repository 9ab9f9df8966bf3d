"""Fonts of symbols, whose codes are not the letters that they stand for in others: ticks, boxes, bullets.

Sources: the encodings of ITC Zapf Dingbats (ISO 32000-2, annex D.6) and of Microsoft's Wingdings.
"""

from collections.abc import Mapping

_DINGBATS = {
    "3": "✓", "4": "✔", "5": "✕", "6": "✖", "7": "✗", "8": "✘", "l": "●", "m": "○", "n": "■",
    "o": "☐", "p": "☐", "q": "☐", "r": "☐", "H": "★", "u": "◆", "\xd4": "➔", "\xd5": "→", "\xd8": "➢",
}  # fmt: skip
_WINGDINGS = {
    "l": "●", "m": "○", "n": "■", "o": "☐", "p": "☐", "q": "☐", "r": "☐", "u": "◆", "w": "◆",
    "\x9f": "•", "\xa7": "▪", "\xa8": "☐", "\xd8": "➢", "\xe0": "→", "\xfb": "✘", "\xfc": "✔", "\xfd": "☒", "\xfe": "☑",
}  # fmt: skip
_WINGDINGS_2 = {"O": "✗", "P": "✓", "Q": "☒", "R": "☑", "S": "☒", "T": "☒", "\x97": "•", "\xa3": "☐", "\xa2": "■"}
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
