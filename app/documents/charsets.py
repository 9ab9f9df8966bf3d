"""In which encoding a text is written: by its mark, as UTF-8, by what it declares, or by statistics."""

import codecs
import re
from dataclasses import dataclass

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16: its mark begins with the same two bytes
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A text, its encoding by Python's name, and whether the encoding was guessed from how often letters occur."""

    text: str
    encoding: str
    is_guessed: bool = False

    @property
    def remark(self) -> str:
        """What a reader should know: nothing where the encoding is certain."""
        return f"Its text was taken to be in {self.encoding}." if self.is_guessed else ""


def looks_like_text(data: bytes) -> bool:
    return not _CONTROLS.search(data[:4096]) or data.startswith(tuple(_MARKS))


def decode(data: bytes, declared: str | None = None) -> Decoded | None:
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return Decoded(text=data.decode(encoding, errors="replace"), encoding=encoding)
    if _CONTROLS.search(data):
        return None
    try:
        return Decoded(text=data.decode("utf-8"), encoding="utf-8")
    except UnicodeDecodeError:
        return Decoded(text=data.decode("cp1252", errors="replace"), encoding="cp1252", is_guessed=True)


_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.I)


def declared_encoding(data: bytes) -> str | None:
    """What a page says of itself in its first bytes: `<meta charset=...>`, `<?xml encoding=...?>`."""
    match = _DECLARED.search(data[:4096])
    return match[1].decode("ascii") if match is not None else None
