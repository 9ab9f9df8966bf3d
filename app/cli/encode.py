"""`encode`: read a document once and save what was read."""

import argparse
import sys
from pathlib import Path

from app.cli.progress import ProgressLine
from app.cli.reading import ENCODING_SUFFIX, Selection, read_once
from app.provenance import counted, megabytes, seconds
from model.encoding.file_format import save_encoding
from model.errors import DocumentError, EncodingError


def encode(arguments: argparse.Namespace) -> None:
    _check_paths(arguments.file, arguments.output)
    line = ProgressLine(sys.stderr, log_seconds=arguments.log_seconds)
    selection = Selection.of(arguments, [arguments.file])
    try:
        _, (encoded,) = read_once(selection, line)
    finally:
        line.clear()
    try:
        save_encoding(encoded, arguments.output)
    except OSError as error:
        raise EncodingError(
            "{output} cannot be written ({why}). Name another place.", output=arguments.output, why=error.strerror
        ) from error
    pages, tokens = counted(len(encoded.document.pages), "page"), counted(encoded.token_count, "token")
    size = megabytes(arguments.output.stat().st_size)
    print(f"{arguments.output}: {pages}, {tokens}, {size}, read in {seconds(encoded.encode_seconds)}")


def _check_paths(document: Path, output: Path) -> None:
    """What can be known to fail is told before minutes of reading."""
    if document.suffix.lower() == ENCODING_SUFFIX:
        raise DocumentError("{document} is an encoding already. Name the document itself.", document=document)
    if output.suffix.lower() != ENCODING_SUFFIX:
        raise EncodingError(
            "{output} must end in {suffix}, so that `ask` knows it as an encoding.",
            output=output,
            suffix=ENCODING_SUFFIX,
        )
    if not output.parent.is_dir():
        raise EncodingError(
            "{output} cannot be written: there is no folder {folder}. Make it first.",
            output=output,
            folder=output.parent,
        )
