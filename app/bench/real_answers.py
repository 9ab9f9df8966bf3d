"""Answers about real documents, kept as JSON lines: what was answered is not asked again, and can be scored anew."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from app.bench.real_rows import RealDocument, RealQuestion
from app.bench.real_scores import Outcome
from model.errors import DocumentError


def append_outcomes(file: Path, outcomes: Sequence[Outcome]) -> None:
    """Add the answers about a document, all or, if the program ends meanwhile, some: a later run asks it again."""
    with file.open("a", encoding="utf-8") as out:
        out.writelines(json.dumps(_row(one), ensure_ascii=False) + "\n" for one in outcomes)


def read_outcomes(file: Path, asked: Sequence[tuple[RealDocument, list[RealQuestion]]]) -> list[Outcome]:
    """The outcomes of those documents whose questions are all answered in the file; none where there is no file.

    Raises DocumentError where a line is no answer.
    """
    rows = {row["id"]: row for row in _rows(file)}
    return [
        _outcome(document, question, rows[question.id])
        for document, questions in asked
        if all(question.id in rows for question in questions)
        for question in questions
    ]


def _row(one: Outcome) -> dict[str, Any]:
    return {
        "id": one.question.id,
        "answer": one.text,
        "found": one.found and one.given,
        "pages": one.pages,
        "doubtful": one.doubtful,
        "confidence": round(one.confidence, 4),
        "error": one.failed or None,
    }


def _outcome(document: RealDocument, question: RealQuestion, row: dict[str, Any]) -> Outcome:
    return Outcome(
        question=question,
        has_pages=document.has_pages,
        text=row["answer"],
        pages=tuple(row["pages"]),
        doubtful=row["doubtful"],
        confidence=row.get("confidence", 0.0),
        found=row.get("found", True),
        failed=row["error"] or "",
    )


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    if not file.exists():
        return
    for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), start=1):
        try:
            row = json.loads(line) if line.strip() else {}
            if row and not {"id", "answer", "pages", "doubtful", "error"} <= set(row):
                raise ValueError("a field is missing")
        except (ValueError, TypeError) as error:
            raise DocumentError(
                "Line {number} of {file} is no answer ({why}): remove it, or name another file.",
                number=number,
                file=file,
                why=error,
            ) from error
        if row:
            yield row
