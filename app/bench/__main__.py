"""`python -m app.bench`: which benchmark, with which arguments. A benchmark imports what it needs when it runs."""

import argparse
import sys
from pathlib import Path

from app.commands.command_line import OneLineParser, run


def build_parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="python -m app.bench", description="Measure Readonce, beside what it is measured by.")
    benchmarks = parser.add_subparsers(dest="benchmark", metavar="BENCHMARK", required=True)
    _add_quality(benchmarks)
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
    quality.add_argument("--limit", type=_positive, metavar="N", help="only the first N rows")
    quality.add_argument("--model", metavar="NAME", help="the checkpoint (default: READONCE_MODEL, else embedded)")
    quality.add_argument("--no-baseline", action="store_true", help="leave out Gemma 3 270M, prompted")
    quality.add_argument("--json", action="store_true", help="print one JSON object")
    quality.set_defaults(run=_quality)


def _quality(arguments: argparse.Namespace) -> None:
    from app.bench.quality import quality

    quality(arguments)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not a positive number")
    return number


if __name__ == "__main__":
    sys.exit(run(build_parser(), sys.argv[1:]))
