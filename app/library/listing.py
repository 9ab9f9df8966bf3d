"""Documents as they are listed: from rows of the database to values."""

from collections.abc import Mapping
from typing import Final

from app.library.database import Row
from app.library.values import Order, Scope, StoredDocument


def stored_document(row: Row) -> StoredDocument:
    """A row of the view `listing`."""
    facts = {name: row[name] for name in row.keys() if name != "removed"}  # noqa: SIM118 - a Row iterates values
    return StoredDocument(**facts, removed=row["removed"] is not None)


ORDERS: Final[Mapping[Order, str]] = {
    "used": "used DESC",
    "added": "added DESC",
    "name": "name COLLATE NOCASE, folder",
    "size": "size_bytes DESC",
}


def document_where(scope: Scope) -> tuple[str, list[str | int]]:
    """The condition on `id` that a scope means, and its values."""
    if scope.documents:
        return f"id IN ({', '.join('?' * len(scope.documents))})", list(scope.documents)
    if not scope.folder:
        return "1", []
    folder = scope.folder.rstrip("/\\")
    below = [f"{folder}{separator}" for separator in "/\\"]
    tests = " OR ".join(["folder = ?", *["substr(folder, 1, ?) = ?"] * len(below)])
    values: list[str | int] = [folder]
    for beginning in below:
        values += [len(beginning), beginning]
    return f"id IN (SELECT document FROM places WHERE {tests})", values
