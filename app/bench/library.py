"""`library`: a library of real text, made and then asked: what it costs to keep, to find in, and to answer from.

Documents are cut from page texts (`bench pages`) into parts of about so many tokens. The questions are those whose
right page lies in one of them, and that name their subject: nobody asks a thousand documents for "the total". With
`--synthetic` the states are random numbers, so that the encoder's hours are left out: what is found, and what finding
and answering take, does not depend on them, only what is answered.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
import torch

from app.bench.real_rows import RealQuestion, read_documents, read_questions
from app.bench.results import as_result
from app.cli.progress import ProgressLine
from app.cli.reading import load_engine
from app.library.coarse import CoarseIndex
from app.library.excerpts import find_excerpts
from app.library.library import Library
from app.library.search import search_terms
from app.library.values import NewDocument, Place, ReadingOptions, Scope
from app.provenance import counted, megabytes
from model.encoding import token_map
from model.encoding.memory import sizes_for
from model.engine import Engine
from model.errors import DocumentError, QuestionError
from model.types import Document, EncodedDocument, GenerationOptions, Memory, Page, Precision

CAPACITY = 1_000_000_000_000
CHARACTERS_A_TOKEN = 4
PRECISION: Precision = "int8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A document of the library: some pages of a real one, under their own numbers."""

    source: str
    document: Document
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryFigures:
    """What was measured. Shares are in 0..1, of the questions."""

    documents: int
    tokens: int
    add_tokens_a_second: float
    bytes_a_token: float  # on the disk, originals and the index included
    start_seconds: float
    resident_bytes: int  # of this process alone (RssAnon), with the model
    questions: int
    find_seconds_median: float
    first_token_seconds_median: float  # from the question, finding included
    right_document_shown: float  # among the passages that are found
    right_page_shown: float
    right_page_first: float  # the first place of the answer's evidence
    right_page_first_alone: float  # the same question to that document alone


