"""A document as one can look at it, its text and the pictures of its pages, and as one can ask it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.sessions.pictures import Pictures
from model.types import Document, EncodedDocument

if TYPE_CHECKING:  # it imports torch, which the page does not wait for
    from model.encoder.vision.features import PictureCallback


WORD_BYTES = 320  # of a word with its place and box, as a value here
CELL_BYTES = 200  # of a table's cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewed:
    """A document that can be looked at: its text, and the pictures of its pages."""

    document: Document
    pictures: Pictures
    picture: PictureCallback | None = None  # what the encoder sees of a page; None: nothing but text is there

    @property
    def key(self) -> str:
        return self.document.sha256

    @property
    def name(self) -> str:
        return self.document.name

    @property
    def viewed_bytes(self) -> int:
        """What text, words and pictures take."""
        pages = self.document.pages
        text = sum(sys.getsizeof(page.text) + WORD_BYTES * len(page.words) for page in pages)
        cells = sum(len(table.cells) + 1 for page in pages for table in page.tables)
        return text + CELL_BYTES * cells + self.pictures.size_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded(Viewed):
    """A document that has been read: beside its text and pictures there is its encoding."""

    encoded: EncodedDocument
    file_bytes: int
    range: str | None = None  # the pages that the person chose; None: all
    is_whole: bool = True  # whether it was read to its end; reading may be cancelled

    @property
    def size_bytes(self) -> int:
        """What it takes: the encoding, the copy of the file, the text and its words, pictures of pages."""
        tokens = self.encoded.tokens
        places = sum(part.nbytes for part in (tokens.ids, tokens.pages, tokens.starts, tokens.ends))
        return self.encoded.cache_bytes + places + self.file_bytes + self.viewed_bytes
