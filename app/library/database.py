"""The library's SQLite database: its tables, and transactions that several threads and processes share.

Readers never wait (write-ahead log); one writer at a time holds SQLite's lock, and a file beside the database is put in
place or deleted only by who holds it. So under that lock a file that no row names is nobody's.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from model.errors import LibraryError

VERSION = 1
_PATIENCE_SECONDS = 60.0  # that a writer waits for another one
_SCHEMA = """
CREATE TABLE documents (
    id INTEGER PRIMARY KEY,
    sha256 TEXT NOT NULL,
    reading TEXT NOT NULL,
    folder TEXT NOT NULL,
    name TEXT NOT NULL,
    pages INTEGER NOT NULL,
    file_bytes INTEGER NOT NULL,
    range TEXT NOT NULL,
    views TEXT NOT NULL,
    pan_and_scan INTEGER NOT NULL,
    protected INTEGER NOT NULL,
    added REAL NOT NULL,
    used REAL NOT NULL,
    removed REAL,
    UNIQUE (sha256, reading)
);
CREATE INDEX documents_by_use ON documents (used DESC, id);
CREATE TABLE places (
    folder TEXT NOT NULL,
    name TEXT NOT NULL,
    document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    PRIMARY KEY (folder, name)
);
CREATE INDEX places_of_documents ON places (document);
CREATE TABLE encodings (
    document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    fingerprint TEXT NOT NULL,
    precision TEXT NOT NULL,
    tokens INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (document, fingerprint, precision)
);
CREATE TABLE pages (
    document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    number INTEGER NOT NULL,
    label TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (document, number)
);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY,
    page INTEGER NOT NULL,
    start INTEGER NOT NULL,
    last_page INTEGER NOT NULL,
    end INTEGER NOT NULL
);
CREATE VIRTUAL TABLE words USING fts5 (text, tokenize = "unicode61 remove_diacritics 2");
CREATE TABLE conversations (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    changed REAL NOT NULL
);
CREATE TABLE exchanges (
    conversation INTEGER NOT NULL REFERENCES conversations ON DELETE CASCADE,
    number INTEGER NOT NULL,
    exchange TEXT NOT NULL,
    PRIMARY KEY (conversation, number)
);
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE VIEW listing AS
SELECT
    id,
    coalesce((SELECT p.name FROM places p WHERE document = id ORDER BY p.rowid DESC LIMIT 1), name) AS name,
    coalesce((SELECT p.folder FROM places p WHERE document = id ORDER BY p.rowid DESC LIMIT 1), folder) AS folder,
    sha256, reading, range, pages,
    coalesce((SELECT max(tokens) FROM encodings WHERE document = id), 0) AS tokens,
    file_bytes + coalesce((SELECT sum(bytes) FROM encodings WHERE document = id), 0) AS size_bytes,
    added, used, removed
FROM documents;
"""
_ADDED = """
CREATE TABLE IF NOT EXISTS vectors (
    document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    fingerprint TEXT NOT NULL,
    passages BLOB NOT NULL,
    PRIMARY KEY (document, fingerprint)
);
"""  # which libraries of earlier versions lack, and do without

Row = sqlite3.Row


class Database:
    """One connection. Each call holds its lock for a moment; a `with database.writing()` is one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = threading.RLock()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the database, and make its tables where there are none. Raises LibraryError."""
        try:
            connection = sqlite3.connect(path, timeout=_PATIENCE_SECONDS, isolation_level=None, check_same_thread=False)
            connection.row_factory = sqlite3.Row
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
                connection.execute(f"PRAGMA {pragma}")
            database = cls(connection)
            database._make_tables(path)
        except sqlite3.Error as error:
            raise LibraryError(
                "The library {name} cannot be opened ({why}): free space on its disk, or set READONCE_LIBRARY to "
                "another folder, or to off.",
                name=path,
                why=error,
            ) from error
        return database

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """All rows that a statement gives."""
        with self._lock:
            return self._connection.execute(statement, _encodable(values)).fetchall()

    def row(self, statement: str, values: Sequence[Any] = ()) -> Row | None:
        """The first row that a statement gives, if it gives one."""
        with self._lock:
            found: Row | None = self._connection.execute(statement, _encodable(values)).fetchone()
            return found

    def number(self, statement: str, values: Sequence[Any] = ()) -> int:
        """The one number that a statement gives."""
        row = self.row(statement, values)
        return int(row[0] or 0) if row is not None else 0

    def many(self, statement: str, values: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each row of values."""
        with self._lock:
            self._connection.executemany(statement, map(_encodable, values))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction, alone among all threads and processes: all of it is on the disk afterwards, or nothing."""
        with self._lock:
            if self._connection.in_transaction:  # part of the transaction around it
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def scrub(self) -> None:
        """Leave nothing of deleted rows in the files of the database."""
        with self._lock:
            self._connection.execute("INSERT INTO words (words) VALUES ('optimize')")
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @property
    def revision(self) -> tuple[int, int]:
        """Another one after each change, of this process or of another."""
        with self._lock:
            return self.number("PRAGMA data_version"), self._connection.total_changes

    def _make_tables(self, path: Path) -> None:
        with self.writing():
            found = self.number("PRAGMA user_version")
            if found > VERSION:
                raise LibraryError(
                    "The library {name} was made by a newer Readonce (version {theirs}, this one knows {ours}): "
                    "update Readonce, or set READONCE_LIBRARY to another folder.",
                    name=path,
                    theirs=found,
                    ours=VERSION,
                )
            if found == 0:
                for statement in _SCHEMA.split(";\n"):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {VERSION}")
            self._connection.execute(_ADDED)


def _encodable(values: Sequence[Any]) -> list[Any]:
    """The values with every character one that UTF-8 can write: a file's name may hold bytes that are none."""
    return [value.encode(errors="replace").decode() if isinstance(value, str) else value for value in values]
