"""A library, or a part of it, as one file: a ZIP with a list, the originals and the encodings.

Such a file may come from anywhere: what it holds is checked as a dropped encoding is, field by field, before any of it
is kept.
"""

import hashlib
import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

from app.documents.names import file_name
from app.library.library import Library
from app.library.values import NewDocument, Place, ReadingOptions, StoredDocument
from model.encoder.vision.page_inputs import ViewMode
from model.encoding.file_format import parse_encoding
from model.encoding.schema import Pattern, Range, parse_json
from model.errors import LibraryError
from model.storage.durable import write_durably

_LIST = "library.json"
_LONGEST_LIST = 100_000_000  # bytes
_VERSION = 1
_Text = Annotated[str, Range(0, 4_096)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A document of the file: where it stood, how it was read, and the files of its original and its encoding."""

    folder: _Text
    name: Annotated[str, Range(1, 4_096)]
    sha256: Annotated[str, Pattern("[0-9a-f]{64}", "a SHA-256")]
    range: _Text
    views: ViewMode
    pan_and_scan: Annotated[int, Range(0, 1)]
    protected: Annotated[int, Range(0, 1)]
    encoding: Annotated[str, Pattern(r"encodings/[\w.-]{1,255}", "an encoding's name")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _List:
    version: Annotated[int, Range(_VERSION, _VERSION)]
    documents: tuple[_Entry, ...]


def export_documents(library: Library, documents: Sequence[StoredDocument], path: Path) -> int:
    """Write these documents with all their encodings; says how many. Raises LibraryError."""
    entries: list[_Entry] = []
    files: dict[str, Path] = {}
    for one in documents:
        reading = library.reading_of(one)
        for place, encoding in library.placed_encodings(one):
            entries.append(
                _Entry(
                    folder=place.folder,
                    name=place.name,
                    sha256=one.sha256,
                    range=reading.range,
                    views=reading.views,
                    pan_and_scan=int(reading.pan_and_scan),
                    protected=int(reading.protected),
                    encoding=f"encodings/{encoding.name}",
                )
            )
            files[f"encodings/{encoding.name}"] = encoding
        files[f"files/{one.sha256}"] = library.original(one)
    listed = json.dumps(asdict(_List(version=_VERSION, documents=tuple(entries))), ensure_ascii=False)

    def write(part: Path) -> None:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as bundle:
            bundle.writestr(_LIST, listed.encode(errors="replace"))
            for name, file in files.items():
                bundle.write(file, name)

    try:
        write_durably(path, write)
    except OSError as error:
        raise LibraryError(
            "{name} cannot be written ({why}): choose another folder.", name=path, why=error.strerror
        ) from error
    return len(documents)


def import_documents(library: Library, path: Path) -> int:
    """Take in what `export_documents` has written; says how many documents. Raises LibraryError, EncodingError."""
    try:
        with zipfile.ZipFile(path) as bundle:
            listed = parse_json(_List, _member(bundle, _LIST, _LONGEST_LIST).decode())
            for entry in listed.documents:
                library.add(_new_document(library, bundle, entry))
            return len({entry.sha256 for entry in listed.documents})
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise LibraryError(
            "{path} is not an exported library, or damaged ({why}): export it again.", path=path, why=error
        ) from error


def _new_document(library: Library, bundle: zipfile.ZipFile, entry: _Entry) -> NewDocument:
    data = _member(bundle, f"files/{entry.sha256}", library.capacity_bytes)
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise ValueError(f"{entry.name} is not the file that was exported")
    encoded = parse_encoding(_member(bundle, entry.encoding, library.capacity_bytes), entry.name).encoded
    if encoded.document.sha256 != entry.sha256:
        raise ValueError(f"the encoding of {entry.name} is that of another file")
    name = file_name(entry.name)
    return NewDocument(
        data=data,
        place=Place(folder=entry.folder, name=name),
        reading=ReadingOptions(
            range=entry.range,
            views=entry.views,
            pan_and_scan=bool(entry.pan_and_scan),
            protected=bool(entry.protected),
        ),
        encoded=replace(encoded, document=replace(encoded.document, name=name)),
    )


def _member(bundle: zipfile.ZipFile, name: str, most: int) -> bytes:
    """A file of the bundle; one that says it is larger, or that is packed, is not opened."""
    about = bundle.getinfo(name)
    if about.compress_type != zipfile.ZIP_STORED or about.file_size > most:
        raise ValueError(f"{name} has {about.file_size:,} bytes, and may have {most:,}")
    return bundle.read(about)
