"""`quality`: exact match and F1 of a checkpoint on rows with known answers, beside Gemma 3 270M on the same rows."""

import argparse
import hashlib
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields

from app.bench.asking import ask_all, engine_for
from app.bench.results import as_result
from app.bench.rows import Row, by_context, read_rows
from app.bench.scores import Scores, score
from app.cli.progress import ProgressLine
from app.settings import Settings
from model.engine import Engine
from model.types import Document, Page

A4 = (595.0, 842.0)  # points; a row has no real page
COLUMNS = ("exact match", "F1", "no-answer recall", "false refusals")


def quality(arguments: argparse.Namespace) -> None:
    rows = read_rows(arguments.data, arguments.limit)
    settings = Settings.load()
    line = ProgressLine(sys.stderr)
    try:
        engine = engine_for(arguments, line)
        answers, chunks = engine_answers(engine, rows, line)
        ours = score(engine.checkpoint.name, rows, answers)
        baseline = None if arguments.no_baseline else _baseline(rows, settings, line)
    finally:
        line.clear()
    if arguments.json:
        print(as_json(len(rows), ours, baseline))
    else:
        print(as_table(len(rows), ours, *by_chunks(rows, answers, chunks), baseline))


def by_chunks(rows: Sequence[Row], answers: Sequence[str], chunks: Sequence[int]) -> list[Scores]:
    """Beside all rows together, those whose context was read in one chunk and in several, where there are both."""
    groups: dict[bool, list[tuple[Row, str]]] = {}
    for row, answer, count in zip(rows, answers, chunks, strict=True):
        groups.setdefault(count > 1, []).append((row, answer))
    if len(groups) < 2:
        return []
    return [
        score(
            f"  {len(groups[several])} in {'several chunks' if several else 'one chunk'}",
            *zip(*groups[several], strict=True),
        )
        for several in (False, True)
    ]


def engine_answers(engine: Engine, rows: Sequence[Row], line: ProgressLine) -> tuple[list[str], list[int]]:
    """The engine's answer to each row, and in how many chunks its context was read.

    Each context is read once, and its questions are answered together.
    """
    answers: dict[int, tuple[str, int]] = {}
    for indices in by_context(rows):
        line.say(f"{engine.checkpoint.name}: {len(answers):,} of {len(rows):,} rows")
        encoded = engine.encode(row_document(rows[indices[0]]))
        for index, text in zip(indices, ask_all(engine, encoded, [rows[i].question for i in indices]), strict=True):
            answers[index] = text, encoded.chunks
    texts, chunks = zip(*(answers[index] for index in range(len(rows))), strict=True)
    return list(texts), list(chunks)


def as_json(rows: int, checkpoint: Scores, baseline: Scores | None) -> str:
    """The object that other programs read: its names are fixed."""
    return as_result(
        {"rows": rows, "checkpoint": asdict(checkpoint), "baseline": asdict(baseline) if baseline else None}
    )


def as_table(rows: int, *scores: Scores | None) -> str:
    lines = [f"{rows:,} rows, per cent".ljust(32) + "".join(f"{column:>18}" for column in COLUMNS)]
    for one in scores:
        if one is not None:
            figures = [getattr(one, field.name) for field in fields(one)[1:]]
            lines.append(f"{one.name:<32}" + "".join(f"{_figure(figure):>18}" for figure in figures))
    return "\n".join(lines)


def _figure(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:.1f}"


def _baseline(rows: Sequence[Row], settings: Settings, line: ProgressLine) -> Scores:
    from app.bench.baseline import NAME, gemma_answers

    return score(NAME, rows, gemma_answers(rows, cache_folder=settings.cache_folder, report=line.say))


def row_document(row: Row) -> Document:
    """A row's context as a document of one page."""
    page = Page(number=1, text=row.context, words=(), width=A4[0], height=A4[1])
    return Document(name=row.id, sha256=hashlib.sha256(row.context.encode()).hexdigest(), pages=(page,))
