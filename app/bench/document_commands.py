"""Benchmarks over folders of documents: how they are read, and what is answered about them."""

import argparse
from pathlib import Path

from app.bench.argument_types import add_answering, positive
from app.cli.command_line import OneLineParser, lazy_command


def add_document_benchmarks(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    _add_reading(benchmarks)
    _add_real(benchmarks)
    _add_pages(benchmarks)
    _add_sample(benchmarks)
    _add_router(benchmarks)
    _add_confidence(benchmarks)
    _add_corpus(benchmarks)
    _add_library(benchmarks)


def _add_reading(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    reading = benchmarks.add_parser("reading", help="pages as they are read, against their right text")
    reading.add_argument(
        "folder", type=Path, metavar="FOLDER", help="documents.jsonl, order.jsonl, tables.jsonl, files"
    )
    reading.add_argument("--split", metavar="NAME", help="only the documents of this split")
    reading.add_argument("--without-scans", action="store_true", help="leave out documents that are scans")
    reading.add_argument(
        "--reader", choices=["pymupdf", "pymupdf4llm"], help="measure another library's text of these pages instead"
    )
    reading.add_argument("--pages", type=Path, metavar="FILE", help="write every page's scores")
    reading.add_argument("--json", action="store_true", help="print the result as one JSON object")
    reading.set_defaults(run=lazy_command("app.bench.reading", "reading"))


def _add_real(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    real = benchmarks.add_parser("real", help="questions about real documents, by kind, with evidence and doubt")
    _add_real_folder(real, default="check")
    real.add_argument("--limit", type=positive, metavar="N", help="only the first N documents")
    real.add_argument("--documents", nargs="+", metavar="ID", help="only these documents")
    real.add_argument("--model", metavar="NAME", help="the checkpoint (default: READONCE_MODEL, else embedded)")
    add_answering(real)
    real.add_argument(
        "--answers", type=Path, metavar="FILE", help="keep every answer here, as JSON lines; goes on with what is there"
    )
    real.add_argument("--json", action="store_true", help="print one JSON object")
    real.set_defaults(run=lazy_command("app.bench.real", "real"))


def _add_sample(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    sample = benchmarks.add_parser("sample", help="questions of every kind about the bundled sample")
    sample.add_argument(
        "--data",
        type=Path,
        metavar="FILE",
        default=Path("tests/data/sample-questions.jsonl"),
        help="rows as questions.jsonl has them (tests/data/sample-questions.jsonl)",
    )
    sample.add_argument("--model", metavar="NAME", help="the checkpoint (default: READONCE_MODEL, else embedded)")
    add_answering(sample)
    sample.add_argument("--wrong", action="store_true", help="print what was not answered rightly")
    sample.add_argument("--json", action="store_true", help="print one JSON object")
    sample.set_defaults(run=lazy_command("app.bench.sample", "sample"))


def _add_router(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    router = benchmarks.add_parser("router", help="fit what tells facts from questions about a whole document")
    router.add_argument(
        "--data", required=True, type=Path, metavar="FOLDER", help="intents.jsonl, questions.jsonl and documents.jsonl"
    )
    router.add_argument("--model", metavar="NAME", help="the checkpoint (default: READONCE_MODEL, else embedded)")
    router.add_argument("--write", action="store_true", help="keep the router beside the embedded adapter")
    router.set_defaults(run=lazy_command("app.bench.router", "router"), whole_document=False, exact_weights=True)


def _add_confidence(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    confidence = benchmarks.add_parser("confidence", help="fit how likely an answer is right, and when to doubt it")
    _add_real_folder(confidence, default="train")
    confidence.add_argument("--limit", type=positive, metavar="N", help="only the first N documents of the split")
    confidence.add_argument("--documents", nargs="+", metavar="ID", help="only these documents")
    confidence.add_argument("--all-documents", action="store_true", help="not only those that are kept for development")
    confidence.add_argument("--model", metavar="NAME", help="the checkpoint (default: READONCE_MODEL, else embedded)")
    confidence.add_argument("--write", action="store_true", help="keep the weights in assets/embedded.json")
    confidence.set_defaults(
        run=lazy_command("app.bench.confidence", "confidence"), whole_document=False, exact_weights=False
    )


def _add_pages(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    pages = benchmarks.add_parser("pages", help="write the page texts of real documents, which training reads")
    _add_real_folder(pages, default="train")
    pages.add_argument("-o", "--output", required=True, type=Path, metavar="FILE", help="JSON lines; goes on with it")
    pages.set_defaults(run=lazy_command("app.bench.page_texts", "pages"))


def _add_real_folder(benchmark: argparse.ArgumentParser, *, default: str) -> None:
    benchmark.add_argument(
        "--data", required=True, type=Path, metavar="FOLDER", help="documents.jsonl, questions.jsonl and files/"
    )
    benchmark.add_argument("--split", default=default, metavar="NAME", help=f"whose documents ({default})")


def _add_corpus(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    corpus = benchmarks.add_parser("corpus", help="read every file of a folder: what is refused, slow or lost")
    corpus.add_argument("folder", type=Path, metavar="FOLDER", help="with documents, in folders below it, too")
    corpus.add_argument("--limit", type=positive, metavar="N", help="only the first N files")
    corpus.add_argument("--jobs", type=positive, default=2, metavar="N", help="how many files at once (2)")
    corpus.add_argument("--json", action="store_true", help="print one JSON object, with what became of each file")
    corpus.set_defaults(run=lazy_command("app.bench.corpus", "corpus"))


def _add_library(benchmarks: "argparse._SubParsersAction[OneLineParser]") -> None:
    library = benchmarks.add_parser("library", help="a library of so many documents: adding, finding, answering")
    library.add_argument(
        "--data",
        required=True,
        type=Path,
        metavar="FOLDER",
        help="whose questions are asked: those of `train` that name their subject",
    )
    library.add_argument("--pages", required=True, type=Path, metavar="FILE", help="page texts, as `pages` writes them")
    library.add_argument("--documents", type=positive, default=100, metavar="N", help="how many documents (100)")
    library.add_argument("--tokens", type=positive, default=8000, metavar="N", help="of each, about (8000)")
    library.add_argument("--questions", type=positive, default=200, metavar="N", help="at most so many (200)")
    library.add_argument("--synthetic", action="store_true", help="random states: the encoder's time is left out")
    library.add_argument("--model", metavar="NAME", help="the checkpoint (default: READONCE_MODEL, else embedded)")
    library.add_argument("--json", action="store_true", help="print one JSON object")
    library.set_defaults(run=lazy_command("app.bench.library", "library"))
