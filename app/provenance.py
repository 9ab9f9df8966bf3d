"""Figures as people read them: sizes, times, counts, and the receipt under an answer."""

from collections.abc import Sequence
from typing import Literal

from model.errors import Message
from model.types import Answer, Document, EncodedDocument

MEGABYTE = 1_000_000
DOUBT = "Not sure of this answer: check it on the pages."
Noun = Literal["page", "token", "place", "word", "document", "question", "answer", "minute", "sheet", "row", "column"]


def receipt(encoded: Sequence[EncodedDocument], answer: Answer) -> Message:
    """What reading cost once, and what this answer cost."""
    pages = [page for one in encoded for page in one.document.pages]
    seen = sum(page.view != "text" for page in pages)
    tokens = sum(one.token_count for one in encoded)
    read: Message = counted(len(pages), "page")
    if seen:
        read = Message("{pages} ({n:,} seen as pictures)", pages=read, n=seen)
    cost = Message(
        "read once: {pages}, {tokens}, {reading} - this answer: {answer}, re-read: {again:,}",
        pages=read,
        tokens=counted(tokens, "token"),
        reading=seconds(sum(one.encode_seconds for one in encoded)),
        answer=seconds(answer.seconds),
        again=answer.encoder_tokens,
    )
    return Message.joined(" · ", [cost, *([_looked_at(answer)] if 0 < answer.shown_tokens < tokens else [])])


def library_receipt(documents: int, tokens: int, answer: Answer) -> Message:
    """What of the library was asked, and what this answer cost."""
    cost = Message(
        "asked {documents} of the library ({tokens}, read once) - this answer: {answer}, re-read: {again:,}",
        documents=counted(documents, "document"),
        tokens=counted(tokens, "token"),
        answer=seconds(answer.seconds),
        again=answer.encoder_tokens,
    )
    return Message.joined(" · ", [cost, _looked_at(answer)])


def _looked_at(answer: Answer) -> Message:
    return Message("looked at {tokens}", tokens=counted(answer.shown_tokens, "token"))


def so_far(part: EncodedDocument, pages: int) -> Message:
    """Says that an answer knows only the first pages of a document of so many."""
    return Message(
        "Answered from the first {read} of {all:,} of {name}.",
        read=counted(pages_read(part), "page"),
        all=pages,
        name=part.document.name,
    )


def pages_read(part: EncodedDocument) -> int:
    """How many pages, from the first one, a part of a document has."""
    last = int(part.tokens.pages.max())
    return sum(page.number <= last for page in part.document.pages)


def counted(number: int, noun: Noun) -> Message:
    """`1 page`, `1,234 pages`; in each language in the plural that the number takes."""
    template = "{n:,} " + noun + ("" if number == 1 else "s")
    return Message(template, n=number)


def seconds(value: float) -> Message:
    """Precise where it is short: `0.84 s`, `12.3 s`, `2 min 5 s`."""
    if value < 0.995:
        return Message("{n:.2f} s", n=value)
    if value < 99.95:
        return Message("{n:.1f} s", n=value)
    minutes, rest = divmod(round(value), 60)
    return Message("{m} min {s} s", m=minutes, s=rest)


def roughly(value: float) -> str:
    """A remaining time, no more precise than anybody can know it."""
    if value < 10:
        return "a few seconds left"
    if value < 90:
        return f"about {round(value / 5) * 5} s left"
    return f"about {round(value / 60)} min left"


def before_you(count: int, seconds: float | None) -> str:
    """A place in a queue: how many go first, and for about how long."""
    if not count:
        return "your turn is next"
    if seconds is None:
        return f"{count:,} before you"
    if seconds < 10:
        return f"{count:,} before you, a few seconds"
    if seconds < 90:
        return f"{count:,} before you, about {round(seconds / 5) * 5} s"
    return f"{count:,} before you, about {round(seconds / 60)} min"


def megabytes(size: int) -> Message:
    value = size / MEGABYTE
    return Message("{n:,.1f} MB", n=value) if size < 99.5 * MEGABYTE else Message("{n:,.0f} MB", n=value)


def places(numbers: Sequence[int]) -> Message:
    """Page numbers in a few words."""
    first = ", ".join(str(number) for number in numbers[:5])
    if len(numbers) == 1:
        return Message("page {list}", list=first)
    return Message("pages {list}", list=f"{first}{', …' if len(numbers) > 5 else ''}")


def unreadable(document: Document) -> list[Message]:
    """What of a document could not be read because its file is damaged, a remark for each kind of part."""
    found: dict[str, list[int]] = {}
    for page in document.pages:
        for part in page.unread_parts:
            found.setdefault(part, []).append(page.number)
    return [
        Message("unreadable: {kind} ({where})", kind=Message(part), where=places(numbers))
        for part, numbers in found.items()
    ]
