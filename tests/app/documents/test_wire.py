"""What a worker says is held to account: whatever bytes come, the parent has a checked value or a refusal."""

import io
import json
import struct
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.limits import Limits
from app.documents.messages import (
    Cells,
    CellsJob,
    Confinement,
    DrawJob,
    Drawn,
    Failed,
    Finished,
    Mark,
    Marked,
    MarkJob,
    Opened,
    ReadJob,
    Reply,
    Start,
    Started,
)
from app.documents.wire import (
    LARGEST_HEADER,
    Frame,
    job_frame,
    job_of,
    reply_frame,
    reply_of,
    start_frame,
    start_of,
)
from app.documents.wire_fields import LONGEST_MESSAGE, MalformedMessage
from model.errors import Message
from model.types import Cell, Page, Progress, Table, Word

PAGE = Page(
    number=7, text="Größe: 3 µm", width=595.0, height=842.0, source="ocr", unread_boxes=2, figures=0.5, view="both",
    words=(Word(start=0, end=6, box=(0.1, 0.2, 0.3, 0.25)), Word(start=7, end=8, box=(0, 0, 1, 1), hidden=True)),
    unread_parts=("form fields", "figures"), label="Sheet 1", remark="taken to be in Shift-JIS",
    tables=(Table(start=0, end=8, rows=1, columns=2, cells=(Cell(row=0, column=1, start=7, end=8, header=True),)),),
)  # fmt: skip
REPLIES = [
    PAGE,
    Started(confinement=Confinement(holds=("no network (seccomp)",), lacks=("files",))),
    Opened(numbers=(1, 2, 9)),
    Progress(stage="recognising", done=1, total=3, unit="pages"),
    Drawn(image=b"\xff\xd8\xff", width=30, height=40),
    Cells(rows=(("id", "question"), ("", "Größe?\n中"))),
    Marked(data=b"%PDF-1.7 and more"),
    Failed(message=Message("{name!r} is damaged", name="a.pdf"), needs_password=True),
    Finished(),
]
BOX = st.tuples(*[st.floats()] * 4)


def received(data: bytes, largest: int = 1 << 20) -> Reply:
    return reply_of(Frame.receive(io.BytesIO(data).read, largest=largest))


def failed(message: object) -> bytes:
    return bytes(Frame(header={"kind": "Failed", "message": message, "needs_password": False}))


def told(message: Message) -> Message:
    """The message, as the parent hears it."""
    reply = received(bytes(reply_frame(Failed(message=message))))
    assert isinstance(reply, Failed)
    return reply.message


def test_a_message_keeps_its_template_and_its_values():
    reason = Message("{name!r} has {n:,} pages", name="b{n}.pdf", n=1234)
    heard = told(Message("{name} was not read: {reason}", name="a\n.zip", reason=reason))
    assert heard == "a .zip was not read: 'b{n}.pdf' has 1,234 pages"
    assert heard.template == "{name} was not read: {reason}" and heard.values["name"] == "a .zip"
    inner = heard.values["reason"]
    assert isinstance(inner, Message) and (inner.template, inner.values) == (reason.template, reason.values)


def test_a_message_that_is_too_large_is_cut():
    deep = Message("a")
    for _ in range(40):
        deep = Message("{inner}", inner=deep)
    for large in (deep, Message("{name} is damaged", name="x" * LONGEST_MESSAGE)):
        heard = told(large)
        assert heard == large[:LONGEST_MESSAGE] == heard.template


@pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: type(reply).__name__)
def test_what_is_said_is_what_is_heard(reply):
    assert received(bytes(reply_frame(reply))) == reply


def test_no_field_of_a_page_is_left_behind():
    plain = Page(number=1, text="", words=(), width=1.0, height=1.0)
    assert [field.name for field in fields(Page) if getattr(PAGE, field.name) == getattr(plain, field.name)] == []


def test_messages_to_the_worker_arrive():
    for job in (
        ReadJob(document="d", name="a.pdf", password="p", pages="1-2", after=1),
        DrawJob(document="d", name="a.pdf", path="/x", number=1, width=10, raw=True),
        CellsJob(document="d", name="a.xlsx"),
        MarkJob(document="d", name="a.pdf", marks=()),
        MarkJob(
            document="d",
            name="a.pdf",
            password="p",
            marks=(Mark(page=2, boxes=((0.1, 0.2, 0.3, 0.4), (0.0, 0.0, 1.0, 1.0)), note="Who?\n中", is_found=True),),
        ),
    ):
        assert job_of(job_frame(job)) == job
    start = Start(limits=Limits(max_pages=3), documents="/d", parent=1)
    assert start_of(start_frame(start)) == start


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'["a"]', b'[["a"], ["b", "c"]]', b'[["a"], [1]]', b'[["\\ud800"]]', b"[" * 99_999, b"[null]"]
)
def test_rows_that_are_no_table_of_texts_are_refused(body):
    with pytest.raises(MalformedMessage):
        reply_of(Frame(header={"kind": "Cells"}, body=body))


