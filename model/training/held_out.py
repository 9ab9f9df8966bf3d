"""Rows of the training sources that no training sees: `python -m model.training.held_out --data DATA -o HELD.jsonl.gz`.

Answers in other languages are checked on some of them, and the ranking is fitted on others.

Split by title, as the sources name them.
"""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zlib import crc32

from model.training.data import checked_rows, read_rows, write_rows

_XQUAD = frozenset(("Chloroplast", "Nikola_Tesla", "Genghis_Khan", "Apollo_program"))
_SQUAD_ES = ("Imperialismo", "Rin", "Varsovia", "Hugonotes")
_PIAF = 8  # one in so many titles
_SOURCES = ("xquad", "squad_es", "piaf")
_LANGUAGES = ("en", "es", "fr")  # that the ranking is fitted on; XQuAD's others are the same questions


def held_out(row: Mapping[str, Any]) -> bool:
    """Whether a row is kept for checking, or in English and of an article that `dev/short` has passages of, too."""
    title = row["document"]
    match row["source"]:
        case "piaf":
            return crc32(title.encode()) % _PIAF == 0
        case "xquad":
            return title in _XQUAD or row["language"] == "en"
        case "squad_es":
            return bool(title.endswith(_SQUAD_ES))
    return False


def held_out_rows(data: Path) -> Iterator[dict]:
    """The rows in English, Spanish and French, but those about a context of `dev/`."""
    checked = {row["context"].strip() for row in checked_rows(data)}
    for source in _SOURCES:
        for row in read_rows(data / "train" / f"{source}.jsonl.gz"):
            if held_out(row) and row["language"] in _LANGUAGES and row["context"].strip() not in checked:
                yield row


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m model.training.held_out", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with train/*.jsonl.gz and dev/*.jsonl.gz")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the file to write, gzipped")
    arguments = parser.parse_args()
    write_rows(arguments.output, held_out_rows(arguments.data))


if __name__ == "__main__":
    main()
