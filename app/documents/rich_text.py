"""Rich text (RTF) -> blocks: groups in braces, control words, and text in the code pages of its fonts."""

import codecs
import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from app.documents.flow.blocks import Block, Heading, PageBreak, Paragraph, Section, plain_table
from app.documents.formats import damaged_error

_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z'])|([{}])|([^\\{}\r\n]+)|[\r\n]+", re.S
)
_CHARSETS = {
    128: "cp932", 129: "cp949", 130: "johab", 134: "gb18030", 136: "big5", 161: "cp1253", 162: "cp1254", 163: "cp1258",
    177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250", 77: "mac_roman",
}  # fmt: skip
_PAGES_OF_MARKS = {b"mac": "mac_roman", b"pc": "cp437", b"pca": "cp850"}
_SIGNS = {
    b"tab": "\t", b"line": "\n", b"emdash": "—", b"endash": "–", b"emspace": " ", b"enspace": " ", b"bullet": "•",
    b"lquote": "‘", b"rquote": "’", b"ldblquote": "“", b"rdblquote": "”", b"~": "\u00a0", b"_": "-",
}  # fmt: skip
_NO_TEXT = {
    b"colortbl", b"info", b"pict", b"objdata", b"fldinst", b"header", b"headerl", b"headerr", b"headerf", b"footer",
    b"footerl", b"footerr", b"footerf", b"nonshppict", b"xe", b"tc", b"themedata", b"datastore", b"filetbl",
    b"listtable", b"listoverridetable", b"revtbl", b"rsidtbl", b"generator", b"bkmkstart", b"bkmkend", b"sp",
    b"fontemb",
}  # fmt: skip
_HEADING = re.compile(rb"heading (\d)", re.I)
MOST_DEPTH = 2_000  # groups in each other
MOST_TEXT = 50_000_000  # characters


@dataclass(frozen=True, slots=True)
class _State:
    """What holds in a group. is_text: its text is shown; table: a table of fonts or styles that is being read."""

    is_text: bool = True
    is_hidden: bool = False
    fallback: int = 1  # characters after a Unicode one for programs that do not know it
    encoding: str = ""
    font: int = 0
    table: bytes = b""
    is_note: bool = False
    is_cell: bool = False
    heading: int | None = None


def rich_text_sections(data: bytes, name: str) -> list[Section]:
    """The document as one section. Raises DocumentError for groups in groups without end."""
    reader = _Reader()
    position, deepest = 0, 0
    while position < len(data) and len(reader.stack) <= MOST_DEPTH and reader.length < MOST_TEXT:
        match = _TOKEN.match(data, position)
        if match is None:  # a lone backslash at the end
            break
        position = match.end() + reader.token(match)
        deepest = max(deepest, len(reader.stack))
    if deepest > MOST_DEPTH or reader.length >= MOST_TEXT:
        raise damaged_error(name, "RTF")
    return [Section(blocks=tuple(reader.finished()))]


