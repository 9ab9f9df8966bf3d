"""How a page is cited: by its number, or by the name that it has instead."""

import re
from html import escape

NO_TRANSLATION = ' translate="no"'
_OURS = re.compile(r"Slide \d+|Sheet '.*'(?: \(.*\))?|Contents")


def citation(page: int, label: str) -> str:
    """HTML: `p. 3`, `Slide 3`, a sheet's name, a heading. Headings are the document's words, and not translated."""
    if not label:
        return f"<span>p. {page}</span>"
    return f'<span class="label"{"" if _OURS.fullmatch(label) else NO_TRANSLATION}>{escape(label)}</span>'
