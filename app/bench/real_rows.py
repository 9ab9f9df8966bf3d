"""Real documents and what is asked about them: `documents.jsonl` and `questions.jsonl` of a folder, with `files/`."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from model.errors import DocumentError
from model.types import Turn

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class RealDocument:
    """A document's file, and in which split its questions are."""

    id: str
    file: Path
    split: str
    pages: int
    title: str = ""

    @property
    def has_pages(self) -> bool:
        """Whether an answer's page tells something: of office files, mail and web pages it is always the first."""
        return self.file.suffix.lower() == ".pdf" and self.pages > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RealQuestion:
    """A question about a document. Any of `answers` is right; where there are none, the document does not say.

    pages: where the answer stands, from 1. quote: what it rests on; of tables `row | header | value`.
    """

    id: str
    document: str
    split: str
    kind: str
    question: str
    answers: tuple[str, ...]
    pages: tuple[int, ...] = ()
    quote: str = ""
    turns: tuple[Turn, ...] = ()


def read_documents(folder: Path) -> list[RealDocument]:
    """The documents of a folder. Raises DocumentError where `documents.jsonl` cannot be read or a line is none."""

    def document(fields: dict[str, Any]) -> RealDocument:
        file = folder / "files" / str(fields["file"])
        return RealDocument(
            id=str(fields["id"]),
            file=file,
            split=str(fields["split"]),
            pages=int(fields["pages"]),
            title=str(fields.get("title") or ""),
        )

    return _read(folder / "documents.jsonl", document)


def read_questions(folder: Path) -> list[RealQuestion]:
    """The questions of a folder. Raises DocumentError where `questions.jsonl` cannot be read or a line is none."""
    return read_rows(folder / "questions.jsonl")


def read_rows(file: Path) -> list[RealQuestion]:
    """The questions of a file. Raises DocumentError where it cannot be read or a line is none."""
    return _read(file, _question)


def _question(fields: dict[str, Any]) -> RealQuestion:
    turns = fields.get("turns", [])
    return RealQuestion(
        id=str(fields["id"]),
        document=str(fields["doc"]),
        split=str(fields["split"]),
        kind=str(fields["kind"]),
        question=str(fields["question"]),
        answers=tuple(str(answer) for answer in fields["answers"]),
        pages=tuple(int(page) for page in fields["pages"]),
        quote=str(fields.get("quote", "")),
        turns=tuple(Turn(question=str(turn["question"]), answer=str(turn["answer"])) for turn in turns),
    )


def _read(file: Path, row: Callable[[dict[str, Any]], Row]) -> list[Row]:
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentError(
            "{file} cannot be read ({why}). Name a folder that holds it and files/.", file=file, why=error
        ) from error
    rows: list[Row] = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                rows.append(row(json.loads(line)))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise DocumentError(
                    "Line {number} of {file} is no row ({why}).", number=number, file=file, why=repr(error)
                ) from error
    return rows
