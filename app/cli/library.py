"""The library's commands: `add`, `list`, `remove`, `export`, `import`."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.progress import ProgressLine
from app.cli.terminal import harmless
from app.library.library import Library
from app.library.opening import open_library
from app.library.values import Place, Scope, StoredDocument
from app.provenance import counted, megabytes, seconds
from app.settings import Settings
from model.errors import DocumentError, LibraryError

if TYPE_CHECKING:  # it imports torch, for which `list` does not wait
    from app.library.adding import Adding

INDEX_SECONDS = 30.0  # that `add` goes on for documents which an earlier version has added


@contextmanager
def the_library() -> Iterator[Library]:
    """The library of the settings, cleared of what was removed or left behind. Raises LibraryError."""
    library = open_library(Settings.load())
    try:
        library.sweep()
        yield library
    finally:
        library.close()


def add(arguments: argparse.Namespace) -> None:
    """`add`: a line for each file, and a summary."""
    from app.cli.reading import Selection, load_engine, open_reader
    from app.library.adding import Adding, changed_files, files_below

    selection = Selection.of(arguments, arguments.files)
    line = ProgressLine(sys.stderr, log_seconds=arguments.log_seconds)
    files = list(files_below(selection.files))
    outcomes: Counter[str] = Counter()
    with the_library() as library, open_reader() as reader:
        adding = Adding(
            library=library,
            reader=reader,
            engine=load_engine(selection.model, line),
            precision=Settings.load().precision,
            reading=lambda protected: selection.reading(protected=protected),
            password=selection.password,
        )
        try:
            for path in files:
                outcomes[_add_one(adding, path, line)] += 1
            adding.index(INDEX_SECONDS)
            _say_summary(library, outcomes)
            for path in changed_files(selection.files) if arguments.watch else ():
                _add_one(adding, path, line)
        finally:
            line.clear()
    if outcomes["failed"] and not outcomes["added"] and not outcomes["there"]:
        raise DocumentError("None of the files could be added; the lines above say why.")


def _add_one(adding: "Adding", path: Path, line: ProgressLine) -> str:
    added = adding.add(path, line.of(path.name))
    line.clear()
    about = ""
    if added.encoded is not None:
        pages, tokens = counted(len(added.encoded.document.pages), "page"), counted(added.encoded.token_count, "token")
        about = f" ({pages}, {tokens}, read in {seconds(added.encoded.encode_seconds)})"
    print(
        harmless(f"{added.outcome:<6}  {added.path}{about}{': ' if added.problem else ''}{added.problem}"), flush=True
    )
    return added.outcome


def _say_summary(library: Library, outcomes: Counter[str]) -> None:
    said = f"{outcomes['added']:,} added, {outcomes['there']:,} there already, {outcomes['failed']:,} failed"
    print(f"{said}; the library has {_size(library)}")


def _size(library: Library) -> str:
    documents = counted(library.count, "document")
    return f"{documents}, {megabytes(library.used_bytes)} of {megabytes(library.capacity_bytes)}"


def list_documents(arguments: argparse.Namespace) -> None:
    """`list`: a line for each document, the latest used first."""
    with the_library() as library:
        documents = library.documents(scope_of(arguments.folder))
        if arguments.json:
            print(json.dumps({"documents": [_object(one) for one in documents]}, ensure_ascii=False, indent=2))
            return
        for one in documents:
            facts = f"{counted(one.pages, 'page')}, {counted(one.tokens, 'token')}, {megabytes(one.size_bytes)}"
            print(harmless(f"{_path(one)} ({facts}{f', pages {one.range}' if one.range else ''})"))
        print(f"{_size(library)} in {Settings.load().library}")


def _object(one: StoredDocument) -> dict[str, str | int]:
    added = datetime.fromtimestamp(one.added).astimezone().isoformat(timespec="seconds")
    return {
        "name": one.name, "folder": one.folder, "sha256": one.sha256, "pages": one.pages, "tokens": one.tokens,
        "bytes": one.size_bytes, "range": one.range, "added": added,
    }  # fmt: skip


def _path(one: StoredDocument) -> str:
    return str(Path(one.folder) / one.name) if one.folder else one.name


def scope_of(folder: Path | None) -> Scope:
    return Scope() if folder is None else Scope(folder=str(folder.absolute()))


def remove(arguments: argparse.Namespace) -> None:
    """`remove`: by name, by file, or by folder."""
    if bool(arguments.targets) + arguments.undo + arguments.everything != 1:
        raise LibraryError("Name what to remove, or take one of --undo and --everything.")
    with the_library() as library:
        if arguments.everything:
            library.forget_everything()
            print("The library is empty.")
        elif arguments.undo:
            back = library.restore([one.id for one in library.documents(removed=True) if one.removed])
            print(f"{counted(back, 'document')} back in the library")
        else:
            found = {one.id: one for target in arguments.targets for one in _matching(library, target)}
            library.remove(list(found))
            for one in found.values():
                print(harmless(f"removed  {_path(one)}"))
            print(f"{counted(len(found), 'document')} removed; `remove --undo` has them back for ten seconds")


def _matching(library: Library, target: str) -> list[StoredDocument]:
    """The documents of this folder, file or name, wherever else they stand. Raises LibraryError where there is none."""
    path = Path(target).absolute()
    if found := library.documents(Scope(folder=str(path))):
        return found
    if file := library.at(Place(folder=str(path.parent), name=path.name)):
        return [file]
    if not (found := library.named(target)):
        raise LibraryError("The library has no document or folder {target!r}: `list` shows what it has.", target=target)
    return found


def export(arguments: argparse.Namespace) -> None:
    """`export`: originals and encodings as one file."""
    from app.library.exchange import export_documents

    with the_library() as library:
        written = export_documents(library, library.documents(scope_of(arguments.folder)), arguments.output)
        print(f"{arguments.output}: {counted(written, 'document')}, {megabytes(arguments.output.stat().st_size)}")


def import_documents(arguments: argparse.Namespace) -> None:
    """`import`: what such a file has is checked like any file from elsewhere."""
    from app.library.exchange import import_documents as take

    with the_library() as library:
        taken = take(library, arguments.file)
        print(f"{counted(taken, 'document')} imported; the library has {_size(library)}")
