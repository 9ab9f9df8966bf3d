"""Sharing a document with all: a copy of it in a library of its own, from which everybody may take one into theirs."""

from app.library.library import Library
from app.library.values import NewDocument, Place, StoredDocument
from model.errors import LibraryError
from model.types import Precision


def copy_document(
    source: Library, target: Library, number: int, *, folder: str, fingerprint: str, precision: Precision
) -> StoredDocument:
    """Put a document, with what this checkpoint has read of it, into another library, too; nothing is read again.

    `folder`: where it stands there. Raises LibraryError for one that is gone, that this checkpoint has not read, that
    took a password, or that has no room.
    """
    document = source.document(number)
    reading = source.reading_of(document)
    if reading.protected:
        raise LibraryError(
            "{name} took a password: it is not shared. Share a copy that needs none.", name=document.name
        )
    encoded = source.encoding(document, fingerprint, precision)
    if encoded is None:
        raise LibraryError("{name} was not read by this checkpoint: open it first.", name=document.name)
    data = source.original(document).read_bytes()
    place = Place(folder=folder, name=document.name)
    return target.add(NewDocument(data=data, place=place, reading=reading, encoded=encoded))
