"""Bundles: documents of several generated papers, one a page, with questions that a single page answers.

Names, values and layouts are those that no training saw; the bundle is set as a PDF and read back as the page reads it.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import pymupdf

from app.bench.paper import choose_layout, draw_paper
from app.documents import DocumentReader
from model.training.facts import Fact, FactSource, words
from model.training.records import KINDS, Sketch, distinct_facts
from model.types import Document

FACTS_A_PAGE = 4
ON_EVERY_PAGE = ("Company", "Issued by", "Address")  # what the heads of the other papers could answer, too


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleQuestion:
    """A question, its answers, and the number of the page where they stand."""

    question: str
    answers: tuple[str, ...]
    page: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A document of several papers, and questions about them."""

    document: Document
    questions: tuple[BundleQuestion, ...]


def make_bundles(count: int, pages: int, seed: int = 0) -> Iterator[Bundle]:
    """Documents of `pages` pages. No two facts of a document are called the same."""
    rng = random.Random(f"bundles {seed}")
    with DocumentReader() as reader:
        for number in range(count):
            source = FactSource(rng, "check")
            facts = [
                fact for fact in distinct_facts(source, pages * (FACTS_A_PAGE + 1)) if fact.label not in ON_EVERY_PAGE
            ]
            dealt = [facts[page::pages][:FACTS_A_PAGE] for page in range(pages)]
            data = _bound([draw_paper(_paper(source, few), choose_layout(rng, "check")) for few in dealt])
            document = reader.read(data, name=f"bundle-{number + 1}.pdf").document
            asked = (
                BundleQuestion(question=rng.choice(fact.questions), answers=(fact.value,), page=page)
                for page, few in enumerate(dealt, start=1)
                for fact in few
                if " ".join(fact.value.split()) in " ".join(document.pages[page - 1].text.split())
            )
            yield Bundle(document=document, questions=tuple(asked))


def _paper(source: FactSource, facts: list[Fact]) -> Sketch:
    """Some of the facts as fields with labels, the others told among sentences that tell nothing."""
    rng = source.rng
    listed = [fact for fact in facts if not fact.told_only]
    fields = listed[: rng.randint(0, len(listed))]
    sentences = [fact.sentence for fact in facts if fact not in fields] + rng.sample(words()["fillers"], 2)
    rng.shuffle(sentences)
    return Sketch(
        kind="",
        heading=(source.company(), rng.choice(KINDS)),
        fields=tuple(fields),
        sentences=tuple(sentences),
        table=(),
        footer="",
        pairs=(),
    )


def _bound(papers: list[bytes]) -> bytes:
    """PDFs of one page each as one PDF."""
    with pymupdf.open() as bound:
        for data in papers:
            with pymupdf.open(stream=data) as paper:
                bound.insert_pdf(paper)
        return bytes(bound.tobytes())
