"""The quality benchmark: its rows, its arithmetic, and one run of it."""

import gzip
import json
import random
from pathlib import Path

import pytest

from app.bench import sides
from app.bench.__main__ import build_parser
from app.bench.bundles import make_bundles
from app.bench.needles import depth_of, haystack, make_needles
from app.bench.paper import LAYOUTS, draw_paper
from app.bench.quality import as_table, by_chunks
from app.bench.rows import Row, read_rows
from app.bench.scores import exact_match, normalise, refuses, score, token_f1
from app.bench.speed import agree
from app.cli.command_line import run
from app.documents import DocumentReader
from app.settings import Settings
from model.errors import DocumentError
from model.training.facts import FactSource, Split
from model.training.records import make_sketch
from tests.helpers.tiny import tiny_checkpoint, tiny_tokenizer

ROWS = [
    {"id": "1", "context": "Ada wrote it.", "question": "Who wrote it?", "answers": ["Ada", "Ada Lovelace"]},
    {"id": "2", "context": "Ada wrote it.", "question": "When?", "answers": []},
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in ROWS) + "\n\n", encoding="utf-8")
    return path


def row(*answers: str) -> Row:
    return Row(id="", context="", question="", answers=answers)


def test_normalisation_is_that_of_squad() -> None:
    assert normalise(" The Cat's  a  MAT, an end! ") == "cats mat end"
    assert normalise("theatre") == "theatre"


def test_exact_match_and_f1() -> None:
    assert exact_match("The 14 May.", "14 may") == 1
    assert exact_match("14 June", "14 May") == 0
    assert token_f1("on 14 May 1987", "14 May 1987") == pytest.approx(6 / 7)
    assert token_f1("May May", "May") == pytest.approx(2 / 3)  # a word counts as often as it occurs in both
    assert token_f1("", "May") == 0


def test_the_best_of_several_answers_counts() -> None:
    scores = score("x", [row("Ada Lovelace", "Ada")], ["Ada"])
    assert (scores.exact_match, scores.f1) == (100, 100)


def test_refusals_are_counted_on_both_kinds_of_rows() -> None:
    refusal = "The document does not say."
    scores = score("x", [row("x y"), row("x y"), row(), row(), row(), row()], [refusal, "x z", refusal, "?", "", "x"])
    assert (scores.no_answer_recall, scores.false_refusals) == (25, 50)
    assert (scores.exact_match, scores.f1) == (0, 25)  # unanswerable rows do not count here


def test_only_the_sentence_itself_is_a_refusal() -> None:
    assert refuses("The document does not say")
    assert not refuses("The document does not say who.")


def test_rows_read_in_several_chunks_have_figures_of_their_own() -> None:
    rows, answers = [row("Ada"), row("Omar"), row("Eve")], ["Ada", "nobody", "Eve"]
    one, several = by_chunks(rows, answers, [1, 3, 4])
    assert (one.name, one.f1) == ("  1 in one chunk", 100)
    assert (several.name, several.f1) == ("  2 in several chunks", 50)
    assert by_chunks(rows, answers, [1, 1, 1]) == []


def test_figures_without_rows_are_left_open() -> None:
    scores = score("x", [row()], ["a"])
    assert (scores.exact_match, scores.f1, scores.false_refusals) == (None, None, None)
    assert as_table(1, scores, None).splitlines()[1].split() == ["x", "-", "-", "0.0", "-"]


def test_rows_are_read_plain_and_gzipped(data: Path) -> None:
    zipped = data.with_suffix(".jsonl.gz")
    zipped.write_bytes(gzip.compress(data.read_bytes()))
    assert read_rows(data) == read_rows(zipped)
    assert [one.answers for one in read_rows(data)] == [("Ada", "Ada Lovelace"), ()]
    assert len(read_rows(data, limit=1)) == 1


@pytest.mark.parametrize("line", ["{", "[]", '{"id": 1}', '{"id": 1, "context": "", "question": "", "answers": "a"}'])
def test_a_line_that_is_no_row_is_named(line: str, data: Path) -> None:
    data.write_text(data.read_text() + line)
    with pytest.raises(DocumentError, match="Line 4 of"):
        read_rows(data)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe"])
def test_a_file_without_rows(content: bytes, data: Path) -> None:
    data.write_bytes(content)
    with pytest.raises(DocumentError, match=r"holds no rows|cannot be read"):
        read_rows(data)


