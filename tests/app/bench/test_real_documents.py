"""The benchmark on real documents: its scoring, its figures, and one run over a folder that is made up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.bench.__main__ import build_parser
from app.bench.real import as_table, figures
from app.bench.real_rows import RealQuestion, read_documents, read_questions
from app.bench.real_scores import Outcome, Tally, says, side, words
from app.cli.command_line import run
from model.answering.prompts import NOT_IN_DOCUMENT
from model.errors import DocumentError
from model.types import Turn

NOTICE = "Harbour notice\n\nThe ferry Heron leaves Veldham at 7:40. It carries 120 persons and no lorries.\n"
DOCUMENTS = [
    {"id": "h1", "file": "h1.txt", "split": "check", "pages": 1},
    {"id": "h2", "file": "h2.pdf", "split": "check", "pages": 3},
    {"id": "h3", "file": "h3.txt", "split": "train", "pages": 1},
]


def fields(**given: Any) -> dict[str, Any]:
    usual = {"id": "q", "doc": "h1", "split": "check", "kind": "fact", "question": "Which ferry leaves?"}
    return {**usual, "answers": ["Heron"], "pages": [1], "quote": "The ferry Heron", **given}


def question(*answers: str, **given: Any) -> RealQuestion:
    usual: dict[str, Any] = {"id": "q", "document": "h1", "split": "check", "kind": "fact", "question": "Which one?"}
    return RealQuestion(**{**usual, "answers": answers, **given})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three documents, of which one is a PDF in name only."""
    (tmp_path / "files").mkdir()
    for name in ("h1.txt", "h3.txt"):
        (tmp_path / "files" / name).write_text(NOTICE, encoding="utf-8")
    (tmp_path / "files" / "h2.pdf").write_bytes(b"no PDF at all")
    questions = [
        fields(id="q1"),
        fields(id="q2", kind="follow-up", turns=[{"question": "Where does it start?", "answer": "Veldham"}]),
        fields(id="q3", kind="unanswerable", answers=[], pages=[], quote=""),
        fields(id="q4", doc="h2", kind="number", answers=["120"], pages=[2]),
        fields(id="q5", doc="h3", split="train"),
    ]
    for name, rows in (("documents", DOCUMENTS), ("questions", questions)):
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("answer", "accepted", "kind", "right"),
    [
        ("the Heron", ["Heron"], "name", True),
        ("It is the ferry Heron, which leaves Veldham.", ["Heron"], "fact", True),
        ("Heron " + "and many other ferries of the harbour company " * 3, ["Heron"], "fact", False),
        ("red and white hull", ["red and white painted hull"], "fact", True),
        ("hull", ["red and white painted hull"], "fact", False),
        ("1,250.00", ["1250"], "number", True),
        ("1.250,5 EUR", ["1250.50"], "number", True),
        ("120 of 300", ["120"], "number", False),
        ("120 of 300", ["120"], "list", True),
        ("Yes, every day.", ["Yes"], "yes-no", True),
        ("Sí", ["Yes, daily"], "yes-no", True),
        ("No", ["Yes"], "yes-no", False),
        ("ships, harbour, tides", ["a notice about ships and tides"], "whole-document", True),
        ("ships, harbour, tides", ["a notice about ships and tides"], "fact", False),
        ("渡轮", ["渡轮"], "name", True),
        ("±", ["±"], "fact", True),
        ("+", ["±"], "fact", False),
    ],
)
def test_an_answer_is_right_by_the_rules_of_its_kind(answer: str, accepted: list[str], kind: str, right: bool) -> None:
    assert says(answer, question(*accepted, kind=kind)) is right


def test_a_figure_may_repeat_numbers_of_the_question_and_of_its_row() -> None:
    asked = question("120", kind="table-cell", question="How many in 2019?", quote="Deck 2 | persons | 120")
    assert says("2019, deck 2: 120", asked)
    assert not says("2019, deck 3: 120", asked)


def test_words_have_one_form() -> None:
    assert words("The 1,250.50 and 1.250,5 of Zoë's") == ["1250.5", "and", "1250.5", "zoë", "s"]
    assert words("１２０ Ｐ") == ["120", "p"]


def test_refusing_is_right_only_where_the_document_does_not_say() -> None:
    unanswerable, answerable = question(kind="unanswerable"), question("Heron")
    for text in ("", "  ", NOT_IN_DOCUMENT):
        assert Outcome(question=unanswerable, text=text).right
        assert not Outcome(question=answerable, text=text).right
    assert not Outcome(question=unanswerable, text="Heron").right


def test_a_document_that_failed_makes_all_its_questions_wrong() -> None:
    outcomes = [Outcome(question=question(*answers), failed="cannot be read") for answers in ((), ("Heron",))]
    assert Tally.of(outcomes) == Tally(rows=2, right=0, refused=0, wrong=2)


