"""The values that the library gives and takes."""

import hashlib
import json
from dataclasses import dataclass
from typing import Literal

from app.documents.reader import READER_VERSION
from model.encoder.vision.page_inputs import ViewMode
from model.types import EncodedDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a document comes from. A file of the same place that has changed replaces its earlier version."""

    name: str
    folder: str = ""  # empty: it was dropped on the page, which does not know


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOptions:
    """How a file was read, as far as the person chose: with other choices it is another document."""

    range: str = ""  # the pages that were picked (3-10,12); empty: all
    views: ViewMode = "auto"
    pan_and_scan: bool = False
    protected: bool = False  # it took a password

    @property
    def key(self) -> str:
        """A short name, which changes with the reader, too."""
        said = [READER_VERSION, self.range, self.views, self.pan_and_scan, self.protected]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDocument:
    """What is added: the file, how and from where it was read, and what was read of it."""

    data: bytes
    place: Place
    reading: ReadingOptions
    encoded: EncodedDocument

    @property
    def size_bytes(self) -> int:
        """What it will take on the disk, about."""
        text = sum(len(page.text) + 20 * len(page.words) for page in self.encoded.document.pages)
        return len(self.data) + self.encoded.cache_bytes + 16 * self.encoded.token_count + 4 * text


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDocument:
    """A document of the library. `size_bytes`: on the disk, its encodings included."""

    id: int
    name: str
    folder: str
    sha256: str
    reading: str
    range: str
    pages: int
    tokens: int
    size_bytes: int
    added: float  # seconds since 1970
    used: float
    removed: bool = False  # it can still be had back


Order = Literal["used", "added", "name", "size"]
"""How documents are listed: the latest used or added first, by name, or the largest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What of the library is asked or listed: a folder with those below it, some documents, or, by default, all."""

    folder: str = ""
    documents: tuple[int, ...] = ()
