"""A document while it is read: the pages so far, as pages of their own and as a document."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.documents.across_pages import finished
from app.documents.continued_tables import with_headings
from app.documents.images import PageImages
from model.types import Document, Page


@dataclass(frozen=True, slots=True, kw_only=True)
class PartlyRead:
    """The first pages of a document whose later pages are still being read, and the pictures of all its pages.

    pages: each as it was read by itself. total: how many pages there will be.
    """

    name: str
    sha256: str
    pages: tuple[Page, ...]
    total: int
    images: PageImages

    @property
    def document(self) -> Document:
        """What reading these pages alone would give."""
        return document_of(self.pages, name=self.name, sha256=self.sha256)


def document_of(pages: Sequence[Page], *, name: str, sha256: str) -> Document:
    """The pages as a document: what can only be told from all of them is told."""
    return Document(name=name, sha256=sha256, pages=with_headings(finished(pages)))
