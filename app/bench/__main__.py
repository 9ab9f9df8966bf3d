"""`python -m app.bench`: which benchmark, with which arguments. A benchmark imports what it needs when it runs."""

import argparse
import os
import sys
from pathlib import Path

from app.bench.argument_types import add_answering, batches, few, positive, tokens
from app.bench.document_commands import add_document_benchmarks
from app.cli.command_line import OneLineParser, lazy_command, run


def build_parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="python -m app.bench", description="Measure Readonce, beside what it is measured by.")
    benchmarks = parser.add_subparsers(dest="benchmark", metavar="BENCHMARK", required=True)
    _add_quality(benchmarks)
    _add_speed(benchmarks)
    _add_evidence(benchmarks)
    _add_joined(benchmarks)
    _add_needles(benchmarks)
    _add_generated(benchmarks)
    _add_ranking(benchmarks)
    add_document_benchmarks(benchmarks)
    _add_retrieval(benchmarks)
    _add_load(benchmarks)
    _add_cluster(benchmarks)
    _add_report(benchmarks)
    return parser


def _add_quality(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    quality = benchmarks.add_parser("quality", help="how many questions are answered right")
    quality.add_argument(
        "--data",
        required=True,
        type=Path,
        metavar="FILE",
        help="rows as JSON lines: context, question, answers, id (.gz too)",
    )
    quality.add_argument("--limit", type=positive, metavar="N", help="only the first N rows")
    quality.add_argument("--model", metavar="NAME", help="the checkpoint (default: READONCE_MODEL, else embedded)")
    quality.add_argument("--no-baseline", action="store_true", help="leave out Gemma 3 270M, prompted")
    add_answering(quality)
    quality.add_argument("--json", action="store_true", help="print one JSON object")
    quality.set_defaults(run=lazy_command("app.bench.quality", "quality"))


def _add_speed(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    speed = benchmarks.add_parser("speed", help="reading and answering, beside transformers on the same weights")
    speed.add_argument("--tokens", type=tokens, default=8192, metavar="N", help="document tokens (default 8192)")
    speed.add_argument("--chunk", type=tokens, metavar="W", help="we read in joined chunks of W tokens, not in one")
    speed.add_argument("--model", metavar="NAME", help="the checkpoint (default: READONCE_MODEL, else embedded)")
    speed.add_argument("--ours-only", action="store_true", help="leave out transformers, for long documents")
    speed.add_argument("--json", action="store_true", help="print one JSON object")
    speed.set_defaults(run=lazy_command("app.bench.speed", "speed"))


def _add_evidence(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    evidence = benchmarks.add_parser("evidence", help="how often the first page chip names the right page")
    evidence.add_argument(
        "--data", type=Path, metavar="FILE", help="rows as for quality, a page each (default: generated papers)"
    )
    evidence.add_argument("--pages", type=positive, default=12, metavar="N", help="pages of each document (12)")
    evidence.add_argument("--documents", type=positive, default=3, metavar="N", help="at most so many (3)")
    evidence.add_argument("--seed", type=int, default=0, help="of the generated papers")
    evidence.add_argument("--model", metavar="NAME", help="the checkpoint (default: READONCE_MODEL, else embedded)")
    add_answering(evidence)
    evidence.add_argument("--json", action="store_true", help="print one JSON object")
    evidence.set_defaults(run=lazy_command("app.bench.evidence", "evidence"))


def _add_joined(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    joined = benchmarks.add_parser("joined", help="what is lost where memories are joined instead of read as one")
    joined.add_argument("--pages", type=positive, default=6, metavar="N", help="pages of a document (6: one chunk)")
    joined.add_argument("--documents", type=positive, default=4, metavar="N", help="how many documents (4)")
    joined.add_argument("--seed", type=int, default=0)
    joined.add_argument("--model", metavar="NAME", help="the checkpoint (default: READONCE_MODEL, else embedded)")
    add_answering(joined)
    joined.add_argument("--json", action="store_true", help="print one JSON object")
    joined.set_defaults(run=lazy_command("app.bench.joined", "joined"))


def _add_needles(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    needles = benchmarks.add_parser("needles", help="whether facts are found at every depth of a long text")
    needles.add_argument("--tokens", type=positive, default=4096, metavar="N", help="length of a text (4096)")
    needles.add_argument("--needles", type=few, default=20, metavar="N", help="facts in a text, at even depths (20)")
    needles.add_argument("--documents", type=positive, default=1, metavar="N", help="texts, each with its own facts")
    needles.add_argument("--seed", type=int, default=0)
    needles.add_argument("--model", metavar="NAME", help="the checkpoint (default: READONCE_MODEL, else embedded)")
    add_answering(needles)
    needles.add_argument("--json", action="store_true", help="print one JSON object")
    needles.set_defaults(run=lazy_command("app.bench.needles", "needles"))


def _add_generated(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    generated = benchmarks.add_parser("generated", help="write rows about generated documents, as `quality` reads them")
    generated.add_argument("-o", "--output", required=True, type=Path, metavar="FILE", help="JSON lines, or .gz")
    generated.add_argument("--documents", type=positive, default=40, metavar="N", help="how many documents (40)")
    generated.add_argument("--split", choices=("train", "check"), default="check", help="whose names and layouts")
    generated.add_argument("--seed", type=int, default=0)
    generated.set_defaults(run=lazy_command("app.bench.generated", "generated"))


def _add_ranking(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    ranking = benchmarks.add_parser("ranking", help="fit how a checkpoint chooses among likely answers")
    ranking.add_argument(
        "--rows", default=[], type=Path, nargs="+", metavar="FILE", help="training rows, as `quality`'s"
    )
    ranking.add_argument("--data", type=Path, metavar="FOLDER", help="real documents and their questions, as `real`'s")
    ranking.add_argument("--limit", type=positive, metavar="N", help="only the first N real documents")
    ranking.add_argument("--contexts", type=positive, default=60, metavar="N", help="of each file (60)")
    ranking.add_argument("--model", metavar="NAME", help="the checkpoint (default: READONCE_MODEL, else embedded)")
    ranking.add_argument("--go-on", action="store_true", help="stay near the weights in assets/embedded.json")
    ranking.add_argument("--write", action="store_true", help="keep the weights in assets/embedded.json")
    ranking.set_defaults(
        run=lazy_command("app.bench.ranking", "ranking"),
        split="train",
        documents=[],
        whole_document=False,
        exact_weights=False,
    )


def _add_load(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    load = benchmarks.add_parser("load", help="many people and programs at once at a running server")
    load.add_argument("--sessions", type=positive, default=50, metavar="N", help="how many at once (50)")
    load.add_argument("--seed", type=int, default=0, help="of their generated documents")
    load.add_argument("--model", metavar="NAME", help="the checkpoint (default: READONCE_MODEL, else embedded)")
    load.add_argument("--address", metavar="URL", help="a server that runs already (default: start one)")
    load.add_argument("--json", action="store_true", help="print one JSON object")
    load.set_defaults(run=lazy_command("app.bench.load", "load"))


def _add_cluster(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    cluster = benchmarks.add_parser("cluster", help="what 1 to 64 replicas do, simulated from measured times")
    cluster.add_argument("--questions", type=batches, default=24, metavar="N", help="that are measured (24)")
    cluster.add_argument("--check", action="store_true", help="compare with one and two real replicas (Ray Serve)")
    cluster.add_argument("--model", metavar="NAME", help="the checkpoint (default: READONCE_MODEL, else embedded)")
    cluster.add_argument("--json", action="store_true", help="print one JSON object")
    cluster.set_defaults(run=lazy_command("app.bench.cluster", "cluster"))


def _add_retrieval(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    retrieval = benchmarks.add_parser("retrieval", help="how high the passage with the answer is ranked")
    retrieval.add_argument(
        "--data", required=True, type=Path, metavar="FILE", help="rows as JSON lines, as `quality`'s"
    )
    retrieval.add_argument("--limit", type=positive, metavar="N", help="only the first N rows")
    retrieval.add_argument("--model", metavar="NAME", help="the checkpoint (default: READONCE_MODEL, else embedded)")
    retrieval.add_argument("--json", action="store_true", help="print one JSON object")
    retrieval.set_defaults(
        run=lazy_command("app.bench.retrieval", "retrieval"), whole_document=False, exact_weights=False
    )


def _add_report(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    report = benchmarks.add_parser(
        "report", help="write kept results into docs/quality.md, docs/performance.md, README"
    )
    report.add_argument("--folder", type=Path, default=Path("docs"), metavar="DOCS", help="holds results/ (docs)")
    report.set_defaults(run=lazy_command("app.bench.report", "report"))


if __name__ == "__main__":
    os.environ["READONCE_LIBRARY"] = "off"  # a benchmark reads everything itself, and leaves the person's library alone
    sys.exit(run(build_parser(), sys.argv[1:]))
