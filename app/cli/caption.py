"""`caption`: what pictures show and say."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from app.captions import Caption, Request, check_picture, describe
from app.cli.progress import ProgressLine
from app.cli.reading import Selection, load_engine, open_reader, tell_unreadable
from app.cli.terminal import harmless
from app.documents import DocumentReader
from app.schemas import picture_object
from model.answering.questions import checked_question
from model.engine import Engine


def caption(arguments: argparse.Namespace) -> None:
    requests = _requests(arguments)
    line = ProgressLine(sys.stderr, log_seconds=arguments.log_seconds)
    selection = Selection.of(arguments, arguments.files)
    try:
        with open_reader() as reader:
            engine = load_engine(selection.model, line)
            found = [_captions(engine, reader, path, selection, requests, line) for path in selection.files]
    finally:
        line.clear()
    print(as_json(engine, found) if arguments.json else as_text(found))


def _requests(arguments: argparse.Namespace) -> list[Request]:
    """What the options ask for; a caption where they ask for nothing."""
    wanted = [Request(task="question", question=checked_question(question)) for question in arguments.questions]
    if arguments.read:
        wanted.insert(0, Request(task="read"))
    if arguments.detailed or not wanted:
        wanted.insert(0, Request(task="detailed" if arguments.detailed else "caption"))
    return wanted


def _captions(
    engine: Engine,
    reader: DocumentReader,
    path: Path,
    selection: Selection,
    requests: Sequence[Request],
    line: ProgressLine,
) -> tuple[Caption, ...]:
    progress = line.of(path.name)
    read = reader.read(path, name=path.name, password=selection.password, pages=selection.pages, progress=progress)
    tell_unreadable(read, line)
    encoded = engine.encode(
        read.document,
        views=selection.views,
        picture=read.picture,
        pan_and_scan=selection.pan_and_scan,
        progress=progress,
    )
    check_picture(encoded)
    *_, last = describe(engine, encoded, requests, read.picture)
    read.images.close()
    return last


def as_text(found: Sequence[tuple[Caption, ...]]) -> str:
    """A paragraph for each picture; every caption says what it comes from."""
    paragraphs = []
    for captions in found:
        lines = [harmless(captions[0].document)]
        for one in captions:
            asked = one.request.question or one.request.task
            text = "\n    ".join(map(harmless, one.text.splitlines()))
            lines.append(f"  {harmless(asked)}: {text}\n    [{one.by}]")
        paragraphs.append("\n".join(lines))
    return "\n\n".join(paragraphs)


def as_json(engine: Engine, found: Sequence[tuple[Caption, ...]]) -> str:
    """The object that other programs read."""
    images = [picture_object(captions) for captions in found]
    return json.dumps({"checkpoint": engine.checkpoint.name, "images": images}, ensure_ascii=False, indent=2)
