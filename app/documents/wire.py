"""Messages as bytes: a header in JSON and raw bytes behind it, their lengths before both, and nothing executable.

The worker has opened files from outside, so whoever wrote one of them may speak in its place. What comes from it is
held to account field by field: its type, its range, and how it fits to the rest. Anything else is a `MalformedMessage`.
"""

import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from app.documents.limits import Limits
from app.documents.messages import (
    Cells,
    Confinement,
    Drawn,
    Failed,
    Finished,
    Job,
    Mark,
    Marked,
    Opened,
    Reply,
    Start,
    Started,
)
from app.documents.wire_fields import LONGEST_MESSAGE, Fields, MalformedMessage
from app.documents.wire_messages import packed_message, printable, unpacked_message
from app.documents.wire_tables import packed_tables, unpacked_tables
from model.types import Box, Page, PagePart, PageView, Progress, Word

LARGEST_HEADER = 1 << 16  # bytes
MOST_PAGES = 1 << 20  # above any file's
SMALLEST_PAGE, LARGEST_PAGE = 1e-6, 1e6  # points of a side; the latter are 350 m
LARGEST_PICTURE = 1 << 15  # pixels of a side

_LENGTHS = struct.Struct(">II")  # of the header and of the body
_WORD = struct.Struct("<II4d?")  # start, end, box, hidden
_NUMBER = struct.Struct("<I")
_PAGE_FIELDS = (
    "number", "width", "height", "source", "unread_boxes", "unread_parts", "figures", "view", "label", "remark"
)  # fmt: skip
_STAGES: tuple[Literal["opening", "reading", "recognising"], ...] = ("opening", "reading", "recognising")
_SOURCES: tuple[Literal["text", "ocr"], ...] = ("text", "ocr")