def library(arguments: argparse.Namespace) -> None:
    line = ProgressLine(sys.stderr)
    parts = list(itertools.islice(parts_of(arguments.pages, arguments.tokens), arguments.documents))
    if not parts:
        raise DocumentError(
            "{pages} has no page texts: write them with `python -m app.bench pages`.", pages=arguments.pages
        )
    with tempfile.TemporaryDirectory() as folder:
        engine = load_engine(arguments.model, line, precision=PRECISION)
        kept = _fill(Path(folder), engine, parts, arguments.synthetic, line)
        began = time.perf_counter()
        library = Library.open(Path(folder), capacity_bytes=CAPACITY)
        library.sweep()
        start_seconds = time.perf_counter() - began
        asked = [*itertools.islice(questions_about(parts, arguments.data), arguments.questions)]
        answered = [ask(library, engine, part, question, line) for part, question in asked]
        library.close()
    if not answered:
        raise DocumentError("{folder} has no question about these documents: take more of them.", folder=arguments.data)
    figures = LibraryFigures(
        documents=len(parts),
        tokens=kept.tokens,
        add_tokens_a_second=round(kept.tokens / kept.seconds, 1),
        bytes_a_token=round(kept.bytes / kept.tokens, 1),
        start_seconds=round(start_seconds, 3),
        resident_bytes=resident_bytes(),
        questions=len(answered),
        find_seconds_median=round(statistics.median(one.find_seconds for one in answered), 4),
        first_token_seconds_median=round(statistics.median(one.first_token_seconds for one in answered), 4),
        right_document_shown=_share([one.document_shown for one in answered]),
        right_page_shown=_share([one.page_shown for one in answered]),
        right_page_first=_share([one.page_first for one in answered]),
        right_page_first_alone=_share([one.page_first_alone for one in answered]),
    )
    line.clear()
    print(as_result(asdict(figures)) if arguments.json else as_text(figures))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What adding all documents took."""

    tokens: int
    seconds: float
    bytes: int


def _fill(folder: Path, engine: Engine, parts: Sequence[Part], synthetic: bool, line: ProgressLine) -> _Kept:
    """Add all documents to a new library in this folder."""
    library, tokens = Library.open(folder, capacity_bytes=CAPACITY), 0
    began = time.perf_counter()
    for number, part in enumerate(parts, start=1):
        line.say(f"adding document {number:,} of {len(parts):,}")
        tokens += add(library, engine, part, synthetic=synthetic)
        CoarseIndex(library, engine, PRECISION).complete(0)
    seconds = time.perf_counter() - began
    library.close()
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return _Kept(tokens=tokens, seconds=seconds, bytes=size)


def parts_of(pages: Path, tokens: int) -> Iterator[Part]:
    """The documents of a file of page texts, those that are longer than so many tokens in parts of whole pages.

    The first part of each document comes first, so that a few documents are of several sources.
    """
    with pages.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    cut = [list(_cut(row["document"], row["pages"], tokens * CHARACTERS_A_TOKEN)) for row in rows]
    for group in itertools.zip_longest(*cut):
        yield from (part for part in group if part is not None)


def _cut(source: str, pages: dict[str, str], characters: int) -> Iterator[Part]:
    chosen: list[Page] = []
    for number, text in pages.items():
        if text.strip():
            chosen.append(Page(number=int(number), text=text, words=(), width=595, height=842))
        if chosen and (sum(len(page.text) for page in chosen) >= characters):
            yield _part(source, chosen)
            chosen = []
    if chosen:
        yield _part(source, chosen)


def _part(source: str, pages: Sequence[Page]) -> Part:
    data = "\f".join(page.text for page in pages).encode(errors="replace")
    name = f"{source}, from page {pages[0].number}"
    return Part(
        source=source,
        document=Document(name=name, sha256=hashlib.sha256(name.encode() + data).hexdigest(), pages=tuple(pages)),
        data=data,
    )


def add(library: Library, engine: Engine, part: Part, *, synthetic: bool) -> int:
    """Read a document and keep it; says how many tokens it has."""
    encoded = random_encoding(engine, part.document) if synthetic else engine.encode(part.document)
    place = Place(name=part.document.name)
    library.add(NewDocument(data=part.data, place=place, reading=ReadingOptions(), encoded=encoded))
    return encoded.token_count


def random_encoding(engine: Engine, document: Document) -> EncodedDocument:
    """An encoding of the right sizes and token map, whose states are random numbers."""
    tokens = token_map.tokenize(document, engine.checkpoint.tokenizer)
    tokens = token_map.select(tokens, 0, len(tokens.ids), engine.checkpoint.bos)
    sizes, count = sizes_for(engine.checkpoint.model), len(tokens.ids)
    return EncodedDocument(
        document=document,
        memory=Memory(
            hidden=torch.randint(-127, 128, (count, sizes.channels), dtype=torch.int8),
            key_inv_rms=torch.ones(sizes.layers, sizes.key_heads, count),
            hidden_scales=torch.full((count,), 0.01),
            channel_scales=torch.ones(sizes.channels),
        ),
        tokens=tokens,
        fingerprint=engine.checkpoint.fingerprint,
        chunks=1,
        encode_seconds=0.0,
    )


def questions_about(parts: Sequence[Part], data: Path) -> Iterator[tuple[Part, RealQuestion]]:
    """Questions of the `train` split that name their subject, and whose right pages lie in one of the documents."""
    titles = {document.id: document.title for document in read_documents(data)}
    for question in read_questions(data):
        asks = question.split == "train" and question.answers and not question.turns
        if asks and names_subject(question.question, titles.get(question.document, "")):
            for part in parts:
                numbers = {page.number for page in part.document.pages}
                if part.source == question.document and numbers & set(question.pages):
                    yield part, question
                    break


def names_subject(question: str, title: str) -> bool:
    """Whether a question has two telling words of its document's title."""
    return len(set(search_terms(question)) & set(search_terms(title))) >= 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What became of a question."""

    find_seconds: float
    first_token_seconds: float
    document_shown: bool = False
    page_shown: bool = False
    page_first: bool = False
    page_first_alone: bool = False


def ask(library: Library, engine: Engine, part: Part, question: RealQuestion, line: ProgressLine) -> Measured:
    """Ask everything, and then the right document alone."""
    line.say(f"asking {question.id}")
    began = time.perf_counter()
    try:
        found = find_excerpts(library, question.question, Scope(), engine=engine, precision=PRECISION)
    except QuestionError:
        seconds = time.perf_counter() - began
        return Measured(find_seconds=seconds, first_token_seconds=seconds)
    find_seconds = time.perf_counter() - began
    options = GenerationOptions(max_new_tokens=32)
    *_, answer = engine.answer(found.encodings, question.question, options=options)
    right = next((one for one in found.encodings if one.document.sha256 == part.document.sha256), None)
    shown = set() if right is None else {page.number for page in right.document.pages}
    first = answer.evidence[0] if answer.evidence else None
    first_sha256 = found.encodings[first.document_index].document.sha256 if first else ""
    stored = library.with_file(part.document.sha256)
    alone = library.encoding(stored, engine.checkpoint.fingerprint, PRECISION) if stored else None
    assert alone is not None
    *_, answer_alone = engine.answer(alone, question.question, options=options)
    return Measured(
        find_seconds=find_seconds,
        first_token_seconds=find_seconds + answer.first_token_seconds,
        document_shown=right is not None,
        page_shown=bool(shown & set(question.pages)),
        page_first=first is not None and first_sha256 == part.document.sha256 and first.page in question.pages,
        page_first_alone=bool(answer_alone.evidence) and answer_alone.evidence[0].page in question.pages,
    )


def resident_bytes() -> int:
    """This process's own memory, without files that are mapped."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    return int(psutil.Process(os.getpid()).memory_info().rss)


def as_text(figures: LibraryFigures) -> str:
    return "\n".join(
        [
            f"{counted(figures.documents, 'document')}, {counted(figures.tokens, 'token')}:"
            f" added at {figures.add_tokens_a_second:,.0f} tokens/s, {figures.bytes_a_token:,.0f} bytes a token on the"
            f" disk; opened in {figures.start_seconds:.2f} s; {megabytes(figures.resident_bytes)} of memory",
            f"{counted(figures.questions, 'question')} to everything: found in {figures.find_seconds_median:.3f} s,"
            f" first token after {figures.first_token_seconds_median:.3f} s (medians)",
            f"right document shown {figures.right_document_shown:.1%}, right page shown"
            f" {figures.right_page_shown:.1%}, right page first {figures.right_page_first:.1%}"
            f" (that document alone: {figures.right_page_first_alone:.1%})",
        ]
    )


def _share(found: Sequence[bool]) -> float:
    return round(sum(found) / len(found), 4)
