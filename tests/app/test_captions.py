"""Captions: pictures of every kind as bytes, through the worker, by a checkpoint with eyes and by one without."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.captions import NOTHING_KNOWN, Caption, Request, describe
from app.documents import DocumentReader
from model.encoder.vision.tags import POSSIBLE, Tagger, sentence
from model.engine import Engine
from model.errors import DocumentError, QuestionError
from tests.helpers.command import Run
from tests.helpers.documents import encoded, pdf, picture, written
from tests.helpers.pictures import KINDS, crossword
from tests.helpers.tiny import tiny_checkpoint

WHO = Request(task="question", question="Who?")
ALL = [Request(task="caption"), Request(task="detailed"), Request(task="read"), WHO]


@pytest.fixture(scope="module")
def reader() -> Iterator[DocumentReader]:
    with DocumentReader() as reader:
        yield reader


@pytest.fixture(scope="module")
def seeing() -> Engine:
    return Engine(tiny_checkpoint())


@pytest.fixture(scope="module")
def blind(seeing: Engine) -> Engine:
    return Engine(replace(seeing.checkpoint, name="embedded", image_processor=None))


def captions(engine: Engine, reader: DocumentReader, data: bytes, name: str = "a.png") -> tuple[Caption, ...]:
    read = reader.read(data, name=name)
    document = engine.encode(read.document, views="auto", picture=read.picture)
    before = engine.encoder_tokens
    *_, last = describe(engine, document, ALL, read.picture)
    assert engine.encoder_tokens == before  # encoded once for all of them
    assert all(one.finished and one.text for one in last)
    return last


@pytest.mark.parametrize("name", KINDS)
def test_a_thing_is_named_whatever_the_format(name: str, blind: Engine, reader: DocumentReader) -> None:
    short, detailed, *_ = captions(blind, reader, KINDS[name](crossword()), name)
    assert short.by == detailed.by == "image tags"
    assert "crossword" in short.text and "crossword" in detailed.text


def test_a_checkpoint_with_eyes_captions_what_it_encoded(seeing: Engine, reader: DocumentReader) -> None:
    found = captions(seeing, reader, encoded(crossword(), "PNG"))
    assert [one.by for one in found] == ["model", "model", "text recognition", "model"]


def test_writing_is_read_and_quoted(blind: Engine, reader: DocumentReader) -> None:
    short, _, read, answer = captions(blind, reader, encoded(picture("Order 4711 for", "Ms Okafor"), "PNG"))
    assert read.by == "text recognition" and "4711" in read.text and "Okafor" in read.text
    assert "mostly white, with the writing “Order 4711" in short.text
    assert answer.by == "model, from the writing"


def test_what_is_not_known_is_not_guessed(blind: Engine, reader: DocumentReader) -> None:
    short, detailed, read, answer = captions(blind, reader, encoded(Image.new("RGB", (300, 200), "white"), "PNG"))
    assert short.text == "I don't recognise what is in this picture, which is mostly white."
    assert detailed.text.startswith(short.text) and "none" not in detailed.text
    assert read.text == "No writing was found in the picture."
    assert answer.text == NOTHING_KNOWN


def test_a_document_of_several_pages_is_no_picture(blind: Engine, reader: DocumentReader) -> None:
    with pytest.raises(DocumentError, match="has 2 pages: captions are for single pictures"):
        captions(blind, reader, pdf(written("One."), written("Two.")), "two.pdf")


def test_an_empty_question_is_refused(seeing: Engine, reader: DocumentReader) -> None:
    read = reader.read(encoded(crossword(), "PNG"), name="a.png")
    document = seeing.encode(read.document, views="auto", picture=read.picture)
    with pytest.raises(QuestionError, match="empty"):
        list(describe(seeing, document, [Request(task="question", question=" ")], read.picture))


def test_tags_say_how_sure_they_are() -> None:
    tags = Tagger().tags(np.asarray(crossword()))
    assert len(tags) == 5 and 0 < sum(tag.score for tag in tags) <= 1.001
    assert [tag.score for tag in tags] == sorted((tag.score for tag in tags), reverse=True)
    assert f"({tags[0].score:.0%})" in sentence(tags) and tags[0].score >= POSSIBLE


def test_the_command_captions_several_pictures(command: Run, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(encoded(picture("Order 4711"), "PNG"))
    ran = command("caption", tmp_path / "a.png", tmp_path / "b.png", "--read", "--detailed", "-q", "Who?", "--json")
    images = json.loads(ran.out)["images"]
    assert [image["name"] for image in images] == ["a.png", "b.png"]
    assert [one["task"] for one in images[0]["captions"]] == ["detailed", "read", "question"]
    assert "4711" in images[0]["captions"][1]["text"]
    assert "[text recognition]" in command("caption", tmp_path / "a.png", "--read").out
    (tmp_path / "two.pdf").write_bytes(pdf(written("One."), written("Two.")))
    assert "has 2 pages" in command("caption", tmp_path / "two.pdf").complaint