def test_figures_by_kind_with_pages_and_marks() -> None:
    yes, no = question("Yes", kind="yes-no"), question("Nein, nie", kind="yes-no")
    placed = question("120", kind="number", pages=(2, 3))
    outcomes = [
        Outcome(question=yes, text="Yes.", doubtful=True),
        Outcome(question=no, text="Yes.", doubtful=True),
        Outcome(question=placed, has_pages=True, text="120", pages=(3, 1)),
        Outcome(question=placed, has_pages=True, text="130", pages=(1, 2)),
        Outcome(question=placed, has_pages=False, text="130", pages=(1,)),
        Outcome(question=placed, has_pages=True, text=NOT_IN_DOCUMENT),
    ]
    found = figures(outcomes)
    assert found["kinds"]["yes-no: yes"]["right"] == 1 and found["kinds"]["yes-no: no"]["right"] == 0
    assert found["kinds"]["number"] == {"rows": 4, "right": 1, "refused": 1, "wrong": 2}
    assert found["evidence_page"] == {"rows": 2, "counted": 1}
    assert (found["doubtful_of_right"], found["doubtful_of_wrong"]) == (
        {"rows": 2, "counted": 1},
        {"rows": 3, "counted": 1},
    )
    assert as_table(outcomes).splitlines()[1].split() == ["number", "4", "1", "25", "1", "2"]


def test_a_judgement_has_a_side_in_any_language() -> None:
    assert [side(question(answer, kind="yes-no")) for answer in ("Oui, le 3", "不是", "Perhaps")] == ["yes", "no", None]
    assert side(question("Nein", kind="yes-no")) == "no" and side(question("No", kind="fact")) is None


def test_rows_keep_separators_that_only_some_programs_take_for_line_ends(folder: Path) -> None:
    with (folder / "questions.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(fields(id="q6", quote="one\u2028two"), ensure_ascii=False) + "\n")
    assert read_questions(folder)[-1].quote == "one\u2028two"


def test_turns_and_pages_are_read(folder: Path) -> None:
    assert read_questions(folder)[1].turns == (Turn(question="Where does it start?", answer="Veldham"),)
    assert [one.has_pages for one in read_documents(folder)] == [False, True, False]


@pytest.mark.parametrize("name", ["documents", "questions"])
@pytest.mark.parametrize("line", ["{", "[]", '{"id": "x"}'])
def test_a_line_that_is_no_row_is_named(name: str, line: str, folder: Path) -> None:
    file = folder / f"{name}.jsonl"
    file.write_text(f"{line}\n{file.read_text(encoding='utf-8')}", encoding="utf-8")
    with pytest.raises(DocumentError, match=f"Line 1 of .*{name}"):
        read_documents(folder) if name == "documents" else read_questions(folder)


def test_real_prints_the_object_that_programs_read(
    folder: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["real", "--data", str(folder), "--model", str(tiny_folder), "--exact-weights"]
    kept = folder / "answers.jsonl"
    assert run(build_parser(), [*arguments, "--answers", str(kept), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    answers = [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()]
    assert [answer["id"] for answer in answers] == ["q1", "q3", "q2", "q4"]  # follow-ups are asked alone
    assert "h2.pdf" in answers[-1]["error"] and not answers[-1]["found"]
    assert (result["questions"], result["documents"], result["failed_documents"]) == (4, 2, ["h2"])
    assert result["kinds"]["all"]["rows"] == 4 and result["kinds"]["not answerable"]["rows"] == 1
    assert run(build_parser(), [*arguments, "--limit", "1"]) == 0
    assert ["all", "3"] in [line.split()[:2] for line in capsys.readouterr().out.splitlines()]


def test_what_is_answered_is_not_asked_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = folder / "answers.jsonl"
    answer = {"answer": "Heron", "found": True, "pages": [2], "doubtful": True, "error": None}
    kept.write_text("".join(json.dumps({"id": f"q{n}", **answer}) + "\n" for n in (1, 2, 3, 4)), encoding="utf-8")
    arguments = ["real", "--data", str(folder), "--model", "no-such-checkpoint", "--answers", str(kept), "--json"]
    assert run(build_parser(), arguments) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["kinds"]["all"] == {"rows": 4, "right": 2, "refused": 0, "wrong": 2}
    assert result["evidence_page"] == {"rows": 1, "counted": 1}
    kept.write_text('{"id": "q1"}\n', encoding="utf-8")
    assert run(build_parser(), arguments) == 2
    assert "Line 1 of" in capsys.readouterr().err


def test_a_split_without_questions_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(build_parser(), ["real", "--data", str(folder), "--split", "dev"]) == 2
    assert "no questions about documents of the split 'dev'" in capsys.readouterr().err


def test_page_texts_are_written_once_and_again_by_another_reader(folder: Path) -> None:
    out = folder / "pages.jsonl"
    arguments = ["pages", "--data", str(folder), "--split", "check", "-o", str(out)]
    assert run(build_parser(), arguments) == 0
    text, broken = map(json.loads, out.read_text(encoding="utf-8").splitlines())
    assert text["document"] == "h1" and "Heron" in "".join(text["pages"].values()) and len(text["sha256"]) == 64
    assert broken["pages"] == {} and "h2.pdf" in broken["error"]
    before = out.read_text(encoding="utf-8")
    assert run(build_parser(), arguments) == 0
    assert out.read_text(encoding="utf-8") == before
    out.write_text(before.replace(text["reader"], "another"), encoding="utf-8")
    assert run(build_parser(), arguments) == 0
    assert len(out.read_text(encoding="utf-8").splitlines()) == 4
