"""In which encoding a text is written: by its mark, as UTF-8, by what it declares, or by how likely its letters are."""

import codecs
import contextlib
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from app.documents.alphabets import LANGUAGES
from app.documents.letter_statistics import letters_likelihood, oddities

SAMPLE = 8_000  # bytes that are judged
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16: its mark begins with the same two bytes
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_NAMES = {  # as people know them
    "gb18030": "GB 18030 (GBK)", "big5hkscs": "Big5", "cp932": "Shift JIS", "euc_jp": "EUC-JP", "cp949": "EUC-KR",
    "koi8_r": "KOI8-R", "koi8_u": "KOI8-U", "cp874": "Windows-874 (Thai)", "cp866": "code page 866",
    "cp437": "code page 437",
    "cp850": "code page 850", "cp852": "code page 852", "mac_roman": "Mac Roman", "mac_latin2": "Mac Central European",
    "mac_cyrillic": "Mac Cyrillic", "iso2022_jp": "ISO-2022-JP", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16",
    "utf-32-le": "UTF-32", "utf-32-be": "UTF-32", "utf-8": "UTF-8",
}  # fmt: skip
_WIDER = {  # what is declared by these names is often written in a larger encoding of the same family
    "iso8859-1": "cp1252", "ascii": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932",
    "euc_kr": "cp949", "big5": "big5hkscs", "iso8859-9": "cp1254", "tis-620": "cp874", "iso8859-11": "cp874",
}  # fmt: skip
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_SHIFTS = re.compile(rb"\x1b\$[@B]|\x1b\([BJI]")  # of ISO-2022-JP
_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.I)
_DOUBTFUL = 40.0  # how much likelier than what is declared another encoding has to be, as a logarithm
LEAST_LIKELIHOOD = -9.5  # of a character on the average, as a logarithm: random ones have -12
BROKEN = 0.02  # share of bytes that may be broken in a text that is UTF-8 otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A text, its encoding by Python's name, and whether that was guessed from its letters."""

    text: str
    encoding: str
    is_guessed: bool = False

    @property
    def remark(self) -> str:
        """What a reader should know: nothing where the encoding is certain."""
        if not self.is_guessed:
            return ""
        return f"text taken to be in {_shown_name(self.encoding)}: save the file as UTF-8 if it reads wrong"


def decode(data: bytes, declared: str | None = None) -> Decoded | None:
    """The text, or None where the bytes are none. declared: the encoding that the file or its bearer names."""
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return Decoded(text=data.decode(encoding, errors="replace"), encoding=encoding)
    if (wide := _wide_encoding(data)) is not None:
        return Decoded(text=data.decode(wide, errors="replace"), encoding=wide, is_guessed=True)
    if _CONTROLS.search(data):
        wide = _wide_without_spaces(data)
        return Decoded(text=data.decode(wide, errors="replace"), encoding=wide, is_guessed=True) if wide else None
    if data.isascii() and _SHIFTS.search(data):
        return Decoded(text=data.decode("iso2022_jp_2", errors="replace"), encoding="iso2022_jp", is_guessed=True)
    if (text := _as_utf_8(data)) is not None:
        return Decoded(text=text, encoding="utf-8")
    name = _python_name(declared)
    encoding = _likeliest(_sample(data), name)
    return Decoded(text=data.decode(encoding, errors="replace"), encoding=encoding, is_guessed=encoding != name)


def looks_like_text(data: bytes) -> bool:
    """Whether the first bytes can be those of a text."""
    head = data[:4096]
    return (
        data.startswith(tuple(_MARKS))
        or not _CONTROLS.search(head)
        or _wide_encoding(head) is not None
        or _wide_without_spaces(head) is not None
    )


def declared_encoding(data: bytes) -> str | None:
    """What a page says of itself in its first bytes: `<meta charset=...>`, `<?xml encoding=...?>`."""
    match = _DECLARED.search(data[:4096].replace(b"\0", b""))
    return match[1].decode("ascii", "replace") if match is not None else None


