"""From the files that were named to encodings that can be asked: what `ask` and `encode` share."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.commands.progress import ProgressLine
from app.documents import DocumentReader, Limits
from app.settings import Settings
from model.checkpoints import load_checkpoint
from model.encodings import load_encoding
from model.engine import Engine
from model.errors import DocumentError
from model.types import Document, EncodedDocument

ENCODING_SUFFIX = ".safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which files, what of them, and by which checkpoint they are read."""

    files: tuple[Path, ...]
    model: str | None
    pages: str | None
    password: str | None


def read_once(selection: Selection, line: ProgressLine) -> tuple[Engine, tuple[EncodedDocument, ...]]:
    """Open every file, load the checkpoint, and encode what is not encoded yet.

    Files come first: whatever is wrong with one of them is told before anything slow begins.
    """
    settings = Settings.from_environment(os.environ)
    opened = _open(selection, settings, line)
    name = selection.model or settings.model
    engine = Engine(load_checkpoint(name, cache_folder=settings.cache_folder, progress=line.loading))
    return engine, tuple(_encoded(engine, one, line) for one in opened)


def _open(selection: Selection, settings: Settings, line: ProgressLine) -> Sequence[Document | EncodedDocument]:
    limits = Limits(max_bytes=settings.file_bytes)
    with DocumentReader(limits) as reader:
        return [
            _open_encoding(path, selection)
            if path.suffix.lower() == ENCODING_SUFFIX
            else _open_document(reader, path, selection, line)
            for path in selection.files
        ]


def _open_encoding(path: Path, selection: Selection) -> EncodedDocument:
    if selection.pages is not None:
        raise DocumentError(f"--pages cannot pick pages of {path}: it is encoded as it is. Encode the pages instead.")
    return load_encoding(path)


def _open_document(reader: DocumentReader, path: Path, selection: Selection, line: ProgressLine) -> Document:
    read = reader.read(
        path, name=path.name, password=selection.password, pages=selection.pages, progress=line.of(path.name)
    )
    read.images.close()  # nobody looks at pictures here
    return read.document


def _encoded(engine: Engine, opened: Document | EncodedDocument, line: ProgressLine) -> EncodedDocument:
    if isinstance(opened, EncodedDocument):
        return opened
    return engine.encode(opened, progress=line.of(opened.name))
