"""Some passages of an encoded document as an encoding of their own: joined with others, it costs what it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from model.encoding.memory import select_tokens
from model.types import EncodedDocument, TokenMap


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From character `start` of a page's text to before character `end` of the same or a later page's."""

    first_page: int
    start: int
    last_page: int
    end: int


def excerpt(encoded: EncodedDocument, spans: Sequence[Span]) -> EncodedDocument:
    """The tokens within the spans, and the first one, a `<bos>` that attention falls back to; pages stay whole.

    The rows of a memory that is mapped from the disk are copied, and no others are read.
    """
    tokens = encoded.tokens
    rows = torch.zeros(len(tokens.ids), dtype=torch.bool)
    rows[0] = True
    for span in spans:
        from_here = ((tokens.pages == span.first_page) & (tokens.ends > span.start)).nonzero()
        to_here = ((tokens.pages == span.last_page) & (tokens.starts < span.end)).nonzero()
        if len(from_here) and len(to_here):
            rows[int(from_here[0]) : int(to_here[-1]) + 1] = True
    chosen = set(tokens.pages[rows].tolist())
    document = encoded.document
    return replace(
        encoded,
        document=replace(document, pages=tuple(page for page in document.pages if page.number in chosen)),
        memory=select_tokens(encoded.memory, rows),
        tokens=TokenMap(
            ids=tokens.ids[rows], pages=tokens.pages[rows], starts=tokens.starts[rows], ends=tokens.ends[rows]
        ),
        is_excerpt=True,
    )
