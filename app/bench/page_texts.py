"""`pages`: the page texts of a folder of documents, as the app's reader gives them: what training reads.

Reading takes far longer than training on what was read, so it is done once and written down. Each document has one
line, in the order of `documents.jsonl`. A document that another version of the reader has read is read again.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import app.documents
from app.bench.real_rows import RealDocument, read_documents
from app.cli.progress import ProgressLine
from app.documents import DocumentReader
from model.errors import ReadonceError


def pages(arguments: argparse.Namespace) -> None:
    """Read what `arguments.output` lacks, a line for each document, so that an interrupted reading goes on."""
    documents = [one for one in read_documents(arguments.data) if arguments.split in (None, one.split)]
    version = reader_version()
    done = {row["document"] for row in _written(arguments.output) if row["reader"] == version}
    line = ProgressLine(sys.stderr)
    try:
        with DocumentReader() as reader, arguments.output.open("a", encoding="utf-8") as out:
            for number, one in enumerate(documents, start=1):
                line.say(f"document {number:,} of {len(documents):,}: {one.file.name}")
                if one.id not in done:
                    row = {"document": one.id, "reader": version, **page_texts(reader, one)}
                    print(json.dumps(row, ensure_ascii=False), file=out, flush=True)
    finally:
        line.clear()


def page_texts(reader: DocumentReader, one: RealDocument) -> dict[str, Any]:
    """The sha256 of a document's file and the text of each page by its number, or what is wrong with the file."""
    try:
        document = reader.read(one.file, name=one.file.name).document
    except ReadonceError as error:
        return {"sha256": hashlib.sha256(one.file.read_bytes()).hexdigest(), "pages": {}, "error": str(error)}
    return {"sha256": document.sha256, "pages": {page.number: page.text for page in document.pages}}


def reader_version() -> str:
    """A hash of the reader's source: page texts that another reader made are other texts."""
    folder = Path(app.documents.__file__).parent
    sources = (file.read_bytes() for file in sorted(folder.rglob("*.py")))
    return hashlib.sha256(b"\0".join(sources)).hexdigest()[:12]


def _written(file: Path) -> Iterator[dict[str, Any]]:
    if file.exists():
        with file.open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)
