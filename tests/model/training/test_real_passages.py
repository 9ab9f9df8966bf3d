"""Laws of what real documents teach: what is never learned, where an answer stands, what a question is shown."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from model.answering.prompts import NOT_IN_DOCUMENT
from model.training.data import PASSAGE_TOKENS, Tokens
from model.training.packing import Shape, lay_out
from model.training.real_documents import (
    DEVELOPMENT,
    KEPT_OUT,
    PagedText,
    document_passages,
    is_for_development,
    learned_answer,
    may_be_learned,
    real_passages,
)
from tests.helpers.tiny import tiny_tokenizer

PAGES = {
    1: "The mill at Orrin was built by Tessa Vale. It had two wheels and one long barn beside the river. ",
    2: "Visitors pay at the gate of the mill. A ticket costs 9 crowns on weekdays. The mill is closed in March. ",
}
FILLER = "Nothing else of note was written about the valley and its many quiet farms that year. " * 60
DOCUMENT = {"id": "m1", "file": "m1.pdf", "split": "train", "source": "somebody/papers mill.pdf"}


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(tiny_tokenizer())


def row(question: str, *answers: str, **given: Any) -> dict[str, Any]:
    usual = {"id": question, "doc": "m1", "split": "train", "kind": "fact", "language": "en", "pages": [2], "quote": ""}
    return {**usual, "question": question, "answers": list(answers), **given}


def text_of(tokens: Tokens, ids: list[int]) -> str:
    return str(tokens.tokenizer.decode(ids))


def test_only_questions_of_train_are_learned() -> None:
    learned = next(name for name in map(str, range(100)) if not is_for_development(name))
    document = DOCUMENT | {"id": learned}
    assert may_be_learned(document, row("Who?"))
    assert not may_be_learned(document, row("Who?", split="check"))
    assert not may_be_learned(document | {"split": "check"}, row("Who?"))


@pytest.mark.parametrize("development", [True, False])
@pytest.mark.parametrize(
    "source",
    [
        "mozilla/pdf.js test/pdfs/tracemonkey.pdf",
        "mozilla/pdf.js test/pdfs/Chrome-Text-Selection-MarkedContent.pdf",
        "jsvine/pdfplumber tests/pdfs/WARN-Report-for-7-1-2015-to-03-25-2016.pdf",
        "docling-project/docling tests/data/redp5110_sampled.pdf",
        "basecamp/policies terms.md",
    ],
)
def test_what_is_measured_with_elsewhere_is_never_learned(source: str, development: bool) -> None:
    assert any(name in source.lower() for name in KEPT_OUT)
    for number in range(2 * DEVELOPMENT):
        document = DOCUMENT | {"id": str(number), "source": source}
        assert not may_be_learned(document, row("Who?"), development=development)


def test_documents_for_choosing_settings_are_not_learned_from() -> None:
    names = [f"d{number:03}" for number in range(800)]
    chosen = {name for name in names if is_for_development(name)}
    assert len(chosen) == pytest.approx(800 / DEVELOPMENT, rel=0.3)
    for name in names:
        ways = [may_be_learned(DOCUMENT | {"id": name}, row("Who?"), development=way) for way in (False, True)]
        assert ways == [name not in chosen, name in chosen]


def test_a_judgement_is_one_word_and_a_refusal_the_sentence() -> None:
    judged = {
        "Yes, from Stage 3 to 2": "Yes",
        "No.": "No",
        "Nein, nie": "Nein",
        "不是，从未": "不是",
        "Perhaps": "Perhaps",
    }
    assert {answer: learned_answer(row("Is it?", answer, kind="yes-no")) for answer in judged} == judged
    assert learned_answer(row("How many?", "No more than 3")) == "No more than 3"
    assert learned_answer(row("Who?")) == NOT_IN_DOCUMENT


def test_the_place_of_an_answer_is_found_by_its_quote(tokens: Tokens) -> None:
    text = PagedText.of(PAGES, tokens)
    asked = {
        "built by Tessa Vale": ([1], "built by Tessa Vale"),
        "A ticket ... 9 crowns": ([2], "9 crowns"),
        "crowns | weekdays | 9": ([2], "9 crowns"),
        "Tessa Vale": ([2], None),  # that page does not have it
    }
    for quote, (pages, found) in asked.items():
        place = text.place_of(row("?", "9", quote=quote, pages=pages), paged=True)
        assert bool(place) is (found is not None)
        assert all(found in text_of(tokens, text.ids[text.passages[i].start : text.passages[i].end]) for i in place)
    assert text.place_of(row("?", "9", quote="Tessa Vale", pages=[2]), paged=False)


def test_a_question_is_shown_the_place_of_its_answer_and_what_answering_would_choose(tokens: Tokens) -> None:
    pages = {1: PAGES[1] + FILLER, 2: PAGES[2] + FILLER}
    asked = [
        row("Who built the mill?", "Tessa Vale", quote="built by Tessa Vale", pages=[1]),
        row("What is the price of a day in the old house?", "9 crowns", quote="A ticket costs 9 crowns"),
        row("What colour is the mill?", kind="unanswerable", pages=[]),
    ]
    found = list(document_passages(pages, asked, tokens, paged=True))
    asked_ways = {"Tessa": "built by Tessa Vale", "crowns": "9 crowns", "does not say": "mill"}
    for answer, held in asked_ways.items():
        shown = [
            " ".join(text_of(tokens, passage.ids[first:last]) for first, last in pair.shown)
            for passage in found
            for pair in passage.pairs
            if answer in text_of(tokens, pair.answer)
        ]
        assert shown and all(held in text for text in shown)
        assert all(len(tokens.encode([text])[0]) <= PASSAGE_TOKENS + 200 for text in shown)


def test_a_question_whose_answer_was_not_read_teaches_nothing(tokens: Tokens) -> None:
    unread = row("What is on the picture?", "a heron", quote="a grey heron with a fish")
    assert list(document_passages(PAGES, [unread], tokens, paged=True)) == []


def test_a_question_about_the_whole_is_shown_the_beginning(tokens: Tokens) -> None:
    whole = row("What is this about?", "A mill", kind="whole-document", pages=[1])
    [passage] = document_passages({1: PAGES[1] + FILLER, 2: PAGES[2]}, [whole], tokens, paged=True)
    [pair] = passage.pairs
    [(first, last)] = pair.shown
    assert first == 0 and "Tessa Vale" in text_of(tokens, passage.ids[:last]) and last <= len(passage.ids)


def test_what_is_shown_survives_being_laid_out(tokens: Tokens) -> None:
    pages = {1: PAGES[1] + FILLER, 2: PAGES[2] + FILLER, 3: FILLER + PAGES[2]}
    asked = [
        row("Who built the mill?", "Tessa Vale", quote="built by Tessa Vale", pages=[1]),
        row("When is it closed?", "in March", quote="The mill is closed in March", pages=[3]),
    ]
    shape = Shape(chunks=2, chunk_size=512, overlap=128, answers=400, filled=False)
    for passage in document_passages(pages, asked, tokens, paged=True):
        layout = lay_out([passage], shape, tokens, random.Random(0))
        assert all(last <= shape.length for pair in layout.pairs for _, last in pair.shown)


def test_of_a_folder_only_what_may_be_learned_is_read(tokens: Tokens, tmp_path: Path) -> None:
    learned = next(name for name in map(str, range(100)) if not is_for_development(name))
    held = next(name for name in map(str, range(100)) if is_for_development(name))
    asked = row("Who built the mill?", "Tessa Vale", quote="built by Tessa Vale", pages=[1])

    def write(name: str, rows: list[Mapping[str, Any]]) -> None:
        (tmp_path / name).write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")

    sha256 = hashlib.sha256(b"").hexdigest()
    sample = hashlib.sha256((Path(__file__).parents[3] / "assets" / "sample.pdf").read_bytes()).hexdigest()
    write("documents.jsonl", [DOCUMENT | {"id": learned}, DOCUMENT | {"id": held}])
    write("questions.jsonl", [asked | {"doc": learned}, asked | {"doc": held}, asked | {"doc": learned, "split": "x"}])
    write("pages.jsonl", [{"document": name, "sha256": sha256, "pages": PAGES} for name in (learned, held)])
    for development in (False, True):
        [passage] = real_passages(tmp_path, tmp_path / "pages.jsonl", tokens, development=development)
        assert len({tuple(pair.prompt) for pair in passage.pairs}) == 1
    write("pages.jsonl", [{"document": learned, "sha256": sample, "pages": PAGES}])
    assert real_passages(tmp_path, tmp_path / "pages.jsonl", tokens) == []
