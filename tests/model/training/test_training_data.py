"""Laws of the training data: tasks, kept sources, learning rates and curves."""

from __future__ import annotations

import gzip
import json
import random
import re
from dataclasses import replace
from pathlib import Path

import pytest

from model.answering.prompts import NOT_IN_DOCUMENT, prompt_text
from model.answering.whole_document import LEAD_TOKENS
from model.training.curves import Log, draw, read_log, smooth
from model.training.data import Pair, Tokens, TrainingPassage, excerpts
from model.training.facts import FactSource
from model.training.held_out import held_out, held_out_rows
from model.training.recipe import MIXTURE, REAL, SHAPE_WEIGHTS, SHAPES, SOURCES, Recipe
from model.training.records import distinct_facts, make_record, make_sketch
from model.training.sales_receipts import with_other_digits
from model.training.sources import from_stream, keep_sources, to_stream
from model.training.tasks import RARE, SUMMARY, TITLE, TITLES_ASKED, Example, pairs_by_context
from model.training.train import frequent_tokens
from tests.helpers.tiny import TEXT, tiny_tokenizer


def row(source: str, context: str, question: str = "Who?", *answers: str) -> dict:
    told = {"context": context, "question": question, "answers": list(answers)}
    return {"source": source, "language": "en", "document": "Lake_Constance"} | told


def test_a_row_becomes_a_question_or_a_task() -> None:
    rows = [
        row("squadshifts", "a", "Who wrote it? ", "Ada", "Ada Lovelace"),
        row("squadshifts", "a", "When?"),
        row("scitldr", "b", "Summarise this in one sentence.", "We do b."),
    ]
    assert pairs_by_context(rows) == {
        "a": [Example(prompt_text("Who wrote it?"), "Ada"), Example(prompt_text("When?"), NOT_IN_DOCUMENT)],
        "b": [Example(SUMMARY, "We do b.", whole_text=True)],
    }


def test_some_encyclopaedia_passages_are_asked_for_their_title_once() -> None:
    contexts = [f"passage {number}" for number in range(600)]
    pairs = pairs_by_context(row("piaf", context, "Qui?", "Ada") for context in contexts for _ in range(2))
    titles = [pair for context in contexts for pair in pairs[context] if pair.prompt == TITLE]
    assert set(titles) == {Example(TITLE, "Lake Constance", whole_text=True)}
    assert len(titles) == pytest.approx(600 / TITLES_ASKED, rel=0.3)
    assert all(len(pairs[context]) in (2, 3) for context in contexts)


def test_a_receipt_is_asked_for_its_only_date_and_for_the_same_in_other_words() -> None:
    dated = [row("receipts", "Shop A\n04.03.2018\nTotal 8.00", "What is the total?", "8.00")]
    total = [Example(prompt_text(question), "8.00") for question in ("What is the total?", "What is the total amount?")]
    assert pairs_by_context(dated) == {
        dated[0]["context"]: [
            total[0],
            Example(prompt_text("What is the date of the receipt?"), "04.03.2018"),
            total[1],
        ]
    }
    twice = [row("receipts", "4 Mar 2018, best before 2019-01-31, Total 8.00", "What is the total?", "8.00")]
    assert pairs_by_context(twice) == {twice[0]["context"]: total}
    others = [row("sroie", "04.03.2018", "What is the total?", "8.00")]
    assert pairs_by_context(others) == {"04.03.2018": total[:1]}


def test_turns_come_before_the_question_that_leans_on_them() -> None:
    [asked] = pairs_by_context([row("followups", "a", "And in 2023?", "8") | {"history": [["How many?", "7"]]}])["a"]
    assert asked.prompt == "Question: How many?\nAnswer: 7\nQuestion: And in 2023?\nAnswer:" and not asked.whole_text


def test_titles_are_learned_less_often_than_what_people_ask() -> None:
    rows = [row("openstax", str(number), "Title?", "Lakes") | {"id": str(number)} for number in range(400)]
    asked = {task: pairs_by_context(one | {"task": task} for one in rows) for task in ("title", "summary", "question")}
    assert len(asked["title"]) == pytest.approx(400 / RARE["title"], rel=0.3) and len(asked["summary"]) == 400
    assert {task: pairs.popitem()[1][0].whole_text for task, pairs in asked.items()} == {
        "title": True, "summary": True, "question": False,
    }  # fmt: skip


