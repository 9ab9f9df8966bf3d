"""Page ranges as people write them: 3-10,12."""

import re

from model.errors import DocumentError

_PART = re.compile(r"\s*(\d{1,9})\s*(?:(-)\s*(\d{1,9})?\s*)?")


def parse_pages(text: str | None, page_count: int) -> list[int]:
    """The page numbers of a range, in the file's order and each once; None is every page.

    Raises DocumentError for a range that cannot be understood, or that leaves the document.
    """
    if text is None:
        return list(range(1, page_count + 1))
    chosen: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise cannot_be_understood(text)
        first = int(match[1])
        last = int(match[3]) if match[3] else page_count if match[2] else first
        if not 1 <= first <= last <= page_count:
            raise DocumentError(
                "The page range {range!r} does not fit: this document has pages 1 to {last}.",
                range=text,
                last=page_count,
            )
        chosen.update(range(first, last + 1))
    return sorted(chosen)


def cannot_be_understood(text: str) -> DocumentError:
    return DocumentError("The page range {range!r} cannot be understood: write it like 3-10,12.", range=text)
