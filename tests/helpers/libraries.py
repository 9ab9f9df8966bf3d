"""Libraries of tests: documents of a tiny network, kept in a folder of the test's own."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from app.library.library import Library
from app.library.values import NewDocument, Place, ReadingOptions
from model.engine import Engine
from model.types import Document, Page

CAPACITY = 100_000_000


def a_library(folder: Path, capacity_bytes: int = CAPACITY) -> Library:
    return Library.open(folder / "library", capacity_bytes=capacity_bytes)


def a_new_document(engine: Engine, *texts: str, name: str = "a.txt", folder: str = "") -> NewDocument:
    """A document of these pages, read by the engine; its file is the pages' text."""
    data = "\f".join(texts).encode()
    pages = tuple(Page(number=n, text=text, words=(), width=595, height=842) for n, text in enumerate(texts, 1))
    encoded = engine.encode(Document(name=name, sha256=sha256(data).hexdigest(), pages=pages))
    return NewDocument(data=data, place=Place(folder=folder, name=name), reading=ReadingOptions(), encoded=encoded)


def named(new: NewDocument, name: str) -> NewDocument:
    return replace(new, place=replace(new.place, name=name))


def files_of(library_folder: Path) -> set[str]:
    """The names of all files but the database's."""
    return {path.name for path in library_folder.rglob("*") if path.is_file() and "sqlite" not in path.name}
