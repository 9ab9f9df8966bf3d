"""`generated`: rows about generated documents, set as PDFs and read back as the page reads them.

With `--split train` they are training material, with `--split check` (the default) a test: names, values and layouts
that no training saw.
"""

import argparse
import gzip
import json
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.bench.paper import choose_layout, draw_paper
from app.cli.progress import ProgressLine
from app.documents import DocumentReader
from model.training.facts import FactSource, Split
from model.training.records import make_sketch


def generated(arguments: argparse.Namespace) -> None:
    line = ProgressLine(sys.stderr)
    try:
        opener = gzip.open if arguments.output.suffix == ".gz" else open
        with opener(arguments.output, "wt", encoding="utf-8") as out:
            for number, rows in enumerate(make_rows(arguments.documents, arguments.split, arguments.seed), start=1):
                line.say(f"document {number:,} of {arguments.documents:,}")
                out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    finally:
        line.clear()


def make_rows(documents: int, split: Split, seed: int) -> Iterator[list[dict[str, Any]]]:
    """The rows of each document. A question whose answer does not stand in the text that was read is left out."""
    rng = random.Random(f"{split} {seed}")
    with DocumentReader() as reader, tempfile.TemporaryDirectory() as folder:
        for number in range(documents):
            sketch = make_sketch(FactSource(rng, split))
            file = Path(folder) / "paper.pdf"
            file.write_bytes(draw_paper(sketch, choose_layout(rng, split)))
            pages = reader.read(file, name=file.name).document.pages
            context = "\n".join(page.text for page in pages)
            flat = " ".join(context.split())
            name = f"{split}-{seed}-{number}"
            yield [
                {
                    "id": f"{name}-{index}",
                    "source": "generated",
                    "language": "en",
                    "document": name,
                    "context": context,
                    "question": question,
                    "answers": [answer],
                }
                for index, (question, answer) in enumerate(sketch.pairs)
                if " ".join(answer.split()) in flat
            ]
