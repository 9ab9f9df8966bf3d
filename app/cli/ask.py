"""`ask`: questions about documents, answered on standard output."""

import argparse
import json
import sys
from collections.abc import Sequence

from app.cli.progress import ProgressLine
from app.cli.reading import Selection, load_engine, read_once
from app.cli.terminal import harmless
from app.library.values import StoredDocument
from app.provenance import DOUBT, counted, library_receipt, receipt
from app.schemas import answers_object, stored_answers_object
from app.settings import Settings
from app.turns import read_turns
from model.answering.questions import checked_question
from model.engine import Engine
from model.errors import QuestionError
from model.types import Answer, EncodedDocument, GenerationOptions, Turn


def ask(arguments: argparse.Namespace) -> None:
    questions = [checked_question(question) for question in arguments.questions]
    if bool(arguments.files) + arguments.all + (arguments.folder is not None) != 1:
        raise QuestionError("Name the files to ask, or take one of --all and --in FOLDER for the library.")
    turns = read_turns(arguments.turns) if arguments.turns else ()
    options = GenerationOptions(whole_document=arguments.whole_document)
    if not arguments.files:
        _ask_library(arguments, questions, turns, options)
        return
    line = ProgressLine(sys.stderr, log_seconds=arguments.log_seconds)
    selection = Selection.of(arguments, arguments.files)
    try:
        engine, encoded = read_once(selection, line)
        answers = []
        for question in questions:
            answers.append(_answer(engine, encoded, question, turns, options, line))
            if not arguments.json:
                line.clear()
                print(as_text(answers[-1], receipt(encoded, answers[-1])), flush=True)
    finally:
        line.clear()
    if arguments.json:
        print(_json(answers_object(encoded, answers)))


def _ask_library(
    arguments: argparse.Namespace, questions: Sequence[str], turns: Sequence[Turn], options: GenerationOptions
) -> None:
    """Ask everything, or a folder: each question is put to the passages that are found for it."""
    from app.cli.library import scope_of, the_library
    from app.library.excerpts import find_excerpts

    line, precision = ProgressLine(sys.stderr, log_seconds=arguments.log_seconds), Settings.load().precision
    with the_library() as library:
        engine = load_engine(arguments.model, line)
        answers: list[Answer] = []
        documents: dict[int, StoredDocument] = {}
        for question in questions:
            found = find_excerpts(
                library,
                question,
                scope_of(arguments.folder),
                engine=engine,
                precision=precision,
            )
            answer = _answer(engine, found.encodings, question, turns, options, line)
            answers.append(answer)
            documents |= {one.id: one for one in found.documents}
            if not arguments.json:
                line.clear()
                print(as_text(answer, library_receipt(found.searched, found.tokens, answer)), flush=True)
    line.clear()
    if arguments.json:
        print(_json(stored_answers_object(list(documents.values()), answers)))


def _answer(
    engine: Engine,
    encoded: Sequence[EncodedDocument],
    question: str,
    turns: Sequence[Turn],
    options: GenerationOptions,
    line: ProgressLine,
) -> Answer:
    answer = Answer(question=question)
    for answer in engine.answer(encoded, question, history=turns, options=options):
        line.say(f"answering: {counted(answer.tokens, 'token')}")
    return answer


def as_text(answer: Answer, cost: str) -> str:
    """The answer as a person reads it: what, from where, at what cost."""
    lines = [f"Q: {answer.question}", f"A: {answer.text}"]
    if answer.doubtful:
        lines.append(f"   {DOUBT}")
    for place in answer.evidence:
        quote = " ".join(place.quote.split())
        hidden = " (not visible on the page)" if place.hidden else ""
        lines.append(f"   {place.document}, page {place.page}{hidden}: “{quote}”")
    lines.append(f"   ({cost})")
    return "\n".join([*map(harmless, lines), ""])


def _json(answers: object) -> str:
    """The object that other programs read."""
    return json.dumps(answers, ensure_ascii=False, indent=2)
