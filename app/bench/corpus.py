"""`corpus`: every file of a folder is read, and a page of it drawn: what is refused and why, what is slow or lost.

Where poppler's `pdftotext` is installed, the words of each PDF are compared with those that it finds.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from app.bench.results import as_result
from app.cli.progress import ProgressLine
from app.cli.reading import open_reader
from app.documents import DocumentReader
from model.errors import DocumentError, PasswordNeeded

SLOW_SECONDS = 20.0
POPPLER_SECONDS = 120.0
DRAWN_WIDTH = 800  # pixels
CRASHED = "ended the process"  # as the reader says it
_WORD = re.compile(r"\w+")
_FIGURES = re.compile(r"\d[\d.,]*")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|\([^)]*\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What became of one file. `refused` and `not_drawn` are messages; empty where it was read, and drawn."""

    file: str
    seconds: float
    pages: int = 0
    words: int = 0
    unmapped: int = 0  # characters that stand for no character
    refused: str = ""
    needs_password: bool = False
    not_drawn: str = ""
    poppler_words: int | None = None  # None: no PDF, poppler does not read it, or it is not installed
    words_in_both: int | None = None

    @property
    def crashed(self) -> bool:
        return CRASHED in self.refused or CRASHED in self.not_drawn


def corpus(arguments: argparse.Namespace) -> None:
    folder: Path = arguments.folder
    if not folder.is_dir():
        raise DocumentError("{folder} is no folder: name one with documents.", folder=folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file())[: arguments.limit]
    line, readings = ProgressLine(sys.stderr), []
    try:
        with open_reader() as reader:
            for reading in read_all(reader, files, folder, jobs=arguments.jobs):
                readings.append(reading)
                line.say(f"{len(readings):,} of {len(files):,} files")
    finally:
        line.clear()
    figures = summary(readings)
    if arguments.json:
        print(as_result({**figures, "files_read": [asdict(one) for one in readings]}))
    else:
        print(as_text(figures))


def read_all(reader: DocumentReader, files: Sequence[Path], folder: Path, *, jobs: int) -> Iterator[Reading]:
    """What became of each file, in their order."""
    with ThreadPoolExecutor(jobs) as threads:
        yield from threads.map(lambda path: read_file(reader, path, str(path.relative_to(folder))), files)


def read_file(reader: DocumentReader, path: Path, name: str) -> Reading:
    """Read a file and draw its first page."""
    began = time.monotonic()
    try:
        read = reader.read(path, name=path.name)
    except DocumentError as error:
        found = Reading(
            file=name,
            seconds=time.monotonic() - began,
            refused=str(error),
            needs_password=isinstance(error, PasswordNeeded),
        )
        return _beside_poppler(found, path, "")
    text = "\n".join(page.text for page in read.document.pages)
    found = Reading(
        file=name,
        seconds=time.monotonic() - began,
        pages=len(read.document.pages),
        words=len(words_of(text)),
        unmapped=sum(map(is_unmapped, text)),
    )
    try:
        read.images.image(read.document.pages[0].number, width=DRAWN_WIDTH)
    except DocumentError as error:
        found = replace(found, not_drawn=str(error))
    finally:
        read.images.close()
    return _beside_poppler(found, path, text)


def summary(readings: Sequence[Reading]) -> dict[str, Any]:
    """The figures of all readings."""
    refused = [one for one in readings if one.refused]
    compared = [one for one in readings if one.poppler_words is not None and not one.refused]
    theirs = sum(one.poppler_words or 0 for one in compared)
    both = sum(one.words_in_both or 0 for one in compared)
    return {
        "files": len(readings),
        "read": len(readings) - len(refused),
        "pages": sum(one.pages for one in readings),
        "refused": len(refused),
        "by_ending": _by_ending(readings),
        "refused_by_reason": dict(Counter(reason(one.refused) for one in refused).most_common()),
        "refused_but_read_by_poppler": [one.file for one in refused if one.poppler_words and not one.needs_password],
        "crashed": [one.file for one in readings if one.crashed],
        "not_drawn": [one.file for one in readings if one.not_drawn],
        "slow": [one.file for one in readings if one.seconds > SLOW_SECONDS],
        "unmapped_characters": sum(one.unmapped for one in readings),
        "files_with_unmapped_characters": sum(one.unmapped > 0 for one in readings),
        "words": sum(one.words for one in readings),
        "compared_with_poppler": len(compared),
        "poppler_words": theirs,
        "poppler_words_found_percent": 100 * both / theirs if theirs else None,
        "fewest_of_popplers_words": _losing_most(compared),
    }


def _by_ending(readings: Sequence[Reading]) -> dict[str, str]:
    """How many files of each ending were read."""
    every = Counter(_ending(one) for one in readings)
    read = Counter(_ending(one) for one in readings if not one.refused)
    return {ending or "no ending": f"{read[ending]} of {count}" for ending, count in sorted(every.items())}


def _ending(reading: Reading) -> str:
    return Path(reading.file).suffix.lower()


def as_text(figures: dict[str, Any]) -> str:
    lines = []
    for name, value in figures.items():
        title = name.replace("_", " ")
        if isinstance(value, dict):
            lines += [f"{title}:", *(f"{count:>8}  {text}" for text, count in value.items())]
        elif isinstance(value, list):
            lines += [f"{title:<36}{len(value):>12,}", *(f"          {one}" for one in value)]
        else:
            shown = "-" if value is None else f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"
            lines.append(f"{title:<36}{shown:>12}")
    return "\n".join(lines)


def reason(message: str) -> str:
    """A message without what is said of this file only, so that alike ones are counted together."""
    return " ".join(_FIGURES.sub("N", _QUOTED.sub("…", message)).split())


def words_of(text: str) -> list[str]:
    """Its words as both sides write them: ligatures and accents in one form, lower case."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).lower())


def is_unmapped(character: str) -> bool:
    """Whether a font said no character: the replacement character, or one of private use."""
    return character == "\N{REPLACEMENT CHARACTER}" or unicodedata.category(character) == "Co"


def _beside_poppler(found: Reading, path: Path, text: str) -> Reading:
    theirs = poppler_text(path)
    if theirs is None:
        return found
    ours, words = Counter(words_of(text)), Counter(words_of(theirs))
    return replace(found, poppler_words=words.total(), words_in_both=(ours & words).total())


def poppler_text(path: Path) -> str | None:
    """What `pdftotext` finds in a PDF; None where it does not read it, or is not installed."""
    program = shutil.which("pdftotext")
    if program is None or path.suffix.lower() != ".pdf":
        return None
    try:
        run = subprocess.run(
            [program, "-q", "-enc", "UTF-8", os.fspath(path.absolute()), "-"],
            capture_output=True,
            timeout=POPPLER_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return run.stdout.decode("utf-8", "replace")


def _losing_most(compared: Iterable[Reading], most: int = 10) -> list[str]:
    """The files in which we find the smallest share of poppler's words, with that share."""
    shares = [((one.words_in_both or 0) / one.poppler_words, one.file) for one in compared if one.poppler_words]
    return [f"{share:.0%} of {file}" for share, file in sorted(shares)[:most] if share < 1]
