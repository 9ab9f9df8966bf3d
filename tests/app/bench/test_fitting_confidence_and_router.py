"""What is fitted: when to doubt, what a question wants; and that the sample's questions are whole."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from app.bench.confidence import Judged, as_table, cross_validated, fit
from app.bench.real_rows import read_rows
from app.bench.reliability import calibration_error, reliability
from app.bench.router import Phrasing, read_phrasings, real_phrasings, with_intents
from app.bench.router import as_table as router_table
from model.answering.confidence import Calibration
from model.encoder.encoder import encode_chunk
from model.errors import DocumentError
from model.training.router import Learnt, least_probability, routed
from model.training.router import fit as fit_router
from model.training.short_texts import states_of
from tests.helpers.tiny import ids_of, tiny_checkpoint

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample-questions.jsonl"


def answers(count: int = 300) -> list[Judged]:
    """Of ten documents; right as often as one of their features says, and another says nothing."""
    draw = random.Random(1)
    found = []
    for index in range(count):
        sure = draw.random()
        features = {"sure": sure, "noise": draw.random()}
        found.append(Judged(document=f"d{index % 10}", features=features, right=draw.random() < sure))
    return found


def test_confidence_is_calibrated_and_marks_most_wrong_answers() -> None:
    judged = answers()
    weights = fit(judged)
    assert abs(weights.weights["noise"]) < abs(weights.weights["sure"]) / 3
    told, doubted = cross_validated(judged)
    right = [one.right for one in judged]
    assert calibration_error(reliability(told, right)) < 0.12
    wrong_marked = [doubt for doubt, is_right in zip(doubted, right, strict=True) if not is_right]
    right_marked = [doubt for doubt, is_right in zip(doubted, right, strict=True) if is_right]
    assert sum(wrong_marked) / len(wrong_marked) > 0.7 > sum(right_marked) / len(right_marked)
    assert "calibration error" in as_table(judged)


def test_the_limit_has_four_of_five_wrong_answers_below_it() -> None:
    judged = answers()
    weights = fit(judged)
    calibration = Calibration(weights)
    wrong = [one for one in judged if not one.right]
    below = sum(calibration.is_doubtful(calibration.confidence(one.features)) for one in wrong)
    assert below / len(wrong) == pytest.approx(0.8, abs=0.02)


def test_answers_that_are_all_right_fit_nothing() -> None:
    with pytest.raises(DocumentError, match="all are right"):
        fit([Judged(document="d", features={"sure": 1.0}, right=True)] * 3)


def test_a_reliability_curve_counts_every_answer_once() -> None:
    curve = reliability([0.0, 0.05, 0.95, 1.0], [False, True, True, True])
    assert [one["rows"] for one in curve] == [2, 2]
    assert [one["right"] for one in curve] == [0.5, 1.0]
    assert calibration_error([]) == 0.0


def test_a_router_tells_what_it_has_learnt_and_keeps_false_alarms_rare() -> None:
    generator = torch.Generator().manual_seed(0)
    facts, titles = torch.randn(200, 6, generator=generator), torch.randn(40, 6, generator=generator)
    titles[:, 0] += 4
    intents = ["fact"] * 200 + ["title"] * 40
    weights = fit_router(Learnt(features=torch.cat([facts, titles]), intents=intents))  # type: ignore[arg-type]
    assert routed(weights, titles).count("title") > 30
    least = least_probability(weights, facts, 0.01)
    assert routed(replace(weights, least=least), facts).count("title") <= 2


def test_short_texts_together_have_the_states_of_each_alone() -> None:
    model = tiny_checkpoint().model
    texts = [ids_of(length, seed=length) for length in (2, 3, 1)]
    together = states_of(model, [one.tolist() for one in texts])
    for one, states in zip(texts, together, strict=True):
        torch.testing.assert_close(states, encode_chunk(model, one), rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match="more than a window"):
        states_of(model, [ids_of(60).tolist()])


def test_phrasings_are_read_and_a_strange_intent_is_named(tmp_path: Path) -> None:
    file = tmp_path / "intents.jsonl"
    row = {"intent": "title", "language": "de", "text": "Wie heißt es?", "argument": "", "split": "check"}
    file.write_text(json.dumps(row) + "\n", encoding="utf-8")
    assert read_phrasings(file) == [Phrasing(text="Wie heißt es?", intent="title", language="de", seen=False)]
    file.write_text(json.dumps(row | {"intent": "sing"}) + "\n", encoding="utf-8")
    with pytest.raises(DocumentError, match="sing"):
        read_phrasings(file)
    with pytest.raises(DocumentError, match="no phrasings"):
        read_phrasings(tmp_path / "none.jsonl")


def test_the_routers_table_counts_by_intent_and_by_language() -> None:
    told = [
        (Phrasing(text="a", intent="title", language="de", seen=False), "title"),
        (Phrasing(text="b", intent="title", language="fr", seen=False), "fact"),
        (Phrasing(text="c", intent="calculate", language="fr", seen=False), "fact"),  # is answered as a fact is
        (Phrasing(text="d", intent="fact", language="", seen=False, real=True), "fact"),
    ]
    table = router_table(told, 0.5)  # type: ignore[arg-type]
    assert "intent title                       1 of     2" in table
    assert "language fr                        1 of     2" in table
    assert "facts about real documents         1 of     1" in table


def test_a_question_about_a_whole_document_is_learnt_with_the_likeliest_intent_of_its_kind() -> None:
    generator = torch.Generator().manual_seed(0)
    centres = {"fact": 0, "title": 1, "summary": 2}
    known = [
        (Phrasing(text="", intent=intent, language="en", seen=True), 4.0 * torch.eye(3)[place])  # type: ignore[arg-type]
        for intent, place in centres.items()
        for _ in range(30)
    ]
    unsure = Phrasing(text="", intent="title", language="", seen=True, real=True, among=("title", "summary"))
    asked = [(unsure, torch.tensor([3.9, 0.0, 0.5])), (unsure, torch.tensor([0.0, 2.0, 0.0]))]  # the first: most a fact
    features = torch.stack([place for _, place in known + asked])
    features += 0.1 * torch.randn(features.shape, generator=generator)
    found = with_intents([one for one, _ in known + asked], features)
    assert [one.intent for one in found[-2:]] == ["summary", "title"]
    assert [one.intent for one in found[:-2]] == [one.intent for one, _ in known]


def test_of_real_questions_those_about_the_whole_may_want_what_their_kind_allows(tmp_path: Path) -> None:
    row = {"id": "1", "doc": "a", "split": "train", "answers": ["x"], "pages": [1], "quote": "", "language": "en"}
    kinds = {"instruction": "Sum it up.", "whole-document": "Who wrote it?", "section": "Section 2?"}
    rows = [row | {"kind": kind, "question": question} for kind, question in kinds.items()]
    rows.append(row | {"kind": "instruction", "question": "Shorten it.", "split": "check"})
    (tmp_path / "questions.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    found = {one.text: one.among for one in real_phrasings(tmp_path)}
    assert set(found) == {"Sum it up.", "Who wrote it?"}
    assert found["Sum it up."] == ("summary", "key_points") and "authors" in found["Who wrote it?"]


def test_the_samples_questions_are_forty_of_every_kind_about_its_four_pages() -> None:
    rows = read_rows(SAMPLE)
    assert len(rows) == len({row.id for row in rows}) == 40
    kinds = {row.kind for row in rows}
    assert {"table-cell", "paraphrased", "yes-no", "list", "why-how", "cross-language", "follow-up", "number"} <= set(
        kinds
    )
    assert {"whole-document", "instruction", "section", "unanswerable", "fact", "date", "name", "count"} <= set(kinds)
    for row in rows:
        assert bool(row.answers) == bool(row.pages) == (row.kind != "unanswerable")
        assert all(1 <= page <= 4 for page in row.pages)
        assert bool(row.turns) == (row.kind == "follow-up")
