"""Figures as people read them: sizes, times, counts, and the receipt under an answer."""

from collections.abc import Sequence

from model.types import Answer, Document, EncodedDocument

MEGABYTE = 1_000_000


def receipt(encoded: Sequence[EncodedDocument], answer: Answer) -> str:
    """What reading cost once, and what this answer cost."""
    pages = [page for one in encoded for page in one.document.pages]
    seen = sum(page.view != "text" for page in pages)
    tokens = sum(one.token_count for one in encoded)
    reading = sum(one.encode_seconds for one in encoded)
    pictures = f" ({seen:,} seen as pictures)" if seen else ""
    looked_at = f" · looked at {counted(answer.shown_tokens, 'token')}" if 0 < answer.shown_tokens < tokens else ""
    return (
        f"read once: {counted(len(pages), 'page')}{pictures}, {counted(tokens, 'token')}, {seconds(reading)}"
        f" - this answer: {seconds(answer.seconds)}, re-read: {answer.encoder_tokens:,}{looked_at}"
    )


def library_receipt(documents: int, tokens: int, answer: Answer) -> str:
    """What of the library was asked, and what this answer cost."""
    return (
        f"asked {counted(documents, 'document')} of the library ({counted(tokens, 'token')}, read once)"
        f" - this answer: {seconds(answer.seconds)}, re-read: {answer.encoder_tokens:,}"
        f" · looked at {counted(answer.shown_tokens, 'token')}"
    )


def so_far(part: EncodedDocument, pages: int) -> str:
    """Says that an answer knows only the first pages of a document of so many."""
    return f"Answered from the first {counted(pages_read(part), 'page')} of {pages:,} of {part.document.name}."


def pages_read(part: EncodedDocument) -> int:
    """How many pages, from the first one, a part of a document has."""
    last = int(part.tokens.pages.max())
    return sum(page.number <= last for page in part.document.pages)


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def seconds(value: float) -> str:
    """Precise where it is short: `0.84 s`, `12.3 s`, `2 min 5 s`."""
    if value < 0.995:
        return f"{value:.2f} s"
    if value < 99.95:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s"


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


def megabytes(size: int) -> str:
    return f"{size / MEGABYTE:,.1f} MB" if size < 99.5 * MEGABYTE else f"{size / MEGABYTE:,.0f} MB"


def places(numbers: Sequence[int]) -> str:
    """Page numbers in a few words."""
    first = ", ".join(str(number) for number in numbers[:5])
    return f"page {first}" if len(numbers) == 1 else f"pages {first}{', …' if len(numbers) > 5 else ''}"


def unreadable(document: Document) -> list[str]:
    """What of a document could not be read because its file is damaged, a remark for each kind of part."""
    found: dict[str, list[int]] = {}
    for page in document.pages:
        for part in page.unread_parts:
            found.setdefault(part, []).append(page.number)
    return [f"unreadable: {part} ({places(numbers)})" for part, numbers in found.items()]
