"""`ask`: questions about documents, answered on standard output."""

import argparse
import json
import sys
from collections.abc import Sequence

from app.cli.progress import ProgressLine
from app.cli.reading import Selection, read_once
from app.cli.terminal import harmless
from app.provenance import counted, receipt
from app.schemas import answers_object
from app.turns import read_turns
from model.answering.questions import checked_question
from model.engine import Engine
from model.types import Answer, EncodedDocument, GenerationOptions, Turn


def ask(arguments: argparse.Namespace) -> None:
    questions = [checked_question(question) for question in arguments.questions]
    turns = read_turns(arguments.turns) if arguments.turns else ()
    options = GenerationOptions(whole_document=arguments.whole_document)
    line = ProgressLine(sys.stderr)
    selection = Selection.of(arguments, arguments.files)
    try:
        engine, encoded = read_once(selection, line)
        answers = []
        for question in questions:
            answers.append(_answer(engine, encoded, question, turns, options, line))
            if not arguments.json:
                line.clear()
                print(as_text(encoded, answers[-1]), flush=True)
    finally:
        line.clear()
    if arguments.json:
        print(as_json(encoded, answers))


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


def as_text(encoded: Sequence[EncodedDocument], answer: Answer) -> str:
    """The answer as a person reads it: what, from where, at what cost."""
    lines = [f"Q: {answer.question}", f"A: {answer.text}"]
    if answer.doubtful:
        lines.append("   Not sure of this answer: check it on the pages.")
    for place in answer.evidence:
        quote = " ".join(place.quote.split())
        hidden = " (not visible on the page)" if place.hidden else ""
        lines.append(f"   {place.document}, page {place.page}{hidden}: “{quote}”")
    lines.append(f"   ({receipt(encoded, answer)})")
    return "\n".join([*map(harmless, lines), ""])


def as_json(encoded: Sequence[EncodedDocument], answers: Sequence[Answer]) -> str:
    """The object that other programs read."""
    return json.dumps(answers_object(encoded, answers), ensure_ascii=False, indent=2)
