"""The library: documents on the disk with what was read of them, for good.

Each method is one transaction. Files are written before the row that names them, and deleted with it, so that a process
that is killed at any moment loses nothing that was added and leaves nothing that the next `sweep` does not find.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Self

from app.library.catalogue import UNDO_SECONDS, Catalogue
from app.library.database import Database
from app.library.files import EncodingName, FileStore
from app.library.passages import add_passages, delete_passages
from app.library.values import NewDocument, Place, StoredDocument
from model.errors import EncodingError, LibraryError
from model.storage.durable import place_durably

MEGABYTE = 1_000_000
_SCRUB = "scrub"  # a setting that is there while words of what was forgotten may still lie in the database


class Library(Catalogue):
    """Safe to use from several threads, and from several processes on one folder."""

    def __init__(
        self, database: Database, files: FileStore, *, capacity_bytes: int, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(database, files, clock=clock)
        self.capacity_bytes = capacity_bytes

    @classmethod
    def open(cls, folder: Path, *, capacity_bytes: int) -> Self:
        """Open the library in this folder, or make one there. Raises LibraryError."""
        files = FileStore(folder)
        try:
            files.make_folders()
        except OSError as error:
            raise LibraryError(
                "The library {folder} cannot be used ({why}): set READONCE_LIBRARY to another folder, or to off.",
                folder=folder,
                why=error.strerror,
            ) from error
        return cls(Database.open(folder / "library.sqlite"), files, capacity_bytes=capacity_bytes)

    def close(self) -> None:
        self.database.close()

    def add(self, new: NewDocument) -> StoredDocument:
        """Keep a document that was read. One of the same place that is not the same file is removed, and can be undone.

        Raises LibraryError where there is no room, on the disk or in the library.
        """
        from model.encoding.file_format import save_encoding

        self._check_room(new)
        document, precision = new.encoded.document, str(new.encoded.memory.hidden.dtype).removeprefix("torch.")
        name = EncodingName(
            sha256=document.sha256,
            reading=new.reading.key,
            fingerprint=new.encoded.fingerprint,
            precision=precision,
        )
        with _disk_in_words(new.place.name), self._files.staging() as staging:
            (original := staging / "original").write_bytes(new.data)
            save_encoding(new.encoded, encoding := staging / "encoding")
            with self._all_or_no_files(self._files.original(document.sha256), self._files.encoding(name)):
                self._files.put(original, self._files.original(document.sha256))
                number = self._add_document(new)
                self._add_encoding(number, name, encoding, new.encoded.token_count)
                self._put(new.place, number)
        return self.document(number)

    def put(self, place: Place, document: StoredDocument) -> None:
        """Note that a document that is there stands in this place, too."""
        with self.database.writing():
            self._put(place, document.id)

    def remove(self, documents: Sequence[int]) -> None:
        """Remove documents; for ten seconds they can be had back."""
        now = self._clock()
        with self.database.writing():
            self.database.many("UPDATE documents SET removed = ? WHERE id = ?", [(now, number) for number in documents])

    def restore(self, documents: Sequence[int]) -> int:
        """Have removed documents back; says how many. One whose place another has taken does not return."""
        since = self._clock() - UNDO_SECONDS
        with self.database.writing():
            there = [
                number
                for number in documents
                if self.database.row(
                    "SELECT id FROM documents WHERE id = ? AND removed > ? AND id IN (SELECT document FROM places)",
                    (number, since),
                )
            ]
            self.database.many("UPDATE documents SET removed = NULL WHERE id = ?", [(number,) for number in there])
        return len(there)

    def forget_everything(self) -> None:
        """Delete every document and conversation, at once and for good; nothing of them is left in the database.

        Where that is interrupted, the next `sweep` goes on with it.
        """
        with self.database.writing():
            self.database.rows("UPDATE documents SET removed = 0")
            self.database.rows("DELETE FROM conversations")
            self.database.rows(f"INSERT OR REPLACE INTO settings VALUES ('{_SCRUB}', '')")
        self._forget_removed()

    def _forget_removed(self) -> None:
        self.end_removals()
        if self.database.row("SELECT name FROM settings WHERE name = ?", (_SCRUB,)):
            self.database.scrub()
            self.database.rows("DELETE FROM settings WHERE name = ?", (_SCRUB,))

    def end_removals(self) -> None:
        """Delete for good what was removed more than ten seconds ago."""
        late = "SELECT id FROM documents WHERE removed <= ?"
        if self.database.rows(late, (since := self._clock() - UNDO_SECONDS,)):
            with self.database.writing():
                self._delete([row["id"] for row in self.database.rows(late, (since,))])

    def sweep(self) -> None:
        """Delete what killed processes have left, and what was removed."""
        self._files.sweep_staging()
        self._forget_removed()
        with self.database.writing():
            named = set(self.named_files())
            for path in list(self._files.unnamed(named)):
                self._files.delete(path)

    def _check_room(self, new: NewDocument) -> None:
        if (needed := self.used_bytes + new.size_bytes) > self.capacity_bytes:
            raise LibraryError(
                "{name} was not kept: the library would take {needed:,.0f} MB, and may take"
                " {limit:,.0f} MB. Remove documents, or raise READONCE_LIBRARY_MB.",
                name=new.place.name,
                needed=needed / MEGABYTE,
                limit=self.capacity_bytes / MEGABYTE,
            )

    def _add_document(self, new: NewDocument) -> int:
        """The number of the document, which is new, or there already."""
        document, now = new.encoded.document, self._clock()
        known = self.database.row(
            "SELECT id FROM documents WHERE sha256 = ? AND reading = ?", (document.sha256, new.reading.key)
        )
        if known is not None:
            self.database.many("UPDATE documents SET removed = NULL, used = ? WHERE id = ?", [(now, known["id"])])
            return int(known["id"])
        row = self.database.row(
            "INSERT INTO documents (sha256, reading, folder, name, pages, file_bytes, added, used, range, views,"
            " pan_and_scan, protected) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (
                document.sha256,
                new.reading.key,
                new.place.folder,
                new.place.name,
                len(document.pages),
                len(new.data),
                now,
                now,
                new.reading.range,
                new.reading.views,
                new.reading.pan_and_scan,
                new.reading.protected,
            ),
        )
        assert row is not None
        number = int(row["id"])
        self.database.many(
            "INSERT INTO pages VALUES (?, ?, ?, ?)",
            [(number, page.number, page.label, page.text) for page in document.pages],
        )
        add_passages(self.database, number, new)
        return number

    def _add_encoding(self, number: int, name: EncodingName, made: Path, tokens: int) -> None:
        """Put an encoding in its place; one that is there and whole stays."""
        path = self._files.encoding(name)
        known = self._encoding_bytes(number, name)
        if not (known and path.exists() and path.stat().st_size == known):
            place_durably(made, path)
            self.database.many(
                "INSERT OR REPLACE INTO encodings VALUES (?, ?, ?, ?, ?)",
                [(number, name.fingerprint, name.precision, tokens, path.stat().st_size)],
            )
            self.database.rows(
                "DELETE FROM vectors WHERE document = ? AND fingerprint = ?", (number, name.fingerprint)
            )  # they were another encoding's

    @contextlib.contextmanager
    def _all_or_no_files(self, *paths: Path) -> Iterator[None]:
        """One transaction; where it fails, as on a full disk, files that it has put in place go at once."""
        try:
            with self.database.writing():
                yield
        except (OSError, sqlite3.Error):
            with contextlib.suppress(sqlite3.Error), self.database.writing():
                for path in set(paths) - set(self.named_files()):
                    self._files.delete(path)
            raise

    def _put(self, place: Place, number: int) -> None:
        """What stood in this place before is an earlier version, and removed if it stands nowhere else."""
        before = self.database.row(
            "SELECT document FROM places WHERE folder = ? AND name = ?", (place.folder, place.name)
        )
        self.database.many("INSERT OR REPLACE INTO places VALUES (?, ?, ?)", [(place.folder, place.name, number)])
        if before is not None and before["document"] != number:
            self.database.many(
                "UPDATE documents SET removed = ? WHERE id = ? AND id NOT IN (SELECT document FROM places)",
                [(self._clock(), before["document"])],
            )

    def _delete(self, documents: Sequence[int]) -> None:
        """Rows first, then the files that no other row names; the caller holds the transaction."""
        candidates = {path for number in documents for path in self.named_files("WHERE documents.id = ?", (number,))}
        for number in documents:
            delete_passages(self.database, number)
            self.database.rows("DELETE FROM documents WHERE id = ?", (number,))
        for path in candidates - set(self.named_files()):
            self._files.delete(path)


@contextlib.contextmanager
def _disk_in_words(name: str) -> Iterator[None]:
    """A disk that is full, or cannot be written, is said in words; what was there before is untouched."""
    try:
        yield
    except (OSError, sqlite3.OperationalError, EncodingError) as error:
        cause = error.__cause__ if isinstance(error, EncodingError) else error
        if isinstance(error, EncodingError) and not isinstance(cause, OSError):
            raise
        reason = cause.strerror if isinstance(cause, OSError) else str(cause)
        raise LibraryError(
            "{name} was not kept: the library's disk cannot be written ({reason}). Free some space, or remove "
            "documents; what was kept before is safe.",
            name=name,
            reason=reason,
        ) from error