@given(st.binary(max_size=400))
def test_random_bytes_are_refused(data):
    with pytest.raises((MalformedMessage, EOFError)):
        received(data)


@given(st.integers(0, len(REPLIES) - 1), st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1))
def test_a_damaged_message_is_a_valid_one_or_refused(which, damage):
    data = bytearray(bytes(reply_frame(REPLIES[which])))
    for place, value in damage:
        data[place % len(data)] = value
    try:
        reply = received(bytes(data))
    except (MalformedMessage, EOFError):
        return
    check(reply)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    ),
    st.sampled_from([reply_frame(reply) for reply in REPLIES]),
    st.data(),
)
def test_a_field_of_another_kind_or_range_is_refused(value, frame, data):
    header = dict(frame.header)
    header[data.draw(st.sampled_from([*header, "more"]))] = value
    try:
        reply = reply_of(replace(frame, header=json.loads(json.dumps(header))))
    except MalformedMessage:
        return
    check(reply)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), BOX, st.booleans())))
def test_words_stand_in_their_text_and_on_their_page(words):
    header = reply_frame(PAGE).header | {"text": len(b"some words")}
    packed = b"".join(struct.pack("<II4d?", start, end, *box, hidden) for start, end, box, hidden in words)
    try:
        check(reply_of(Frame(header=header, body=b"some words" + packed)))
    except MalformedMessage:
        return


@given(st.binary(max_size=200))
def test_tables_point_into_their_text(table):
    frame = reply_frame(replace(PAGE, tables=()))
    try:
        check(reply_of(replace(frame, body=frame.body + table)))
    except MalformedMessage:
        return


@pytest.mark.parametrize(
    "data",
    [
        struct.pack(">II", LARGEST_HEADER + 1, 0),
        struct.pack(">II", 2, 1 << 31),
        struct.pack(">II", 60_000, 0) + b"[" * 60_000,
        struct.pack(">II", 4, 0) + b"null",
        struct.pack(">II", 0, 0),
        bytes(Frame(header={"kind": "Page"}, body=b"\xff")),
        bytes(Frame(header={"kind": "Finished"}, body=b"more")),
        bytes(Frame(header={"kind": "Finished", "more": 1})),
        bytes(Frame(header={"kind": "ReadJob"})),
        *map(
            failed,
            (
                "no message",
                {"template": "a\nb", "values": {}},
                {"template": "{n}", "values": {"n": "a\nb"}},
                {"template": "{n}", "values": {"n": True}},
                {"template": "{n}", "values": {"n": [1]}},
                {"template": "{n:.0f}", "values": {"n": 10**400}},
                {"template": "{n.__class__}", "values": {"n.__class__": 1}},
                {"template": "{n}" * 1_000, "values": {"n": "12345"}},
                {"template": "a", "values": {}, "more": 1},
            ),
        ),
        bytes(Frame(header={"kind": "Opened"}, body=struct.pack("<II", 2, 2))),
    ],
)
def test_lengths_and_kinds_are_checked_before_anything_is_made(data):
    with pytest.raises(MalformedMessage):
        received(data)


def test_more_than_is_allowed_is_not_read():
    source = io.BytesIO(bytes(reply_frame(Drawn(image=bytes(5_000), width=1, height=1))))
    with pytest.raises(MalformedMessage):
        Frame.receive(source.read, largest=4_000)
    assert source.tell() == 8


def check(reply: Reply) -> None:
    """The laws that any value obeys that the parent takes."""
    match reply:
        case Page():
            assert reply.number >= 1 and 0 < reply.width < 1e7 and 0 < reply.height < 1e7 and 0 <= reply.figures <= 1
            assert reply.text.encode().decode() == reply.text
            position = 0
            for word in reply.words:
                assert position <= word.start < word.end <= len(reply.text)
                assert 0 <= word.box[0] <= word.box[2] <= 1 and 0 <= word.box[1] <= word.box[3] <= 1
                position = word.end
            for table in reply.tables:
                assert 0 <= table.start <= table.end <= len(reply.text)
                for cell in table.cells:
                    assert cell.row + cell.row_span <= table.rows and cell.column + cell.column_span <= table.columns
                    assert 0 <= cell.start <= cell.end <= len(reply.text)
        case Progress():
            assert 0 <= reply.done <= reply.total
        case Opened():
            assert list(reply.numbers) == sorted(set(reply.numbers))
        case Failed():
            assert reply.message.isprintable() and len(reply.message) <= LONGEST_MESSAGE
