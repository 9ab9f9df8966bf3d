"""What the library has: its documents, where they stood, how they were read, and which files are theirs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.library.database import Database
from app.library.files import EncodingName, FileStore
from app.library.listing import ORDERS, document_where, stored_document
from app.library.values import Order, Place, ReadingOptions, Scope, StoredDocument
from model.errors import LibraryError

if TYPE_CHECKING:  # it imports torch, which the page does not wait for
    from model.types import EncodedDocument, Precision

UNDO_SECONDS = 10.0  # how long a removed document can be had back


class Catalogue:
    """Looks things up, and changes nothing but when a document was last used."""

    def __init__(self, database: Database, files: FileStore, *, clock: Callable[[], float] = time.time) -> None:
        self.database = database
        self._files = files
        self._clock = clock

    @property
    def used_bytes(self) -> int:
        """What files and encodings take on the disk."""
        return self.database.number(
            "SELECT (SELECT total(bytes) FROM encodings)"
            " + (SELECT total(size) FROM (SELECT max(file_bytes) AS size FROM documents GROUP BY sha256))"
        )

    @property
    def count(self) -> int:
        """How many documents there are."""
        return self.database.number("SELECT count(*) FROM documents WHERE removed IS NULL")

    def folders(self, most: int) -> list[str]:
        """Folders that documents were added from, those with the latest ones first."""
        rows = self.database.rows(
            "SELECT places.folder FROM places JOIN documents ON id = document"
            " WHERE removed IS NULL AND places.folder != '' GROUP BY places.folder ORDER BY max(added) DESC LIMIT ?",
            (most,),
        )
        return [row["folder"] for row in rows]

    def documents(
        self,
        scope: Scope = Scope(),  # noqa: B008 - frozen
        *,
        removed: bool = False,
        most: int = -1,
        order: Order = "used",
    ) -> list[StoredDocument]:
        """The documents in this order; with `removed`, those that can still be had back, too."""
        where, values = document_where(scope)
        gone = "removed > ?" if removed else "NULL > ?"
        rows = self.database.rows(
            f"SELECT * FROM listing WHERE (removed IS NULL OR {gone}) AND {where} ORDER BY {ORDERS[order]}, id LIMIT ?",
            [self._clock() - UNDO_SECONDS, *values, most],
        )
        return [stored_document(row) for row in rows]

    def find(self, sha256: str, reading: str) -> StoredDocument | None:
        """The document that this file is when it is read so."""
        row = self.database.row(
            "SELECT * FROM listing WHERE sha256 = ? AND reading = ? AND removed IS NULL", (sha256, reading)
        )
        return None if row is None else stored_document(row)

    def with_file(self, sha256: str) -> StoredDocument | None:
        """The latest used document of this file, however it was read."""
        row = self.database.row(
            "SELECT * FROM listing WHERE sha256 = ? AND removed IS NULL ORDER BY used DESC", (sha256,)
        )
        return None if row is None else stored_document(row)

    def at(self, place: Place) -> StoredDocument | None:
        """The document that stands in this place."""
        row = self.database.row(
            "SELECT listing.* FROM places JOIN listing ON id = document"
            " WHERE places.folder = ? AND places.name = ? AND removed IS NULL",
            (place.folder, place.name),
        )
        return None if row is None else stored_document(row)

    def named(self, name: str) -> list[StoredDocument]:
        """The documents that have, or once had, this name in any folder."""
        rows = self.database.rows(
            "SELECT * FROM listing WHERE removed IS NULL AND id IN (SELECT document FROM places WHERE name = ?)",
            (name,),
        )
        return [stored_document(row) for row in rows]

    def original(self, document: StoredDocument) -> Path:
        """The file itself."""
        return self._files.original(document.sha256)

    def encoding(self, document: StoredDocument, fingerprint: str, precision: Precision) -> EncodedDocument | None:
        """What this checkpoint has read of the document, mapped into memory; None where it must read it first.

        Raises EncodingError where the file is damaged.
        """
        from model.encoding.mapped import map_encoding

        path, size = self.encoding_file(document, fingerprint, precision)
        if not size:
            return None
        encoded = map_encoding(path, size_bytes=size)
        self.database.many("UPDATE documents SET used = ? WHERE id = ?", [(self._clock(), document.id)])
        return replace(encoded, document=replace(encoded.document, name=document.name))

    def encoding_file(self, document: StoredDocument, fingerprint: str, precision: str) -> tuple[Path, int]:
        """The file of an encoding, and how many bytes it has (0 where there is none)."""
        name = EncodingName(
            sha256=document.sha256, reading=document.reading, fingerprint=fingerprint, precision=precision
        )
        return self._files.encoding(name), self._encoding_bytes(document.id, name)

    def _encoding_bytes(self, number: int, name: EncodingName) -> int:
        """How many bytes an encoding of the document of this number has; 0 where there is none."""
        return self.database.number(
            "SELECT bytes FROM encodings WHERE document = ? AND fingerprint = ? AND precision = ?",
            (number, name.fingerprint, name.precision),
        )

    def readable(self, scope: Scope, fingerprint: str, precision: str) -> dict[int, int]:
        """How many tokens each document in the scope has that this checkpoint has read, the latest used first."""
        where, values = document_where(scope)
        rows = self.database.rows(
            "SELECT id, tokens FROM documents JOIN encodings ON document = id"
            f" WHERE removed IS NULL AND fingerprint = ? AND precision = ? AND {where} ORDER BY used DESC, id",
            (fingerprint, precision, *values),
        )
        return {row["id"]: row["tokens"] for row in rows}

    def reading_of(self, document: StoredDocument) -> ReadingOptions:
        """How the document was read."""
        row = self.database.row(
            "SELECT range, views, pan_and_scan, protected FROM documents WHERE id = ?", (document.id,)
        )
        if row is None:
            raise LibraryError("This document is no longer in the library: drop it again.")
        return ReadingOptions(
            range=row["range"],
            views=row["views"],
            pan_and_scan=bool(row["pan_and_scan"]),
            protected=bool(row["protected"]),
        )

    def placed_encodings(self, document: StoredDocument) -> list[tuple[Place, Path]]:
        """Each place of the document with each of its encodings' files."""
        rows = self.database.rows(
            "SELECT folder, name, fingerprint, precision FROM places JOIN encodings USING (document)"
            " WHERE document = ?",
            (document.id,),
        )
        return [
            (
                Place(folder=row["folder"], name=row["name"]),
                self.encoding_file(document, row["fingerprint"], row["precision"])[0],
            )
            for row in rows
        ]

    def named_files(self, where: str = "", values: Sequence[int] = ()) -> Iterator[Path]:
        rows = self.database.rows(
            "SELECT sha256, reading, fingerprint, precision FROM documents"
            f" LEFT JOIN encodings ON document = documents.id {where}",
            values,
        )
        for row in rows:
            yield self._files.original(row["sha256"])
            if row["fingerprint"] is not None:
                yield self._files.encoding(EncodingName(**dict(row)))

    def document(self, number: int) -> StoredDocument:
        """The document of this number. Raises LibraryError where it is gone."""
        row = self.database.row("SELECT * FROM listing WHERE id = ?", (number,))
        if row is None:
            raise LibraryError("This document is no longer in the library: drop it again.")
        return stored_document(row)