Read = Callable[[int], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A message on its way."""

    header: dict[str, Any]
    body: bytes = b""

    def __bytes__(self) -> bytes:
        header = json.dumps(self.header, allow_nan=False).encode()
        return _LENGTHS.pack(len(header), len(self.body)) + header + self.body

    @classmethod
    def receive(cls, read: Read, *, largest: int) -> "Frame":
        """The next frame. `read` gives so many bytes, or fewer where the stream ends.

        Raises EOFError, and MalformedMessage before more than `largest` bytes are read.
        """
        header_length, body_length = _LENGTHS.unpack(_exactly(read, _LENGTHS.size))
        if header_length > LARGEST_HEADER or header_length + body_length > largest:
            raise MalformedMessage(f"{header_length:,} + {body_length:,} bytes")
        return cls(header=_json(_exactly(read, header_length), dict), body=_exactly(read, body_length))


def start_frame(start: Start) -> Frame:
    return Frame(header=asdict(start))


def start_of(frame: Frame) -> Start:
    """What the parent said; it is trusted."""
    return Start(**{**frame.header, "limits": Limits(**frame.header["limits"])})


def job_frame(job: Job) -> Frame:
    header = {"kind": type(job).__name__, **asdict(job)}
    marks = header.pop("marks", None)  # a header has no room for them
    return Frame(header=header, body=b"" if marks is None else json.dumps(marks, ensure_ascii=False).encode())


def job_of(frame: Frame) -> Job:
    """What the parent said; it is trusted."""
    kinds = {kind.__name__: kind for kind in get_args(Job)}
    fields = {name: value for name, value in frame.header.items() if name != "kind"}
    if frame.body:
        fields["marks"] = tuple(
            Mark(**{**mark, "boxes": tuple(map(tuple, mark["boxes"]))}) for mark in json.loads(frame.body)
        )
    return kinds[frame.header["kind"]](**fields)


def reply_frame(reply: Reply) -> Frame:
    fields: dict[str, Any] = {"kind": type(reply).__name__}
    match reply:
        case Page():
            text = reply.text.encode()
            fields |= {"text": len(text), **{name: getattr(reply, name) for name in _PAGE_FIELDS}}
            fields |= {name: printable(getattr(reply, name)) for name in ("label", "remark")}
            words = b"".join(_WORD.pack(word.start, word.end, *word.box, word.hidden) for word in reply.words)
            fields["words"] = len(words)
            return Frame(header=fields, body=text + words + packed_tables(reply))
        case Drawn():
            return Frame(header=fields | {"width": reply.width, "height": reply.height}, body=reply.image)
        case Marked():
            return Frame(header=fields, body=reply.data)
        case Cells():
            return Frame(header=fields, body=json.dumps(reply.rows).encode())
        case Opened():
            return Frame(header=fields, body=b"".join(map(_NUMBER.pack, reply.numbers)))
        case Failed():
            told = {"message": packed_message(reply.message), "needs_password": reply.needs_password}
            return Frame(header=fields | told)
        case _:
            return Frame(header=fields | asdict(reply))


def reply_of(frame: Frame) -> Reply:
    """What a worker said. Raises MalformedMessage."""
    fields = Fields(frame.header)
    kind = fields.text("kind", LONGEST_MESSAGE)
    if kind not in _READERS or (frame.body and kind not in _WITH_BODY):
        raise MalformedMessage(kind)
    reply = _READERS[kind](fields, frame.body)
    fields.check_all_read()
    return reply


def _page(fields: Fields, body: bytes) -> Page:
    length = fields.integer("text", 0, len(body))
    try:
        text = body[:length].decode()
    except UnicodeDecodeError as error:
        raise MalformedMessage("text") from error
    end = length + fields.integer("words", 0, len(body) - length)
    try:
        tables = tuple(unpacked_tables(body[end:], len(text)))
    except ValueError as error:
        raise MalformedMessage("tables") from error
    return Page(
        number=fields.integer("number", 1, MOST_PAGES),
        text=text,
        words=tuple(_words(body[length:end], len(text))),
        tables=tables,
        width=fields.number("width", SMALLEST_PAGE, LARGEST_PAGE),
        height=fields.number("height", SMALLEST_PAGE, LARGEST_PAGE),
        source=fields.one_of("source", _SOURCES),
        unread_boxes=fields.integer("unread_boxes", 0, MOST_PAGES),
        unread_parts=fields.some_of("unread_parts", get_args(PagePart)),
        figures=fields.number("figures", 0.0, 1.0),
        view=fields.one_of("view", get_args(PageView)),
        label=fields.text("label", LONGEST_MESSAGE),
        remark=fields.text("remark", LONGEST_MESSAGE),
    )


def _words(body: bytes, characters: int) -> Iterator[Word]:
    """Words in the text's order, on the page."""
    if len(body) % _WORD.size:
        raise MalformedMessage("words")
    position = 0
    for start, end, x0, y0, x1, y1, hidden in _WORD.iter_unpack(body):
        box: Box = (x0, y0, x1, y1)
        if not (position <= start < end <= characters and 0 <= x0 <= x1 <= 1 and 0 <= y0 <= y1 <= 1):
            raise MalformedMessage("words")
        yield Word(start=start, end=end, box=box, hidden=hidden)
        position = end


def _drawn(fields: Fields, body: bytes) -> Drawn:
    width, height = (fields.integer(side, 1, LARGEST_PICTURE) for side in ("width", "height"))
    return Drawn(image=body, width=width, height=height)


def _marked(_: Fields, body: bytes) -> Marked:
    if b"%PDF-" not in body[:1024]:
        raise MalformedMessage("no PDF")
    return Marked(data=body)


def _cells(_: Fields, body: bytes) -> Cells:
    rows = _json(body, list)
    width = len(rows[0]) if rows and isinstance(rows[0], list) else 0
    return Cells(rows=tuple(_row(row, width) for row in rows))


def _row(row: object, width: int) -> tuple[str, ...]:
    if not isinstance(row, list) or len(row) != width or not all(isinstance(cell, str) for cell in row):
        raise MalformedMessage("rows")
    try:
        "".join(row).encode()  # a lone surrogate is no character
    except UnicodeEncodeError as error:
        raise MalformedMessage("rows") from error
    return tuple(row)


def _opened(_: Fields, body: bytes) -> Opened:
    if len(body) % _NUMBER.size:
        raise MalformedMessage("numbers")
    numbers = tuple(number for (number,) in _NUMBER.iter_unpack(body))
    if any(not before < number <= MOST_PAGES for before, number in zip((0, *numbers), numbers, strict=False)):
        raise MalformedMessage("numbers")
    return Opened(numbers=numbers)


def _progress(fields: Fields, _: bytes) -> Progress:
    total = fields.integer("total", 0, MOST_PAGES)
    stage = fields.one_of("stage", _STAGES)
    return Progress(
        stage=stage, done=fields.integer("done", 0, total), total=total, unit=fields.one_of("unit", ("pages",))
    )


def _failed(fields: Fields, _: bytes) -> Failed:
    message = unpacked_message(fields.mapping("message", 2))
    return Failed(message=message, needs_password=fields.flag("needs_password"))


def _started(fields: Fields, _: bytes) -> Started:
    inner = fields.fields("confinement")
    confinement = Confinement(holds=inner.lines("holds"), lacks=inner.lines("lacks"))
    inner.check_all_read()
    return Started(confinement=confinement)


_READERS: dict[str, Callable[[Fields, bytes], Reply]] = {
    "Page": _page,
    "Drawn": _drawn,
    "Cells": _cells,
    "Marked": _marked,
    "Opened": _opened,
    "Progress": _progress,
    "Failed": _failed,
    "Started": _started,
    "Finished": lambda _fields, _body: Finished(),
}
_WITH_BODY = ("Page", "Drawn", "Cells", "Marked", "Opened")


def _json(data: bytes, kind: type) -> Any:
    """A JSON text whose outermost value is of this kind."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MalformedMessage("no JSON") from error
    if not isinstance(value, kind):
        raise MalformedMessage(f"no {kind.__name__}")
    return value


def _exactly(read: Read, count: int) -> bytes:
    """So many bytes. Raises EOFError where there are no more."""
    data = read(count)
    while len(data) < count:
        more = read(count - len(data))
        if not more:
            raise EOFError(f"{count - len(data)} bytes are missing")
        data += more
    return data
