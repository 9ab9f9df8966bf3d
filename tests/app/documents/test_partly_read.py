"""A document while it is read: what is told of its first pages is what these pages alone would give."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.documents import DocumentReader, Limits, PartlyRead
from model.errors import Cancelled
from tests.helpers.documents import pdf, written


def annals(pages: int) -> bytes:
    """A PDF with running heads, page numbers and a word broken at a line's end: what needs the whole document."""

    def chapter(number: int):
        def paint(page) -> None:
            written("Annals of the harbour of Holmvik", y=40)(page)
            written(f"In the year {1900 + number} the light-", "house was painted white.", y=200)(page)
            written(str(number), y=810)(page)

        return paint

    return pdf(*(chapter(number) for number in range(1, pages + 1)))


ANNALS = annals(6)


@pytest.fixture(scope="module")
def reader() -> Iterator[DocumentReader]:
    with DocumentReader(Limits()) as reader:
        yield reader


@pytest.fixture(scope="module")
def parts(reader: DocumentReader) -> list[PartlyRead]:
    told: list[PartlyRead] = []
    reader.read(ANNALS, name="annals.pdf", so_far=told.append)
    return told


def test_it_is_told_after_each_page_but_the_last(parts: list[PartlyRead]) -> None:
    assert [len(part.pages) for part in parts] == [1, 2, 3, 4, 5]
    assert {part.total for part in parts} == {6}
    assert len({id(part.images) for part in parts}) == 1


def test_the_first_pages_are_the_document_that_these_pages_alone_give(
    reader: DocumentReader, parts: list[PartlyRead]
) -> None:
    for part in parts:
        alone = reader.read(ANNALS, name="annals.pdf", pages=f"1-{len(part.pages)}")
        assert part.document == alone.document


def test_a_document_is_the_same_whether_it_is_told_page_by_page_or_not(
    reader: DocumentReader, parts: list[PartlyRead]
) -> None:
    at_once = reader.read(ANNALS, name="annals.pdf").document
    assert reader.read(ANNALS, name="annals.pdf", so_far=lambda _: None).document == at_once
    assert "Annals" in at_once.pages[0].text and "Annals" not in at_once.pages[5].text  # told from all pages
    assert "Annals" in parts[0].document.pages[0].text


def test_who_was_told_has_the_pictures_also_where_reading_is_cancelled(reader: DocumentReader) -> None:
    told: list[PartlyRead] = []
    with pytest.raises(Cancelled):
        reader.read(ANNALS, name="annals.pdf", so_far=told.append, cancelled=lambda: len(told) > 1)
    assert told[-1].images.image(6, width=300).startswith(b"\xff\xd8\xff")
    told[-1].images.close()
