"""`sample`: questions of every kind about the bundled sample, which were written without sight of any answer.

They are kept out of all training. The file has rows as `questions.jsonl` of `real` has them, and is scored as that is.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from app.bench.asking import engine_for
from app.bench.real import as_table, ask_document, figures
from app.bench.real_rows import RealDocument, read_rows
from app.bench.results import as_result
from app.cli.progress import ProgressLine
from app.cli.reading import open_reader

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = RealDocument(id="sample", file=ROOT / "assets" / "sample.pdf", split="sample", pages=4)


def sample(arguments: argparse.Namespace) -> None:
    questions = read_rows(arguments.data)
    line = ProgressLine(sys.stderr)
    try:
        engine = engine_for(arguments, line)
        line.say(f"{len(questions)} questions about {SAMPLE.file.name}")
        with open_reader() as reader:
            outcomes = ask_document(engine, reader, SAMPLE, questions)
    finally:
        line.clear()
    if arguments.wrong:
        for one in outcomes:
            if not one.right:
                print(f"{one.question.id} {one.question.kind}: {one.question.question} | {one.text}")
    print(as_result(figures(outcomes)) if arguments.json else as_table(outcomes))