def test_a_receipt_with_other_digits_is_another_receipt_with_the_same_questions() -> None:
    text = "Shop 21\n04.03.2018\nSoap 100 x2 8.50\nTotal 8.50"
    asked = row("receipts", text, "How much is the Soap 100?", "8.50")
    assert with_other_digits(asked, 0) == asked
    others = [with_other_digits(asked, variant) for variant in range(1, 9)]
    assert len({other["context"] for other in others}) > 6
    for other in others:
        [answer] = other["answers"]
        assert "\n04.03.2018\n" in other["context"] and other["context"].endswith(f"Total {answer}")
        assert re.fullmatch(r"[1-9]\.[1-9]0", answer)
        assert other["question"].removeprefix("How much is the ").removesuffix("?") in other["context"]
    assert with_other_digits(asked, 3) == others[2]


def test_of_a_text_that_is_too_long_each_question_keeps_what_it_is_shown() -> None:
    ids = list(range(1000, 5000))
    near, far = Pair(prompt=[2], answer=[5, 1], shown=((3, 9), (40, 60))), Pair(prompt=[2], answer=[6, 1])
    apart = replace(near, shown=((10, 30), (3990, 4000)))
    kept = list(excerpts(TrainingPassage(ids=ids, pairs=[near, far, apart]), 300))
    assert len(kept) == 2  # a question that is shown everything cannot be kept
    for passage, before in zip(kept, (near, apart), strict=True):
        assert 100 < len(passage.ids) <= 300
        [pair] = passage.pairs
        for (first, last), (start, end) in zip(pair.shown, before.shown, strict=True):
            assert passage.ids[first:last] == ids[start:end]


def test_of_a_long_text_a_question_about_the_whole_is_shown_the_beginning() -> None:
    tokens = Tokens(tiny_tokenizer())
    about = {"task": "summary", "id": "1"}
    for text, size in ((TEXT, len(tokens.encode([TEXT])[0])), ("word " * 9000, LEAD_TOKENS)):
        [passage] = tokens.passages([row("proposals", text, "What is it about?", "Words.") | about], 895)
        assert len(passage.ids) == size
        assert passage.pairs[0].shown == (((0, LEAD_TOKENS),) if size == LEAD_TOKENS else ())


def test_a_judgement_is_not_looked_for_in_the_text() -> None:
    tokens = Tokens(tiny_tokenizer())
    filler = "The lake was quiet and nobody came that day. " * 3
    text = f"No ferry ran. {filler}Omar Haddad may keep one copy of the letter. {filler}"
    shown = []
    for answer in ("No", "No ferry"):
        [pair] = tokens.passage(
            text, [Example(prompt_text("May Omar Haddad keep a copy of the letter?"), answer)]
        ).pairs
        shown.append(pair.shown)
    assert shown[0] and set(shown[0]) < set(shown[1])
    assert min(first for first, _ in shown[1]) == 0 < min(first for first, _ in shown[0])


def test_passages_come_back_from_the_file_that_keeps_them() -> None:
    passages = [
        TrainingPassage(
            ids=[7, 8, 9], pairs=[Pair(prompt=[2, 5], answer=[6, 1], shown=((0, 2),)), Pair(prompt=[2], answer=[1])]
        ),
        TrainingPassage(ids=[], pairs=[]),
        TrainingPassage(ids=[4], pairs=[Pair(prompt=[2, 3], answer=[1], shown=((0, 1), (3, 9)))]),
    ]
    assert list(from_stream(to_stream(passages))) == passages


def test_a_sample_of_the_passages_is_the_same_every_time() -> None:
    tokens = Tokens(tiny_tokenizer())
    rows = [row("squadshifts", f"{TEXT} {number}", "Who?", "Ada") for number in range(20)]
    few = tokens.passages(rows, 500, 5)
    assert len(few) == 5 and few == tokens.passages(rows, 500, 5)
    assert tokens.passages(rows, 3) == []


def test_the_head_knows_the_tokens_that_are_answered_most() -> None:
    answers = [[392, 1], [392, 391, 1], [1]]
    passages = [TrainingPassage(ids=[390], pairs=[Pair(prompt=[2], answer=answer)]) for answer in answers]
    assert frequent_tokens(passages).tolist() == [1, 392, 391]


def test_articles_that_answers_are_checked_on_are_never_trained_on() -> None:
    spanish = {"source": "squad_es", "language": "es", "document": "SQuAD-es-v2.0/small.jsonVarsovia"}
    assert held_out(spanish) and not held_out(spanish | {"document": "SQuAD-es-v2.0/small.jsonFarmacia"})
    german = {"source": "xquad", "language": "de", "document": "Chloroplast"}
    assert held_out(german) and not held_out(german | {"document": "Normans"})
    assert held_out(german | {"document": "Normans", "language": "en"})  # `dev/short` has other passages of it
    french = [held_out({"source": "piaf", "language": "fr", "document": f"Article {number}"}) for number in range(800)]
    assert sum(french) == pytest.approx(100, rel=0.3)
    assert not held_out(spanish | {"source": "squadshifts"})


