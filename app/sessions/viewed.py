"""A document as one can look at it: its text and the pictures of its pages, whether it is encoded already or not."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.sessions.pictures import Pictures
from model.types import Document

if TYPE_CHECKING:  # it imports torch, which the page does not wait for
    from model.encoder.vision.features import PictureCallback


WORD_BYTES = 320  # of a word with its place and box, as a value here
CELL_BYTES = 200  # of a table's cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewed:
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
