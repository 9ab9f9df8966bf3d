"""What a Markdown file says of itself between two lines of dashes, before its text: "title: The lamp"."""

from __future__ import annotations

import re
from typing import Final

_BLOCK: Final = re.compile(r"\s*---[ \t]*\n(.*?\n)(?:---|\.\.\.)[ \t]*(?:\n|$)", re.DOTALL)
_KEY: Final = re.compile(r"^[A-Za-z_][\w-]*[ \t]*:(?=\s)", re.MULTILINE)
_TITLE: Final = re.compile(
    r"^title[ \t]*:[ \t]*(?P<quote>[\"']?)(?P<title>[^\n]*\S)(?P=quote)[ \t]*$", re.MULTILINE | re.I
)


def front_matter_end(text: str) -> int:
    """Where the text begins behind its front matter; 0 where there is none."""
    found = _BLOCK.match(text)
    return found.end() if found and _KEY.match(found[1]) else 0


def front_matter_title(text: str) -> tuple[int, int] | None:
    """The place of the title that the front matter gives, without quotation marks."""
    found = _TITLE.search(text, 0, front_matter_end(text))
    return found.span("title") if found and re.search(r"\w", found["title"]) else None