def test_quality_prints_the_object_that_programs_read(
    data: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run(
        build_parser(), ["quality", "--data", str(data), "--model", str(tiny_folder), "--no-baseline", "--json"]
    )
    result = json.loads(capsys.readouterr().out)
    assert status == 0
    assert list(result) == ["measured", "rows", "checkpoint", "baseline"]
    assert result["rows"] == 2 and result["baseline"] is None
    names = ["name", "exact_match", "f1", "no_answer_recall", "false_refusals"]
    assert list(result["checkpoint"]) == names and result["checkpoint"]["name"] == str(tiny_folder)
    assert all(0 <= result["checkpoint"][name] <= 100 for name in names[1:])


def test_needles_are_set_at_every_depth_of_a_text_of_that_length() -> None:
    tokenizer = tiny_tokenizer()
    hidden = make_needles(8, random.Random(1))
    text = haystack(tokenizer, 9000, hidden, random.Random(1))
    places = [text.index(needle.sentence) / len(text) for needle in hidden]
    assert len(tokenizer.encode(text).ids) == pytest.approx(9000, rel=0.15)
    assert places == sorted(places)
    assert all(abs(place - depth_of(index, 8)) < 0.15 for index, place in enumerate(places))


def test_needles_prints_the_object_that_programs_read(tiny_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["needles", "--tokens", "900", "--needles", "3", "--model", str(tiny_folder)]
    assert run(build_parser(), [*arguments, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert list(result) == ["measured", "checkpoint", "documents", "needles", "found", "findings"]
    assert result["needles"] == len(result["findings"]) == 3 and 0 <= result["found"] <= 3
    assert set(result["documents"][0]) == {"tokens", "chunks", "encode_seconds"}
    assert run(build_parser(), arguments) == 0
    assert capsys.readouterr().out.splitlines()[-1].split()[:2] == ["all", "3"]


def test_generated_rows_are_read_back_from_pdfs(tmp_path: Path) -> None:
    file = tmp_path / "generated.jsonl"
    assert run(build_parser(), ["generated", "--documents", "5", "-o", str(file)]) == 0
    rows = read_rows(file)
    assert len({row.context for row in rows}) == 5
    assert len(rows) > 20
    assert all(" ".join(row.answers[0].split()) in " ".join(row.context.split()) for row in rows)
    again = tmp_path / "again.jsonl"
    assert run(build_parser(), ["generated", "--documents", "5", "-o", str(again)]) == 0
    assert again.read_bytes() == file.read_bytes()


def test_each_question_of_a_bundle_has_its_answer_on_its_page() -> None:
    (bundle,) = make_bundles(1, pages=10)
    pages = [" ".join(page.text.split()) for page in bundle.document.pages]
    assert len(pages) == 10
    assert len({one.question for one in bundle.questions}) == len(bundle.questions) > 30
    for one in bundle.questions:
        assert " ".join(one.answers[0].split()) in pages[one.page - 1]


def test_evidence_prints_the_object_that_programs_read(tiny_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["evidence", "--pages", "2", "--documents", "1", "--model", str(tiny_folder), "--json"]
    assert run(build_parser(), arguments) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["questions"], result["pages_a_document"]) == (8, 2)
    assert 0 <= result["first_chip_right_where_answered"] <= 100


def test_no_layout_is_both_learned_and_checked() -> None:
    assert not set(LAYOUTS["train"]) & set(LAYOUTS["check"])


@pytest.mark.parametrize("split", ["train", "check"])
def test_every_layout_loses_hardly_any_word(split: Split, tmp_path: Path) -> None:
    source = FactSource(random.Random(3), split)
    with DocumentReader() as reader:
        for layout in LAYOUTS[split]:
            sketch = make_sketch(source)
            (tmp_path / "paper.pdf").write_bytes(draw_paper(sketch, layout))
            pages = reader.read(tmp_path / "paper.pdf", name="paper.pdf").document.pages
            text = " ".join(" ".join(page.text for page in pages).split())
            assert all(line in text for line in sketch.heading)
            assert all(" ".join(cell.split()) in text for row in sketch.table for cell in row)
            assert all(fact.value in text for fact in sketch.fields)


@pytest.mark.parametrize("limit", ["0", "-1", "many"])
def test_a_limit_that_is_no_number(limit: str, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        run(build_parser(), ["quality", "--data", str(data), f"--limit={limit}"])
    assert exit_.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_missing_data_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(build_parser(), ["quality", "--data", str(tmp_path / "none.jsonl")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.slow
def test_speed_measures_both_sides_on_the_same_weights(tiny_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only what does not depend on the clock is checked: that both sides ran, agree, and what the cache takes."""
    assert run(build_parser(), ["speed", "--tokens", "200", "--model", str(tiny_folder), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["agree"] is True
    assert result["tokens"] == 200
    assert result["ours"]["cache_bytes_per_token"] == 48 * 2 + 7 * 2 * 4  # states, and a scale a layer and key head
    item = {"float32": 4, "bfloat16": 2}[result["precision"]]
    assert result["transformers"]["cache_bytes_per_token"] == 7 * 2 * 2 * 16 * item
    assert result["notes"] == []
    assert all(figure > 0 for side in ("ours", "transformers") for figure in result[side].values())


def test_transformers_answers_from_our_states_what_it_would_not_read(tmp_path: Path) -> None:
    checkpoint = tiny_checkpoint()
    ours = sides.ours(checkpoint, 200, 64, tmp_path / "states", Settings(cache_folder=tmp_path))
    theirs = sides.transformers(checkpoint, 200, 64, tmp_path / "states")
    assert theirs["encode_seconds"] is None
    assert theirs["notes"] == ["transformers answered from our encoder states: it joins no chunks"]
    assert agree(ours | {"precision": "float32"}, theirs)


def test_speed_says_why_a_side_could_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(build_parser(), ["speed", "--tokens", "200", "--model", str(tmp_path), "--ours-only", "--json"]) == 0
    output = capsys.readouterr()
    assert "ours could not run 200 tokens" in output.err
    result = json.loads(output.out)
    assert result["ours"]["token_ms"] is None
    assert "ours could not run 200 tokens" in result["notes"][0]


def test_speed_refuses_too_few_tokens(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(build_parser(), ["speed", "--tokens", "8"])
    assert "8 tokens are too few to measure; take 64 or more" in capsys.readouterr().err


def test_agreement_forgives_only_what_transformers_all_but_chose() -> None:
    theirs = {"greedy": [5, 6, 7], "leads": [1.0, 0.001, 1.0]}
    ours = {"precision": "float32", "in_few_bits": False}
    assert agree(ours | {"greedy": [5, 6, 7]}, theirs)
    assert agree(ours | {"greedy": [5, 9, 8]}, theirs)
    assert not agree(ours | {"greedy": [4, 6, 7]}, theirs)
    assert agree(ours | {"greedy": [5, 9, 8], "in_few_bits": True}, theirs | {"leads": [1.0, 0.1, 1.0]})