def _as_utf_8(data: bytes) -> str | None:
    with contextlib.suppress(UnicodeDecodeError):
        return data.decode("utf-8")
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    return text if broken < BROKEN * sum(not char.isascii() for char in text) else None


def _wide_encoding(data: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark: every second byte, or three of four, are of few kinds."""
    head = data[: SAMPLE - SAMPLE % 4]
    if len(head) < 4 or (b"\0" not in head and len(data) % 2):
        return None
    if head.count(0) > 0.7 * len(head):
        names = ("utf-32-le", "utf-32-be")
    elif len(data) % 2 == 0 or head.count(0) > 0.3 * len(head):
        names = ("utf-16-le", "utf-16-be")
    else:
        return None
    return next((name for name in names if _is_plausible(head[: len(head) - len(head) % 4], name)), None)


def _wide_without_spaces(data: bytes) -> str | None:
    """UTF-16 in a script that writes no spaces, so that no byte is zero."""
    sample = data[:SAMPLE]
    if len(data) % 2 or b"\0" in sample:
        return None
    found = _likelihoods(sample, ("utf-16-le", "utf-16-be"))
    best = max(found, key=lambda name: found[name])
    return best if found[best] > LEAST_LIKELIHOOD * len(sample) / 2 else None


def _is_plausible(head: bytes, encoding: str) -> bool:
    """Whether a text in units of two or four bytes has the spaces, line ends and neighbouring letters of one."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return False
    common = sum(char in " \n\r\t.,，。、" or (char.isascii() and char.isalnum()) for char in text)
    blocks = {ord(char) >> 8 for char in text}
    is_of_one_script = len(blocks) <= 4 or all(
        0x4E <= block <= 0x9F or block in (0, 0x20, 0x30, 0xFF) for block in blocks
    )
    has_odd = any(ord(char) < 9 or 0xD800 <= ord(char) < 0xE000 or char in "\ufffe\uffff" for char in text)
    return b"\0" in head and common > 0 and is_of_one_script and not has_odd and "\0" not in text


def _likeliest(sample: bytes, declared: str | None) -> str:
    """The encoding in which the sample is the likeliest text; what is declared, unless another is far likelier."""
    names = [name for name in LANGUAGES if not name.startswith("utf-16") or len(sample) % 2 == 0]
    found = _likelihoods(sample, names)
    best = max(found, key=lambda name: found[name])
    if declared is None or not (declared in found or _decodes(sample, declared)):
        return best
    return declared if found.get(declared, found[best]) >= found[best] - _DOUBTFUL else best


def _likelihoods(sample: bytes, encodings: Iterable[str]) -> dict[str, float]:
    """The likelihood of each encoding that reads the bytes; of those far behind only that of their letters."""
    texts: dict[str, str] = {}
    for encoding in encodings:
        with contextlib.suppress(UnicodeDecodeError):
            texts[encoding] = sample.decode(encoding)
    found = {encoding: letters_likelihood(text, encoding) for encoding, text in texts.items()}
    best = -math.inf
    for encoding in sorted(found, key=lambda name: found[name], reverse=True):
        if found[encoding] > best - _DOUBTFUL:
            found[encoding] -= oddities(texts[encoding])
            best = max(best, found[encoding])
    return found or {"latin-1": -math.inf}  # which reads anything


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def _sample(data: bytes) -> bytes:
    """Lines with other bytes than ASCII, until they are enough."""
    if len(data) <= SAMPLE:
        return data
    lines: list[bytes] = []
    size = 0
    for line in data.splitlines(keepends=True):
        if not line.isascii():
            lines.append(line)
            size += len(line)
        if size > SAMPLE:
            break
    return b"".join(lines)


def _python_name(declared: str | None) -> str | None:
    if not declared:
        return None
    try:
        name = codecs.lookup(declared).name
    except LookupError:
        return None
    return None if name.startswith("utf") else _WIDER.get(name, name)


def _shown_name(encoding: str) -> str:
    if encoding.startswith("cp125"):
        return f"Windows-{encoding[2:]}"
    return _NAMES.get(encoding) or encoding.upper().replace("ISO8859_", "ISO 8859-")
