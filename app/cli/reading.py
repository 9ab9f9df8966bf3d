"""From the files that were named to encodings that can be asked: what `ask` and `encode` share."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.backend import begin_to_install_faster_backend
from app.cli.progress import ProgressLine
from app.cli.terminal import harmless
from app.documents import DocumentReader, Limits, ReadDocument
from app.library.library import Library
from app.library.opening import existing_library, sha256_of
from app.library.values import ReadingOptions, StoredDocument
from app.provenance import unreadable
from app.settings import Settings
from model.checkpoints import load_checkpoint
from model.encoder.vision.page_inputs import VIEW_MODES, ViewMode
from model.encoding.file_format import load_encoding
from model.engine import Engine
from model.errors import DocumentError, EncodingError
from model.types import EncodedDocument, Precision

ENCODING_SUFFIX = ".safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which files, what of them, how their pages enter, and by which checkpoint they are read."""

    files: tuple[Path, ...]
    model: str | None
    pages: str | None
    views: ViewMode
    pan_and_scan: bool
    password: str | None

    @classmethod
    def of(cls, arguments: argparse.Namespace, files: Sequence[Path]) -> "Selection":
        """What the reading options of a command say. `--pages` takes a range, and one of the modes."""
        modes = [given for given in arguments.pages if given in VIEW_MODES]
        ranges = [given for given in arguments.pages if given not in VIEW_MODES]
        return cls(
            files=tuple(files),
            model=arguments.model,
            pages=",".join(ranges) or None,
            views=modes[-1] if modes else "auto",
            pan_and_scan=arguments.pan_and_scan,
            password=arguments.password,
        )

    def reading(self, *, protected: bool) -> ReadingOptions:
        """How a file is read, as the library knows it."""
        return ReadingOptions(
            range=self.pages or "", views=self.views, pan_and_scan=self.pan_and_scan, protected=protected
        )


def read_once(selection: Selection, line: ProgressLine) -> tuple[Engine, tuple[EncodedDocument, ...]]:
    """Open every file, load the checkpoint, and encode what is not encoded yet.

    Files come first: whatever is wrong with one of them is told before anything slow begins. What the library has is
    not read again.
    """
    library = existing_library(settings := Settings.load())
    with open_reader() as reader:
        stored = [_stored(library, path, selection) for path in selection.files]
        opened = [
            None if one else _open(reader, path, selection, line)
            for one, path in zip(stored, selection.files, strict=True)
        ]
        engine = load_engine(selection.model, line)
        encoded = []
        for path, one, read in zip(selection.files, stored, opened, strict=True):
            found = _from_library(library, one, engine, settings.precision) if library and one else None
            encoded.append(found or _encoded(engine, read or _open(reader, path, selection, line), selection, line))
        return engine, tuple(encoded)


def _stored(library: Library | None, path: Path, selection: Selection) -> StoredDocument | None:
    """The document of the library that this file is, if it has it."""
    if library is None or path.suffix.lower() == ENCODING_SUFFIX or not path.is_file():
        return None
    return library.find(sha256_of(path), selection.reading(protected=selection.password is not None).key)


def _from_library(
    library: Library, stored: StoredDocument, engine: Engine, precision: Precision
) -> EncodedDocument | None:
    """What this checkpoint has read of it; None where the file must be read anew."""
    try:
        return library.encoding(stored, engine.checkpoint.fingerprint, precision)
    except EncodingError:
        return None


def open_reader() -> DocumentReader:
    """A reader with the limits of the environment."""
    return DocumentReader(Limits(max_bytes=Settings.load().file_bytes))


def load_engine(
    model: str | None, line: ProgressLine, *, quantized: bool = False, precision: Precision | None = None
) -> Engine:
    """The engine on the checkpoint of that name; None: on the one that the settings name.

    `quantized` weights pay from some answers on: making them takes a second or two. `precision`: in which documents are
    kept; None: as the settings say.
    """
    settings = Settings.load()
    checkpoint = load_checkpoint(model or settings.model, cache_folder=settings.cache_folder, progress=line.loading)
    engine = Engine(checkpoint, memory_precision=precision or settings.precision)
    begin_to_install_faster_backend(engine, settings.cache_folder, quantized=quantized)
    return engine


def _open(
    reader: DocumentReader, path: Path, selection: Selection, line: ProgressLine
) -> ReadDocument | EncodedDocument:
    if path.suffix.lower() == ENCODING_SUFFIX:
        return _open_encoding(path, selection)
    read = reader.read(
        path, name=path.name, password=selection.password, pages=selection.pages, progress=line.of(path.name)
    )
    tell_unreadable(read, line)
    return read


def tell_unreadable(read: ReadDocument, line: ProgressLine) -> None:
    """Say on standard error what of a document could not be read."""
    for remark in unreadable(read.document):
        line.clear()
        print(harmless(f"readonce: {read.document.name}: {remark}"), file=sys.stderr)


def _open_encoding(path: Path, selection: Selection) -> EncodedDocument:
    if selection.pages is not None:
        raise DocumentError(
            "--pages cannot pick pages of {path}: it is encoded as it is. Encode the pages instead.", path=path
        )
    return load_encoding(path)


def _encoded(
    engine: Engine, opened: ReadDocument | EncodedDocument, selection: Selection, line: ProgressLine
) -> EncodedDocument:
    if isinstance(opened, EncodedDocument):
        return opened
    return engine.encode(
        opened.document,
        views=selection.views,
        picture=opened.picture,
        pan_and_scan=selection.pan_and_scan,
        progress=line.of(opened.document.name),
    )
