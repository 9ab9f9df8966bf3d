"""A long text -> pages of a size that a person would read at once."""

from collections.abc import Iterator

PAGE_CHARACTERS = 3_000

_CUTS = ("\f", "\n\n", "\n", " ")  # where a page may end, best first


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
