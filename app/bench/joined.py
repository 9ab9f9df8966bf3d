"""`joined`: what is lost where documents are read each by itself and their memories joined, instead of read as one.

The same pages and questions both ways (`bundles.py`), from one checkpoint in one run.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

from app.bench.asking import engine_for
from app.bench.bundles import Bundle, BundleQuestion, make_bundles
from app.bench.results import as_result
from app.bench.scores import best, exact_match, token_f1
from app.cli.progress import ProgressLine
from model.engine import Engine
from model.types import Answer, Document, EncodedDocument

BATCH = 16  # questions answered together


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How well one way answers, in per cent, and in how many chunks a document was read on average."""

    exact_match: float
    f1: float
    chunks: float


def joined(arguments: argparse.Namespace) -> None:
    line = ProgressLine(sys.stderr)
    bundles = list(make_bundles(arguments.documents, arguments.pages, arguments.seed))
    asked = [one for bundle in bundles for one in bundle.questions]
    together: list[Answer] = []
    apart: list[Answer] = []
    chunks = [0, 0]
    try:
        engine = engine_for(arguments, line)
        for number, bundle in enumerate(bundles, start=1):
            for way, (documents, answers) in enumerate((([bundle.document], together), (each_page(bundle), apart))):
                line.say(f"document {number:,} of {len(bundles):,}, {'joined' if way else 'as one'}")
                encoded = [engine.encode(document) for document in documents]
                chunks[way] += sum(one.chunks for one in encoded)
                answers.extend(_answers(engine, encoded, bundle.questions))
    finally:
        line.clear()
    counted = zip((together, apart), chunks, strict=True)
    ways = [_way(asked, answers, count / len(bundles)) for answers, count in counted]
    same = 100 * sum(one.text == other.text for one, other in zip(together, apart, strict=True)) / len(asked)
    print(_as_json(len(asked), ways, same) if arguments.json else _as_table(len(asked), ways, same))


def each_page(bundle: Bundle) -> list[Document]:
    """The bundle's pages as documents of their own."""
    whole = bundle.document
    return [
        replace(whole, name=f"page-{page.number}", sha256=f"{whole.sha256}-{page.number}", pages=(page,))
        for page in whole.pages
    ]


def _answers(engine: Engine, encoded: Sequence[EncodedDocument], questions: Sequence[BundleQuestion]) -> list[Answer]:
    found: list[Answer] = []
    for first in range(0, len(questions), BATCH):
        *_, answers = engine.answer_batch(encoded, [one.question for one in questions[first : first + BATCH]])
        found += answers
    return found


def _way(asked: Sequence[BundleQuestion], answers: Sequence[Answer], chunks: float) -> Way:
    def mean(measure: Callable[[str, str], float]) -> float:
        values = [best(measure, answer.text, one.answers) for one, answer in zip(asked, answers, strict=True)]
        return round(100 * sum(values) / len(values), 1)

    return Way(exact_match=mean(exact_match), f1=mean(token_f1), chunks=round(chunks, 1))


def _as_json(questions: int, ways: Sequence[Way], same: float) -> str:
    as_one, apart = ways
    return as_result(
        {"questions": questions, "as_one": asdict(as_one), "joined": asdict(apart), "same_answers": round(same, 1)}
    )


def _as_table(questions: int, ways: Sequence[Way], same: float) -> str:
    lines = [f"{f'{questions:,} questions, per cent':<32}{'exact match':>14}{'F1':>8}{'chunks':>10}"]
    for name, way in zip(("read as one document", "read page by page, joined"), ways, strict=True):
        lines.append(f"{name:<32}{way.exact_match:>14}{way.f1:>8}{way.chunks:>10}")
    return "\n".join([*lines, f"{'the same answer both ways':<32}{same:>14.1f}"])
