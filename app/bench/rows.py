"""Questions with known answers, one JSON object a line."""

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from model.errors import DocumentError


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A question about a context. Any of `answers` is right; where there are none, the context does not say."""

    id: str
    context: str
    question: str
    answers: tuple[str, ...]


def read_rows(path: Path, limit: int | None = None) -> list[Row]:
    """The first `limit` rows of a file of JSON lines, which may be gzipped."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
            rows = list(islice(_parsed(file, path), limit))
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise DocumentError(
            "{path} cannot be read ({why}). Name a file of JSON lines, plain or .gz.", path=path, why=error
        ) from error
    if not rows:
        raise DocumentError(
            "{path} holds no rows. Each line is an object with context, question, answers and id.", path=path
        )
    return rows


def by_context(rows: Sequence[Row]) -> list[list[int]]:
    """The places of the rows that share a context, which is read once for all of them."""
    groups: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        groups.setdefault(row.context, []).append(index)
    return list(groups.values())


def _parsed(lines: Iterator[str], path: Path) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield _row(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise DocumentError(
                    "Line {number} of {path} is no row ({why}). It needs context, question, answers and id.",
                    number=number,
                    path=path,
                    why=repr(error),
                ) from error


def _row(fields: dict[str, Any]) -> Row:
    answers = fields["answers"]
    if not isinstance(answers, list):
        raise TypeError(f"answers is {answers!r}")
    return Row(
        id=str(fields["id"]),
        context=str(fields["context"]),
        question=str(fields["question"]),
        answers=tuple(str(answer) for answer in answers),
    )
