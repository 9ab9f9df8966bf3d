"""Plain text: bytes -> text -> pages of a size that a person would read at once."""

import codecs
import re
from collections.abc import Iterator

PAGE_CHARACTERS = 3_000

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16: its mark begins with the same two bytes
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_CUTS = ("\f", "\n\n", "\n", " ")  # where a page may end, best first


def decode(data: bytes) -> str | None:
    """The text, or None where the bytes are none: a mark tells UTF-16, else UTF-8, else Windows-1252, else Latin-1."""
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    if _CONTROLS.search(data):
        return None
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(data)  # the last character may be cut off
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def split_pages(text: str, characters: int = PAGE_CHARACTERS) -> Iterator[str]:
    """Cut a text into pages at paragraphs, else at lines, else at words."""
    start = 0
    while len(text) - start > characters:
        end = _page_end(text, start, characters)
        yield text[start:end].strip("\n\f")
        start = end
    yield text[start:].strip("\n\f")


def _page_end(text: str, start: int, characters: int) -> int:
    for cut in _CUTS:
        found = text.rfind(cut, start + characters // 2, start + characters)
        if found >= 0:
            return found + len(cut)
    return start + characters
