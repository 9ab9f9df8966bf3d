"""Files that hold files: mail with attachments, saved web pages (MHT), ZIP archives of documents."""

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from email import policy
from email.message import EmailMessage
from email.message import Message as MailPart
from email.parser import BytesParser
from pathlib import PurePosixPath

from app.documents.charsets import decode
from app.documents.flow.blocks import Block, Heading, Paragraph, Preformatted, Section
from app.documents.flow.source import FlowingSource
from app.documents.formats import EXTENSIONS
from app.documents.html_text import web_blocks
from app.documents.joined_source import JoinedSource, Part
from app.documents.source import Source
from model.errors import DocumentError, Message

MIB = 1 << 20
MOST_FILES = 500
MAX_UNPACKED = 512 * MIB
FIELDS = ("From", "To", "Cc", "Date")
LONGEST_REASON = 300  # characters

Remark = tuple[str, Message]
"""The name of a file that cannot be read, and why."""

Opened = Callable[[bytes, str], Source]
"""Opens the content of a file by its name. Raises DocumentError."""


def open_mail(data: bytes, name: str, opened: Opened) -> Source:
    """A message and its attachments, or a saved page. Raises DocumentError."""
    message = BytesParser(policy=policy.default).parsebytes(data)
    resources = dict(_resources(message))
    body = tuple(_body(message, resources))
    attachments = [
        (_file_name(part, index), _payload(part)) for index, part in enumerate(_attachments(message), start=1)
    ]
    parts, remarks = _open_all(attachments[:MOST_FILES], opened)
    blocks = (*_head(message), *body, *_listed(remarks))
    if not any(isinstance(block, Paragraph | Preformatted) and block.text.strip() for block in blocks) and not parts:
        raise DocumentError("{name!r} is a message without text and attachments: export it again.", name=name)
    return JoinedSource([Part(source=FlowingSource([Section(blocks=blocks)])), *parts])


def open_archive(data: bytes, name: str, opened: Opened) -> Source:
    """The documents in a ZIP archive, behind a list of what it holds. Raises DocumentError."""
    try:
        parts, remarks = _open_all(_members(data, name), opened)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise DocumentError(
            "{name!r} is a ZIP archive that is damaged or protected by a password: unpack it, and drop its files.",
            name=name,
        ) from error
    if not parts:
        reason = Message.joined(
            " ", [Message("{name} was not read: {reason}", name=one, reason=why) for one, why in remarks]
        )
        raise DocumentError(
            "{name!r} holds no document that can be read: {reason}",
            name=name,
            reason=reason or Message("unpack it, and drop its files."),
        )
    names = [Paragraph(text=part.name, marker="•") for part in parts]
    contents = FlowingSource(
        [Section(blocks=(Heading(text=f"Files in {name}"), *names, *_listed(remarks)), label="Contents")]
    )
    return JoinedSource([Part(source=contents), *parts])


def _open_all(files: Iterable[tuple[str, bytes]], opened: Opened) -> tuple[list[Part], list[Remark]]:
    """The files that can be opened, and for each other the reason."""
    parts: list[Part] = []
    remarks: list[Remark] = []
    for name, data in files:
        try:
            parts.append(Part(source=opened(data, name), name=name))
        except DocumentError as error:
            remarks.append((name, error.message))
    return parts, remarks


def _listed(remarks: Iterable[Remark]) -> Iterator[Paragraph]:
    for name, reason in remarks:
        yield Paragraph(text=f"{name} was not read: {reason[:LONGEST_REASON]}", marker="•")


def _members(data: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [
            member
            for member in archive.infolist()
            if not member.is_dir()
            and member.filename.lower().endswith(EXTENSIONS)
            and not member.filename.startswith("__MACOSX")
        ]
        unpacked = sum(member.file_size for member in members)
        if len(members) > MOST_FILES or unpacked > MAX_UNPACKED:
            raise DocumentError(
                "{name!r} holds {count:,} documents of {size:,.0f} MiB, and {most} of "
                "{limit} MiB is the limit: unpack it, and drop the files that matter.",
                name=name,
                count=len(members),
                size=unpacked / MIB,
                most=MOST_FILES,
                limit=MAX_UNPACKED // MIB,
            )
        for member in members:
            yield PurePosixPath(member.filename).name, archive.read(member)


def _head(message: EmailMessage) -> Iterator[Block]:
    """Subject, from whom, to whom and when; of a saved page nothing: it has a title of its own."""
    if message.get_content_type() == "multipart/related" and "snapshot-content-location" in message:
        return
    if subject := _field(message, "Subject"):
        yield Heading(text=subject)
    lines = [f"{name}: {value}" for name in FIELDS if (value := _field(message, name))]
    if lines:
        yield Paragraph(text="\n".join(lines))


def _field(message: EmailMessage, name: str) -> str:
    try:
        return " ".join(str(message.get(name, "")).split())
    except Exception:  # the parser fails on some fields that mail programs write
        return ""


def _body(message: EmailMessage, resources: dict[str, bytes]) -> Iterator[Block]:
    try:
        part = message.get_body(preferencelist=("html", "plain"))
    except Exception:  # a broken structure
        part = None
    if part is None:
        return
    decoded = decode(_payload(part), part.get_content_charset())
    if decoded is None:
        return
    if part.get_content_type() == "text/html":
        yield from web_blocks(decoded.text, resources)
    else:
        yield Preformatted(text=decoded.text.strip("\r\n"))


def _attachments(message: EmailMessage) -> Iterator[EmailMessage]:
    """The attached files; pictures that the text shows are part of it."""
    try:
        body = message.get_body(preferencelist=("html", "plain"))
    except Exception:  # a broken structure
        body = None
    for part in message.walk():
        is_file = part.get_content_disposition() == "attachment" or part.get_filename() is not None
        is_shown = part.get("Content-ID") is not None and part.get_content_maintype() == "image"
        if isinstance(part, EmailMessage) and part is not body and is_file and not is_shown and part is not message:
            yield part


def _resources(message: EmailMessage) -> Iterator[tuple[str, bytes]]:
    """The pictures that came with the text, by the addresses that it has for them."""
    for part in message.walk():
        if isinstance(part, EmailMessage) and part.get_content_maintype() == "image":
            data = _payload(part)
            if identity := str(part.get("Content-ID", "")).strip("<> "):
                yield f"cid:{identity}", data
            if location := str(part.get("Content-Location", "")).strip():
                yield location, data


def _payload(part: MailPart) -> bytes:
    if part.get_content_type() == "message/rfc822":
        inner = part.get_payload()
        first = inner[0] if isinstance(inner, list) and inner else None
        return first.as_bytes() if isinstance(first, MailPart) else b""
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _file_name(part: EmailMessage, index: int) -> str:
    name = part.get_filename() or (f"message {index}.eml" if part.get_content_type() == "message/rfc822" else "")
    return PurePosixPath(name.replace("\\", "/")).name or f"attachment {index}"
