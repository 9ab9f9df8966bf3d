"""`needles`: are facts found at every depth of a long text that is read in chunks?

The text is the reference manual that comes with Python (`pydoc_data.topics`), so that the benchmark needs no file.
Sentences that state a fact each (`model/training/facts.py`, names and values that no training saw) are set between its
paragraphs at even depths; the document is read once and asked for every one of them.
"""

import argparse
import hashlib
import itertools
import random
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pydoc_data.topics import topics

from tokenizers import Tokenizer

from app.bench.asking import ask_all, engine_for
from app.bench.results import as_result
from app.bench.scores import normalise
from app.cli.progress import ProgressLine
from model.training.facts import Fact, FactSource
from model.training.records import distinct_facts
from model.types import Document, EncodedDocument, Page

A4 = (595.0, 842.0)  # points
TENTHS = 10  # of the depth: the table's lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What came of one needle. `depth` is the share of the text before it."""

    depth: float
    question: str
    expected: str
    answer: str
    found: bool


def needles(arguments: argparse.Namespace) -> None:
    line = ProgressLine(sys.stderr)
    rng = random.Random(arguments.seed)
    findings: list[Finding] = []
    read: list[EncodedDocument] = []
    try:
        engine = engine_for(arguments, line)
        for number in range(arguments.documents):
            hidden = make_needles(arguments.needles, rng)
            text = haystack(engine.checkpoint.tokenizer, arguments.tokens, hidden, rng)
            line.say(f"reading text {number + 1} of {arguments.documents}")
            read.append(engine.encode(_document(text)))
            line.say(f"text {number + 1}: looking for {len(hidden)} needles")
            answers = ask_all(engine, read[-1], [needle.questions[0] for needle in hidden])
            for index, (needle, answer) in enumerate(zip(hidden, answers, strict=True)):
                findings.append(_finding(needle, answer, depth_of(index, len(hidden))))
    finally:
        line.clear()
    name = engine.checkpoint.name
    print(as_json(name, read, findings) if arguments.json else as_table(name, read, findings))


def make_needles(count: int, rng: random.Random) -> list[Fact]:
    """Facts of different names, with values that no training saw."""
    return distinct_facts(FactSource(rng, "check"), count)


def haystack(tokenizer: Tokenizer, tokens: int, hidden: Sequence[Fact], rng: random.Random) -> str:
    """Real text of about `tokens` tokens, the needles between its paragraphs at even depths."""
    budget = tokens - sum(_count(tokenizer, needle.sentence) for needle in hidden)
    pages = [text for _, text in sorted(topics.items())]
    start = rng.randrange(len(pages))
    parts: list[str] = []
    size, left = 0, list(hidden)
    for paragraph in itertools.chain.from_iterable(page.split("\n\n") for page in pages[start:] + pages[:start]):
        if left and size >= budget * depth_of(len(hidden) - len(left), len(hidden)):
            parts.append(left.pop(0).sentence)
        if size >= budget:
            break
        parts.append(paragraph)
        size += _count(tokenizer, paragraph)
    return "\n\n".join([*parts, *(needle.sentence for needle in left)])


def depth_of(index: int, count: int) -> float:
    """The share of the text before a needle: evenly spread, none at the very beginning or end."""
    return (index + 0.5) / count


def _count(tokenizer: Tokenizer, text: str) -> int:
    return len(tokenizer.encode(f"{text}\n\n", add_special_tokens=False).ids)


def _finding(needle: Fact, answer: str, depth: float) -> Finding:
    found = f" {normalise(needle.value)} " in f" {normalise(answer)} "
    return Finding(depth=depth, question=needle.questions[0], expected=needle.value, answer=answer, found=found)


def as_json(name: str, read: Sequence[EncodedDocument], findings: Sequence[Finding]) -> str:
    """The object that other programs read: its names are fixed."""
    return as_result(
        {
            "checkpoint": name,
            "documents": [
                {"tokens": one.token_count, "chunks": one.chunks, "encode_seconds": one.encode_seconds} for one in read
            ],
            "needles": len(findings),
            "found": sum(finding.found for finding in findings),
            "findings": [asdict(finding) for finding in findings],
        }
    )


def as_table(name: str, read: Sequence[EncodedDocument], findings: Sequence[Finding]) -> str:
    sizes = ", ".join(f"{one.token_count:,} tokens in {one.chunks} chunks" for one in read)
    lines = [f"{name}: {sizes}", f"{'depth':<12}{'needles':>9}{'found':>9}"]
    for tenth in range(TENTHS):
        here = [finding.found for finding in findings if int(finding.depth * TENTHS) == tenth]
        if here:
            lines.append(f"{f'{10 * tenth} to {10 * tenth + 10}%':<12}{len(here):>9}{sum(here):>9}")
    lines.append(f"{'all':<12}{len(findings):>9}{sum(finding.found for finding in findings):>9}")
    return "\n".join(lines)


def _document(text: str) -> Document:
    page = Page(number=1, text=text, words=(), width=A4[0], height=A4[1])
    return Document(name="manual.txt", sha256=hashlib.sha256(text.encode()).hexdigest(), pages=(page,))
