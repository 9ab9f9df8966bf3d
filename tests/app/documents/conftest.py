"""One reader for all tests, and the laws that every page obeys."""

from collections.abc import Callable, Iterator

import pytest

from app.documents import DocumentReader, ReadDocument


@pytest.fixture(scope="session")
def reader() -> Iterator[DocumentReader]:
    with DocumentReader() as reader:
        yield reader


@pytest.fixture
def read(reader: DocumentReader) -> Iterator[Callable[..., ReadDocument]]:
    """Reads bytes, and checks the laws that hold for every page."""
    opened: list[ReadDocument] = []

    def read_and_check(data: bytes, name: str = "test.pdf", **options: object) -> ReadDocument:
        found = reader.read(data, name=name, **options)
        opened.append(found)
        check_laws(found)
        return found

    yield read_and_check
    for found in opened:
        found.images.close()


def check_laws(found: ReadDocument) -> None:
    """Words are slices of the text, in order and without white space; boxes lie on the page.

    Nothing else is written but white space and, in the rows of tables, the signs between cells.
    """
    for page in found.document.pages:
        position = 0
        for word in page.words:
            assert position <= word.start < word.end <= len(page.text)
            assert not any(char.isspace() for char in page.text[word.start : word.end])
            x0, y0, x1, y1 = word.box
            assert 0 <= x0 <= x1 <= 1 and 0 <= y0 <= y1 <= 1
            position = word.end
        written = {index for word in page.words for index in range(word.start, word.end)}
        between = "-:;" if page.tables else ""
        assert {char for index, char in enumerate(page.text) if index not in written and not char.isspace()} <= {
            *between
        }
        assert page.text == page.text.encode().decode()
