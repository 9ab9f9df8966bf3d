"""What a saved encoding says of itself beside its tensors, as JSON: the document's pages, and who read it in what way.

These dataclasses are the schema: `schema.parse_json` takes nothing that departs from them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from itertools import islice, pairwise
from typing import Annotated, Literal

from model.encoding.schema import Pattern, Range, parse_json
from model.types import Document, EncodedDocument, Page, PagePart, PageView, Precision, Table, Word

_MOST_PAGES = 1_000_000
_MOST_CHARACTERS = 2**24  # of one page; all of them are bounded by the header's length
_SHORTEST_SIDE, _LONGEST_SIDE = 0.01, 1e6  # points
_MOST_SECONDS = 1e9
_LONGEST_NAME, _LONGEST_REMARK = 255, 10_000

_NOT_IN_A_NAME = r"/\\\x00-\x1f\x7f"

_Count = Annotated[int, Range(0, _MOST_CHARACTERS)]
_Remark = Annotated[str, Range(0, _LONGEST_REMARK)]
_Side = Annotated[float, Range(_SHORTEST_SIDE, _LONGEST_SIDE)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageHeader:
    """A `Page`, whose words and tables are tensors: here is how many of them are its own."""

    number: Annotated[int, Range(1, _MOST_PAGES)]
    text: Annotated[str, Range(0, _MOST_CHARACTERS)]
    width: _Side
    height: _Side
    source: Literal["text", "ocr", "tags"]
    unread_boxes: _Count
    unread_parts: tuple[PagePart, ...]
    figures: Annotated[float, Range(0, 1)]
    view: PageView
    label: _Remark
    remark: _Remark
    words: _Count
    tables: _Count


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentHeader:
    """A `Document`. Its name may become that of a file, and its hash the key under which it is known."""

    name: Annotated[str, Pattern(f"[^{_NOT_IN_A_NAME}]{{1,{_LONGEST_NAME}}}", "a file's name")]
    sha256: Annotated[str, Pattern("[0-9a-f]{64}", "a SHA-256")]
    pages: tuple[PageHeader, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """All of an `EncodedDocument` that is not in tensors."""

    fingerprint: Annotated[str, Pattern(r"[\w.-]{1,64}", "a checkpoint's fingerprint")]
    precision: Precision
    chunks: Annotated[int, Range(1, _MOST_PAGES)]
    encode_seconds: Annotated[float, Range(0, _MOST_SECONDS)]
    document: DocumentHeader

    @classmethod
    def of(cls, encoded: EncodedDocument) -> Header:
        """The header of an encoding, as it is written."""
        document = encoded.document
        return cls(
            fingerprint=encoded.fingerprint,
            precision=str(encoded.memory.hidden.dtype).removeprefix("torch."),  # type: ignore[arg-type] # parse checks
            chunks=encoded.chunks,
            encode_seconds=encoded.encode_seconds,
            document=DocumentHeader(
                name=_file_name(document.name),
                sha256=document.sha256,
                pages=tuple(map(_page_header, document.pages)),
            ),
        )

    @classmethod
    def parse(cls, text: str) -> Header:
        """The header that was written as this text. Raises ValueError for any other."""
        header = parse_json(cls, text)
        numbers = [page.number for page in header.document.pages]
        if not numbers:
            raise ValueError("the document has 0 pages")
        for one, following in pairwise(numbers):
            if one >= following:
                raise ValueError(f"page {following} comes behind page {one}")
        return header

    def json(self) -> str:
        """As text, in which every character can be encoded: a file's name may hold bytes that are none."""
        text = json.dumps(asdict(self), ensure_ascii=False, allow_nan=False)
        return text.encode(errors="replace").decode()

    def to_document(self, words: Iterable[Word], tables: Iterable[Table]) -> Document:
        """The document with all pages' words and tables, page after page."""
        words, tables, pages = iter(words), iter(tables), []
        for page in self.document.pages:
            facts = {field.name: getattr(page, field.name) for field in fields(page)}
            own = {"words": tuple(islice(words, page.words)), "tables": tuple(islice(tables, page.tables))}
            pages.append(Page(**(facts | own)))
        return Document(name=self.document.name, sha256=self.document.sha256, pages=tuple(pages))


def _page_header(page: Page) -> PageHeader:
    facts = {field.name: getattr(page, field.name) for field in fields(PageHeader)}
    return PageHeader(**(facts | {"words": len(page.words), "tables": len(page.tables)}))


def _file_name(name: str) -> str:
    """A document may be called what no file may be called everywhere."""
    return re.sub(f"[{_NOT_IN_A_NAME}]", "_", name)[:_LONGEST_NAME] or "_"
