"""What whole tables answer: which row has the most, which rows have a value, and how many they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from model.answering.comparison import comparison
from model.answering.document_index import DocumentIndexes
from model.answering.selection import selection
from model.answering.table_columns import WholeTable
from model.types import Answer, Document, EncodedDocument

_Reader = Callable[[str, Sequence[Document], Iterable[WholeTable]], Answer | None]
_READERS: tuple[_Reader, ...] = (comparison, selection)


def from_tables(question: str, encodings: Sequence[EncodedDocument], indexes: DocumentIndexes) -> Answer | None:
    """The answer that the documents' tables give; None where they decide nothing."""
    documents = [encoded.document for encoded in encodings]
    for read in _READERS:
        tables = (table for encoded in encodings for table in indexes.of(encoded).tables)
        if answer := read(question, documents, tables):
            return answer
    return None
