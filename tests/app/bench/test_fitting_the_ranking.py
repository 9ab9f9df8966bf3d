"""`python -m app.bench ranking`: from rows to the weights by which an answer is chosen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.bench.__main__ import build_parser
from app.bench.ranking import chosen, fit
from app.bench.ranking_choices import LIKELIEST, Choice, choice, document_choice, drawn, learnable
from app.bench.real import AskedDocument
from app.bench.real_rows import RealDocument, RealQuestion
from app.bench.real_scores import Outcome
from app.bench.rows import Row
from app.cli.command_line import run
from model.answering.prompts import NOT_IN_DOCUMENT
from model.answering.reranker import QuestionContext, features
from model.training.real_documents import is_for_development

ROOM = "The library of Lindau was founded by Ada Keller. Its treasurer is Omar Haddad."


def row(number: int, answers: tuple[str, ...] = ("Omar Haddad",)) -> Row:
    return Row(id=str(number), context=f"{number}. {ROOM}", question="Who is the treasurer?", answers=answers)


def made(number: int, *, answerable: bool = True) -> Choice:
    """The right answer is near, the likelier one is not; refusing lies between."""
    one = row(number, ("Omar Haddad",) if answerable else ())
    asked = QuestionContext.of(one.question, one.context)
    answers = ["Ada Keller", "Omar Haddad", NOT_IN_DOCUMENT]
    likely = [-0.5, -1.0 - number % 3 / 10, -1.5]
    return choice(one, answers, [features(asked, a, [p]) for a, p in zip(answers, likely, strict=True)])


def test_weights_are_fitted_so_that_the_right_answer_is_chosen() -> None:
    choices = [made(number) for number in range(20)]
    assert {chosen(one.features, LIKELIEST) for one in choices} == {0}
    weights = fit(choices)
    assert weights["near_60"] > 0
    refused = sum(chosen(one.features, weights) == 2 for one in choices)
    assert refused <= 0.05 * 20
    assert sum(chosen(one.features, weights) == 1 for one in choices) == 20 - refused


def test_a_fit_that_goes_on_stays_near_the_known_weights() -> None:
    choices = [made(number) for number in range(20)]
    known = {"log_probability": 1.0, "near_60": -1.0, "unheard_of": 2.0}
    near, free = fit(choices, known), fit(choices)
    assert near["unheard_of"] == pytest.approx(2.0)
    assert abs(near["near_60"] + 1.0) < abs(free["near_60"] + 1.0)
    assert sum(chosen(one.features, near) == 1 for one in choices) >= 18


def test_refusing_is_made_dear_enough_for_the_answerable_rows() -> None:
    choices = [made(number) for number in range(25)] + [made(number, answerable=False) for number in range(75)]
    refused = [chosen(one.features, fit(choices)) == 2 for one in choices if one.answerable]
    assert sum(refused) <= 0.05 * 25


def test_rows_without_a_right_candidate_are_told(
    tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Random weights say nothing; the candidates are made all the same."""
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps({"id": "1", "context": ROOM, "question": "Who?", "answers": ["Omar"]}), encoding="utf-8")
    assert run(build_parser(), ["ranking", "--rows", str(file), "--model", str(tiny_folder)]) == 2
    assert "has a right candidate" in capsys.readouterr().err


def test_there_must_be_something_to_learn_from(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(build_parser(), ["ranking"]) == 2
    assert "--rows" in capsys.readouterr().err


def test_settings_are_chosen_with_other_documents_and_whole_texts_are_not_decoded() -> None:
    def asked(name: str) -> AskedDocument:
        kinds = ("fact", "whole-document", "table-cell")
        questions = [
            RealQuestion(id=kind, document=name, split="train", kind=kind, question="Who?", answers=("Omar",))
            for kind in kinds
        ]
        return RealDocument(id=name, file=Path(name), split="train", pages=1), questions

    names = [f"d{number}" for number in range(40)]
    learnt = learnable([asked(name) for name in names])
    assert [document.id for document, _ in learnt] == [name for name in names if not is_for_development(name)]
    assert len(learnt) < len(names)
    assert {tuple(one.kind for one in questions) for _, questions in learnt} == {("fact", "table-cell")}


def test_an_answer_about_a_document_is_good_by_its_words_or_by_the_rules_of_its_kind() -> None:
    def gains(*accepted: str, kind: str = "table-cell") -> list[float]:
        question = RealQuestion(
            id="q", document="d", split="train", kind=kind, question="How many researchers?", answers=accepted
        )
        answers = ["126.241", "126241 researchers", "121", NOT_IN_DOCUMENT]
        return document_choice(Outcome(question=question), answers, [{} for _ in answers]).gains

    assert gains("126,241") == [1.0, 1.0, 0.0, 0.0]
    assert gains() == [0.0, 0.0, 0.0, 1.0]


def test_the_rows_of_a_few_contexts_are_drawn_whole() -> None:
    rows = [row(number // 2) for number in range(20)]
    kept = drawn(rows, 3)
    assert len({one.context for one in kept}) == 3
    assert len(kept) == 6
    assert drawn(rows, 3) == kept
