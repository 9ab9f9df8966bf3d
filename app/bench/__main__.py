"""`python -m app.bench`: which benchmark, with which arguments. A benchmark imports what it needs when it runs."""

import argparse
import sys
from pathlib import Path

from app.cli.command_line import OneLineParser, run

FEWEST_TOKENS = 64
MOST_NEEDLES = 50


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
    _add_reading(benchmarks)
    _add_real(benchmarks)
    _add_pages(benchmarks)
    _add_load(benchmarks)
    _add_corpus(benchmarks)
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
    quality.add_argument("--limit", type=_positive, metavar="N", help="only the first N rows")
    quality.add_argument("--model", metavar="NAME", help="the checkpoint (default: READONCE_MODEL, else embedded)")
    quality.add_argument("--no-baseline", action="store_true", help="leave out Gemma 3 270M, prompted")
    _add_answering(quality)
    quality.add_argument("--json", action="store_true", help="print one JSON object")
    quality.set_defaults(run=_quality)


def _add_speed(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    speed = benchmarks.add_parser("speed", help="reading and answering, beside transformers on the same weights")
    speed.add_argument("--tokens", type=_tokens, default=8192, metavar="N", help="document tokens (default 8192)")
    speed.add_argument("--chunk", type=_tokens, metavar="W", help="we read in joined chunks of W tokens, not in one")
    speed.add_argument("--model", metavar="NAME", help="the checkpoint (default: READONCE_MODEL, else embedded)")
    speed.add_argument("--ours-only", action="store_true", help="leave out transformers, for long documents")
    speed.add_argument("--json", action="store_true", help="print one JSON object")
    speed.set_defaults(run=_speed)


def _speed(arguments: argparse.Namespace) -> None:
    from app.bench.speed import speed

    speed(arguments)


def _add_evidence(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    evidence = benchmarks.add_parser("evidence", help="how often the first page chip names the right page")
    evidence.add_argument(
        "--data", type=Path, metavar="FILE", help="rows as for quality, a page each (default: generated papers)"
    )
    evidence.add_argument("--pages", type=_positive, default=12, metavar="N", help="pages of each document (12)")
    evidence.add_argument("--documents", type=_positive, default=3, metavar="N", help="at most so many (3)")
    evidence.add_argument("--seed", type=int, default=0, help="of the generated papers")
    evidence.add_argument("--model", metavar="NAME", help="the checkpoint (default: READONCE_MODEL, else embedded)")
    _add_answering(evidence)
    evidence.add_argument("--json", action="store_true", help="print one JSON object")
    evidence.set_defaults(run=_evidence)


def _evidence(arguments: argparse.Namespace) -> None:
    from app.bench.evidence import evidence

    evidence(arguments)


def _quality(arguments: argparse.Namespace) -> None:
    from app.bench.quality import quality

    quality(arguments)


def _add_answering(benchmark: argparse.ArgumentParser) -> None:
    benchmark.add_argument(
        "--whole-document",
        action="store_true",
        help="look at everything, where the checkpoint would look at passages that share words with the question",
    )
    benchmark.add_argument(
        "--exact-weights", action="store_true", help="weights as they are, where the page would read them in few bits"
    )


def _tokens(text: str) -> int:
    number = _positive(text)
    if number < FEWEST_TOKENS:
        raise argparse.ArgumentTypeError(f"{number} tokens are too few to measure; take {FEWEST_TOKENS} or more")
    return number


def _add_joined(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    joined = benchmarks.add_parser("joined", help="what is lost where memories are joined instead of read as one")
    joined.add_argument("--pages", type=_positive, default=6, metavar="N", help="pages of a document (6: one window)")
    joined.add_argument("--documents", type=_positive, default=4, metavar="N", help="how many documents (4)")
    joined.add_argument("--seed", type=int, default=0)
    joined.add_argument("--model", metavar="NAME", help="the checkpoint (default: READONCE_MODEL, else embedded)")
    _add_answering(joined)
    joined.add_argument("--json", action="store_true", help="print one JSON object")
    joined.set_defaults(run=_joined)


def _joined(arguments: argparse.Namespace) -> None:
    from app.bench.joined import joined

    joined(arguments)


def _add_needles(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    needles = benchmarks.add_parser("needles", help="whether facts are found at every depth of a long text")
    needles.add_argument("--tokens", type=_positive, default=4096, metavar="N", help="length of a text (4096)")
    needles.add_argument("--needles", type=_few, default=20, metavar="N", help="facts in a text, at even depths (20)")
    needles.add_argument("--documents", type=_positive, default=1, metavar="N", help="texts, each with its own facts")
    needles.add_argument("--seed", type=int, default=0)
    needles.add_argument("--model", metavar="NAME", help="the checkpoint (default: READONCE_MODEL, else embedded)")
    _add_answering(needles)
    needles.add_argument("--json", action="store_true", help="print one JSON object")
    needles.set_defaults(run=_needles)


def _needles(arguments: argparse.Namespace) -> None:
    from app.bench.needles import needles

    needles(arguments)


def _add_generated(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    generated = benchmarks.add_parser("generated", help="write rows about generated documents, as `quality` reads them")
    generated.add_argument("-o", "--output", required=True, type=Path, metavar="FILE", help="JSON lines, or .gz")
    generated.add_argument("--documents", type=_positive, default=40, metavar="N", help="how many documents (40)")
    generated.add_argument("--split", choices=("train", "check"), default="check", help="whose names and layouts")
    generated.add_argument("--seed", type=int, default=0)
    generated.set_defaults(run=_generated)


def _generated(arguments: argparse.Namespace) -> None:
    from app.bench.generated import generated

    generated(arguments)


def _add_ranking(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    ranking = benchmarks.add_parser("ranking", help="fit how a checkpoint chooses among likely answers")
    ranking.add_argument(
        "--data", required=True, type=Path, nargs="+", metavar="FILE", help="training rows, as quality"
    )
    ranking.add_argument("--contexts", type=_positive, default=60, metavar="N", help="of each file (60)")
    ranking.add_argument("--model", metavar="NAME", help="the checkpoint (default: READONCE_MODEL, else embedded)")
    ranking.add_argument("--write", action="store_true", help="keep the weights in assets/embedded.json")
    ranking.set_defaults(run=_ranking, whole_document=False, exact_weights=False)


def _ranking(arguments: argparse.Namespace) -> None:
    from app.bench.ranking import ranking

    ranking(arguments)


def _add_reading(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    reading = benchmarks.add_parser("reading", help="pages as they are read, against their right text")
    reading.add_argument(
        "folder", type=Path, metavar="FOLDER", help="documents.jsonl, order.jsonl, tables.jsonl, files"
    )
    reading.add_argument("--split", metavar="NAME", help="only the documents of this split")
    reading.add_argument("--without-scans", action="store_true", help="leave out documents that are scans")
    reading.add_argument("--json", type=Path, metavar="FILE", help="write every page's scores")
    reading.set_defaults(run=_reading)


def _reading(arguments: argparse.Namespace) -> None:
    from app.bench.reading import reading

    reading(arguments)


def _add_real(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    real = benchmarks.add_parser("real", help="questions about real documents, by kind, with evidence and doubt")
    _add_real_folder(real, default="check")
    real.add_argument("--limit", type=_positive, metavar="N", help="only the first N documents")
    real.add_argument("--documents", nargs="+", metavar="ID", help="only these documents")
    real.add_argument("--model", metavar="NAME", help="the checkpoint (default: READONCE_MODEL, else embedded)")
    _add_answering(real)
    real.add_argument(
        "--answers", type=Path, metavar="FILE", help="keep every answer here, as JSON lines; goes on with what is there"
    )
    real.add_argument("--json", action="store_true", help="print one JSON object")
    real.set_defaults(run=_real)


def _real(arguments: argparse.Namespace) -> None:
    from app.bench.real import real

    real(arguments)


def _add_pages(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    pages = benchmarks.add_parser("pages", help="write the page texts of real documents, which training reads")
    _add_real_folder(pages, default="train")
    pages.add_argument("-o", "--output", required=True, type=Path, metavar="FILE", help="JSON lines; goes on with it")
    pages.set_defaults(run=_pages)


def _pages(arguments: argparse.Namespace) -> None:
    from app.bench.page_texts import pages

    pages(arguments)


def _add_real_folder(benchmark: argparse.ArgumentParser, *, default: str) -> None:
    benchmark.add_argument(
        "--data", required=True, type=Path, metavar="FOLDER", help="documents.jsonl, questions.jsonl and files/"
    )
    benchmark.add_argument("--split", default=default, metavar="NAME", help=f"whose documents ({default})")


def _add_load(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    load = benchmarks.add_parser("load", help="many people and programs at once at a running server")
    load.add_argument("--sessions", type=_positive, default=50, metavar="N", help="how many at once (50)")
    load.add_argument("--seed", type=int, default=0, help="of their generated documents")
    load.add_argument("--model", metavar="NAME", help="the checkpoint (default: READONCE_MODEL, else embedded)")
    load.add_argument("--address", metavar="URL", help="a server that runs already (default: start one)")
    load.add_argument("--json", action="store_true", help="print one JSON object")
    load.set_defaults(run=_load)


def _load(arguments: argparse.Namespace) -> None:
    from app.bench.load import load

    load(arguments)


def _add_corpus(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    corpus = benchmarks.add_parser("corpus", help="read every file of a folder: what is refused, slow or lost")
    corpus.add_argument("folder", type=Path, metavar="FOLDER", help="with documents, in folders below it, too")
    corpus.add_argument("--limit", type=_positive, metavar="N", help="only the first N files")
    corpus.add_argument("--jobs", type=_positive, default=2, metavar="N", help="how many files at once (2)")
    corpus.add_argument("--json", action="store_true", help="print one JSON object, with what became of each file")
    corpus.set_defaults(run=_corpus)


def _corpus(arguments: argparse.Namespace) -> None:
    from app.bench.corpus import corpus

    corpus(arguments)


def _add_report(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    report = benchmarks.add_parser(
        "report", help="write kept results into docs/quality.md, docs/performance.md, README"
    )
    report.add_argument("--folder", type=Path, default=Path("docs"), metavar="DOCS", help="holds results/ (docs)")
    report.set_defaults(run=_report)


def _report(arguments: argparse.Namespace) -> None:
    from app.bench.report import report

    report(arguments)


def _few(text: str) -> int:
    number = _positive(text)
    if number > MOST_NEEDLES:
        raise argparse.ArgumentTypeError(f"{number} facts are too many for one text: {MOST_NEEDLES} at most")
    return number


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not a positive number")
    return number


if __name__ == "__main__":
    sys.exit(run(build_parser(), sys.argv[1:]))