def test_contexts_that_are_checked_with_are_never_trained_on(tmp_path: Path) -> None:
    rows = [row("squadshifts", TEXT, "Who?", "Ada"), row("squadshifts", "Omar came.", "Who?", "Omar")]
    files = {"train/squadshifts": rows, "dev/short": [rows[1] | {"context": " Omar came.\n"}]}
    for name, lines in files.items():
        (tmp_path / name).parent.mkdir()
        content = "".join(json.dumps(line) + "\n" for line in lines).encode()
        (tmp_path / f"{name}.jsonl.gz").write_bytes(gzip.compress(content))
    tokens = Tokens(tiny_tokenizer())
    made = keep_sources(
        tmp_path / "kept", tmp_path / "train", {"shifts": ["squadshifts"]}, tokens, longest=900, most=None
    )
    assert [passage.ids for passage in made["shifts"]] == tokens.encode([TEXT])


def test_records_answer_with_words_of_their_text_and_splits_share_no_names() -> None:
    rng = random.Random(0)
    texts = {"train": "", "check": ""}
    for split in ("train", "check"):
        for _ in range(200):
            record = make_record(rng, split)
            texts[split] += record.text
            flat = " ".join(record.text.split())
            assert all(" ".join(answer.split()) in flat for _, answer in record.pairs)
    assert "Ada " in texts["train"]
    assert "Ada " not in texts["check"]


def test_every_weight_names_something() -> None:
    assert set(MIXTURE) - set(SOURCES) == {"records", "text", REAL} and set(SOURCES) <= set(MIXTURE)
    assert set(SHAPES) == set(SHAPE_WEIGHTS)
    assert sum(MIXTURE.values()) == pytest.approx(1) and sum(SHAPE_WEIGHTS.values()) == pytest.approx(1)


def test_the_learning_rate_rises_and_falls() -> None:
    recipe = Recipe(steps=100, warmup=10)
    factors = [recipe.factor(step) for step in range(100)]
    assert factors[0] == 0.1 and max(factors) == factors[9] == factors[10] == 1
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert recipe.factor(100) == pytest.approx(0.03)


def test_facts_of_a_sketch_have_different_names() -> None:
    source = FactSource(random.Random(0), "check")
    assert len({fact.label.lower() for fact in distinct_facts(source, 50)}) == 50
    assert all(answer for _, answer in make_sketch(source).pairs)


def test_a_log_can_be_read_after_a_run_that_went_on(tmp_path: Path) -> None:
    log = Log(tmp_path, ["short"])
    log.add({"step": 1, "loss": 3.0})
    log.add({"step": 2, "loss": 2.5, "short": 0.1})
    Log(tmp_path, ["short"]).add({"step": 2, "loss": 2.0, "short": 0.2})
    assert read_log(tmp_path / "log.csv") == {"loss": [(1, 3.0), (2, 2.0)], "short": [(2, 0.2)]}


def test_curves_are_smoothed_by_running_means_and_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="only those who train need it")
    points = [(1, 4.0), (2, 2.0), (3, 0.0)]
    assert smooth(points, 2) == [(1, 4.0), (2, 3.0), (3, 1.0)]
    draw({"loss": points, "short": [(3, 0.5)]}, tmp_path / "curve.svg")
    assert "<svg" in (tmp_path / "curve.svg").read_text(encoding="utf-8")


def test_held_out_rows_are_those_that_no_training_sees_and_nothing_is_checked_on(tmp_path: Path) -> None:
    article = {"document": "Chloroplast", "language": "es", "question": "¿Qué?", "answers": []}
    rows = {
        "train/xquad": [
            article | {"source": "xquad", "context": "uno"},
            article | {"source": "xquad", "context": "dos"},
            article | {"source": "xquad", "context": "tres", "document": "Normans"},
            article | {"source": "xquad", "context": "four", "document": "Normans", "language": "en"},
            article | {"source": "xquad", "context": "fünf", "language": "de"},
        ],
        "train/squad_es": [article | {"source": "squad_es", "context": "seis"}],
        "train/piaf": [],
        "dev/short": [article | {"source": "squad20_dev", "context": " dos"}],
    }
    for name, lines in rows.items():
        file = tmp_path / f"{name}.jsonl.gz"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode()))
    assert [row["context"] for row in held_out_rows(tmp_path)] == ["uno", "four"]