class _Reader:
    def __init__(self) -> None:
        self.stack: list[_State] = []
        self.length = 0
        self._state = _State()
        self._page = "cp1252"
        self._fonts: dict[int, str] = {}
        self._headings: dict[int, int] = {}
        self._style = 0
        self._is_start = False  # of a group: its first word may name what the group is for
        self._is_optional = False  # the word after \*: a group that older programs leave out
        self._skip = 0  # characters that stand for a Unicode one
        self._bytes = bytearray()
        self._text: list[str] = []
        self._note: list[str] = []
        self._notes: list[Block] = []
        self._cells: list[str] = []
        self._rows: list[list[str]] = []
        self._blocks: list[Block] = []
        self._words: dict[bytes, Callable[[int | None], None]] = {
            b"par": lambda _: self._end_paragraph(), b"sect": lambda _: self._end_paragraph(),
            b"page": lambda _: self._end_page(), b"cell": lambda _: self._end_cell(), b"row": lambda _: self._end_row(),
            b"nestcell": lambda _: self._say("; "), b"nestrow": lambda _: self._say("\n"),
            b"pard": lambda _: self._plain(), b"intbl": lambda _: self._set(is_cell=True),
            b"u": self._unicode, b"uc": lambda n: self._set(fallback=n or 0), b"f": self._use_font,
            b"v": lambda n: self._set(is_hidden=n != 0), b"deleted": lambda n: self._set(is_hidden=n != 0),
            b"ansicpg": self._code_page, b"outlinelevel": self._outline,
            b"s": self._use_style, b"fcharset": self._charset,
        }  # fmt: skip

    def token(self, match: re.Match[bytes]) -> int:
        """Take a token; the result is how many bytes after it are no text."""
        word, number, code, sign, brace, text = match.groups()
        if brace:
            self._brace(brace)
        elif word:
            return self._word(word, int(number) if number is not None else None)
        elif code:
            self._characters(bytes([int(code, 16)]))
        elif sign:
            self._sign(sign)
        elif text:
            self._characters(text)
        if match[0].strip():
            self._is_start = brace == b"{" or (sign == b"*" and self._is_start)
        return 0

    def finished(self) -> list[Block]:
        """All blocks, the notes last."""
        self._end_paragraph()
        self._end_table()
        return self._blocks + self._notes

    def _brace(self, brace: bytes) -> None:
        self._flush()
        if brace == b"{":
            self.stack.append(self._state)
        elif self.stack:
            was_note = self._state.is_note
            self._state = self.stack.pop()
            if was_note and not self._state.is_note:
                self._end_note()
        self._is_optional = False

    def _word(self, word: bytes, number: int | None) -> int:
        is_start, self._is_start = self._is_start, False
        is_optional, self._is_optional = self._is_optional, False
        if word == b"bin":
            return max(number or 0, 0)
        if word in (b"fonttbl", b"stylesheet"):
            self._set(table=word, is_text=False)
        elif word == b"footnote":
            self._set(is_note=True)
        elif word == b"shptxt":
            self._end_paragraph()
            self._set(is_text=True)
        elif word in _NO_TEXT or (is_start and is_optional):
            self._set(is_text=False)
        elif word in _PAGES_OF_MARKS:
            self._page = _PAGES_OF_MARKS[word]
        elif word in _SIGNS:
            self._say(_SIGNS[word])
        elif (act := self._words.get(word)) is not None:
            act(number)
        return 0

    def _sign(self, sign: bytes) -> None:
        if sign == b"*":
            self._is_optional = True
        elif sign in _SIGNS:
            self._say(_SIGNS[sign])
        elif sign in (b"\\", b"{", b"}"):
            self._characters(sign)
        elif sign in (b"\r", b"\n"):
            self._end_paragraph()

    def _characters(self, data: bytes) -> None:
        """Text in the code page of its font; what stands for a Unicode character is left out."""
        skipped = min(self._skip, len(data))
        self._skip -= skipped
        if self._state.table == b"stylesheet" and (match := _HEADING.search(data)):
            self._headings.setdefault(self._style, int(match[1]))
        self._bytes += data[skipped:]

    def _flush(self) -> None:
        if self._bytes:
            text = bytes(self._bytes).decode(self._state.encoding or self._page, "replace")
            self._bytes.clear()
            self._put(text)

    def _say(self, text: str) -> None:
        self._flush()
        self._put(text)

    def _put(self, text: str) -> None:
        if self._state.is_text and not self._state.is_hidden:
            (self._note if self._state.is_note else self._text).append(text)
            self.length += len(text)

    def _unicode(self, number: int | None) -> None:
        code = (number or 0) % 0x10000
        self._flush()
        previous = self._text[-1] if self._text else ""
        if 0xDC00 <= code < 0xE000 and previous and 0xD800 <= ord(previous[-1]) < 0xDC00:  # the second half of a pair
            self._text[-1] = previous[:-1] + chr(0x10000 + ((ord(previous[-1]) - 0xD800) << 10) + code - 0xDC00)
        else:
            self._put(chr(code))
        self._skip = self._state.fallback

    def _set(self, **changes: Any) -> None:
        self._flush()
        self._state = replace(self._state, **changes)

    def _plain(self) -> None:
        self._style = 0
        self._set(heading=None, is_cell=False)

    def _outline(self, level: int | None) -> None:
        if self._state.table == b"stylesheet":
            self._headings[self._style] = (level or 0) + 1
        else:
            self._set(heading=(level or 0) + 1)

    def _use_style(self, number: int | None) -> None:
        self._style = number or 0
        if self._state.table != b"stylesheet":
            self._set(heading=self._headings.get(self._style))

    def _use_font(self, number: int | None) -> None:
        self._set(font=number or 0, encoding=self._fonts.get(number or 0, ""))

    def _charset(self, number: int | None) -> None:
        if self._state.table == b"fonttbl" and number in _CHARSETS:
            self._fonts[self._state.font] = _CHARSETS[number]

    def _code_page(self, number: int | None) -> None:
        with contextlib.suppress(LookupError):
            self._page = codecs.lookup(f"cp{number}").name

    def _take_text(self) -> str:
        self._flush()
        text = "".join(self._text)
        self._text.clear()
        return text

    def _end_note(self) -> None:
        text = "".join(self._note).strip()
        self._note.clear()
        mark = f"[{len(self._notes) + 1}]"
        self._notes.append(Paragraph(text=text, marker=mark))
        self._say(mark)

    def _end_paragraph(self) -> None:
        self._flush()
        if self._state.is_note or not self._state.is_text:
            self._note.append(" ")
            return
        if self._cells or self._state.is_cell:
            self._text.append("\n")
            return
        if not "".join(self._text).strip():
            self._text.clear()
            return
        text = self._take_text()
        self._end_table()
        level = self._state.heading
        self._blocks.append(Paragraph(text=text) if level is None or level > 9 else Heading(text=text, level=level))

    def _end_page(self) -> None:
        self._end_paragraph()
        self._end_table()
        self._blocks.append(PageBreak())

    def _end_cell(self) -> None:
        self._cells.append(self._take_text().strip())

    def _end_row(self) -> None:
        self._rows.append(self._cells)
        self._cells = []
        self._text.clear()

    def _end_table(self) -> None:
        if self._rows:
            self._blocks.append(plain_table(self._rows))
            self._rows = []
