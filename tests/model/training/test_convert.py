"""Laws of converting public sets."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from model.training.conversions import written
from model.training.convert import SETS, converted
from model.training.recipe import SOURCES

CONTEXT = "A universidade foi fundada em 1962 em  Brasília."


def cloned(folder: Path, name: str, files: dict[str, Any]) -> Path:
    """A clone of a set's repository with these files."""
    clone = folder / SETS[name].repository.replace("/", "+")
    for path, content in files.items():
        (clone / path).parent.mkdir(parents=True, exist_ok=True)
        (clone / path).write_text(json.dumps(content), encoding="utf-8")
    author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    for command in (["init", "-q"], ["add", "."], [*author, "commit", "-q", "-m", "data"]):
        subprocess.run(["git", "-C", str(clone), *command], check=True)
    return folder


def squad(title: str, *asked: tuple[str, list[str]]) -> dict[str, Any]:
    questions = [{"question": question, "answers": [{"text": text} for text in answers]} for question, answers in asked]
    return {"data": [{"title": title, "paragraphs": [{"context": CONTEXT, "qas": questions}]}]}


def test_rows_come_from_the_clone_without_a_work_tree(tmp_path: Path) -> None:
    one = squad("UnB", ("Quando?", ["1962", "1962", "em 1962"]), ("Quando?", ["1962"]), ("Onde?", []))
    clones = cloned(tmp_path, "faquad", {"data/train.json": one, "data/dev.json": {"data": []}})
    (clones / "liafacom+faquad/data/train.json").unlink()
    first, second = converted("faquad", clones, set())
    assert (first["question"], first["answers"], first["language"]) == ("Quando?", ["1962", "em 1962"], "pt")
    assert first["context"] == CONTEXT.replace("  ", " ")
    assert (second["question"], second["answers"]) == ("Onde?", [])


def test_answers_that_the_text_lacks_and_checked_articles_are_left_out(tmp_path: Path) -> None:
    one, other = squad("UnB", ("Quando?", ["1963"])), squad("Lake_Paranoá", ("Quando?", ["1962"]))
    clones = cloned(tmp_path, "faquad", {"data/train.json": one, "data/dev.json": other})
    assert list(converted("faquad", clones, {"lake paranoá"})) == []


def test_words_that_a_parser_took_apart_are_put_together() -> None:
    assert written("The `` first '' part -LRB- of two -RRB- , it 's said .") == 'The "first" part (of two), it\'s said.'


def test_a_converted_set_is_named_as_the_recipe_names_it() -> None:
    """Version 7's mixture learns from one of them; the others were in those of versions 2 to 6."""
    files = {file.partition(":")[0] for files in SOURCES.values() for file in files}
    assert set(SETS) & files == {"timeqa_human"}
