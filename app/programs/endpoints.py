"""The endpoints: `encode` reads a document once, `ask` answers from it as often as one likes, `forget` frees it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr
from gradio.components.api_component import Api
from gradio_client.utils import python_type_to_json_schema

from app.documents import DocumentReader
from app.objects import AnswersObject, DocumentObject, answers_object, document_object
from app.page.checkpoint_choice import CheckpointChoice
from app.page.faults import in_words
from app.programs.shelf import Shelf
from app.programs.upload import upload, uploaded
from app.questions import BATCH, checked_questions
from app.sessions.pictures import Pictures
from app.sessions.session import Loaded
from model.errors import QuestionError
from model.types import Answer, Progress, ProgressCallback

AT_ONCE = 4  # programs that are heard; they take turns at the engine, and more wait in the queue


class EncodedObject(DocumentObject):
    """What `encode` returns: `document` is the handle that `ask` takes."""

    document: str


class Endpoints:
    """Typed functions over uploaded files. At the engine they take turns with the page's own work."""

    def __init__(self, *, reader: DocumentReader, choice: CheckpointChoice, shelf: Shelf) -> None:
        self._reader = reader
        self._choice = choice
        self._shelf = shelf

    def publish(self, demo: gr.Blocks) -> None:
        """Name the endpoints, inside the `gr.Blocks`. Each is an MCP tool of the same name, too."""
        endpoints: tuple[tuple[Callable, list[Api], type], ...] = (
            (self.encode, [upload("file"), _value("pages", str, ""), _value("password", str, "")], EncodedObject),
            (self.ask, [_value("questions", list[str]), _value("documents", list[str])], AnswersObject),
            (self.forget, [_value("document", str)], str),
        )
        for function, inputs, output in endpoints:
            gr.on(
                [],
                function,
                inputs,
                _value(function.__name__, output),
                api_name=function.__name__,
                preprocess=False,
                postprocess=False,
                show_progress="hidden",
                concurrency_id="programs",
                concurrency_limit=AT_ONCE,
            )
        demo.unload(self._leave)

    def encode(
        self,
        request: gr.Request,
        file: Any,
        pages: str = "",
        password: str = "",
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - so that Gradio hands one in
    ) -> EncodedObject:
        """Read a document once, so that any number of questions can be asked about it afterwards.

        Args:
            file: The document: PDF, EPUB, picture, scan, text or Markdown, uploaded
            pages: Which of its pages to read, for example 3-10,12; empty for all
            password: The password of an encrypted PDF

        Returns:
            name, pages, tokens, cache_bytes, encode_seconds, and document: the handle that ask takes
        """
        with told():
            name, data = uploaded(file)
            loaded = self._read(name, data, pages, password, _shown_by(progress))
            handle = self._shelf.put(str(request.session_hash), loaded)
            return {"document": handle, **document_object(loaded.encoded)}

    def ask(self, request: gr.Request, questions: list[str], documents: list[str]) -> Iterator[AnswersObject]:
        """Answer questions from documents that were read by encode; nothing is read again.

        Args:
            questions: The questions, at most 500
            documents: The handles that encode returned; several documents are answered from together

        Returns:
            documents: what was read; answers: question, answer, seconds, and evidence with document, page and quote
        """
        with told():
            asked = checked_questions(_texts(questions, "questions"))
            loaded = self._shelf.take(str(request.session_hash), _texts(documents, "documents"))
            encoded = [one.encoded for one in loaded]
            engine = self._choice.engine(never)
            answered: list[Answer] = []
            for first in range(0, len(asked), BATCH):
                with self._choice.turns.answering(never):
                    *_, batch = engine.answer_batch(encoded, asked[first : first + BATCH])
                answered += batch
                yield answers_object(encoded, answered)

    def forget(self, request: gr.Request, document: str) -> str:
        """Free a document that encode has read. Without this it is freed some minutes after its last question.

        Args:
            document: The handle that encode returned

        Returns:
            The handle, which is no longer valid
        """
        self._shelf.forget(str(request.session_hash), document)
        return document

    def _leave(self, request: gr.Request) -> None:
        """A connection has closed."""
        self._shelf.leave(str(request.session_hash))

    def _read(self, name: str, data: bytes, pages: str, password: str, report: ProgressCallback) -> Loaded:
        read = self._reader.read(data, name=name, pages=pages or None, password=password or None, progress=report)
        try:
            engine = self._choice.engine(never)
            with self._choice.turns.reading(never) as cancelled:
                encoded = engine.encode(
                    read.document, views="auto", picture=read.picture, progress=report, cancelled=cancelled
                )
        finally:
            read.images.close()  # programs look at no pictures
        return Loaded(document=read.document, encoded=encoded, pictures=Pictures(read.images), file_bytes=0)


def _value(name: str, kind: Any, default: str | None = None) -> Api:
    """A parameter or a result of this type."""
    return Api(default, python_type_to_json_schema(kind), name)


def _texts(value: Any, name: str) -> list[str]:
    """Gradio does not check what a program sends against the type that it publishes."""
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise QuestionError(f"{name} is {str(value)[:80]!r}: send a list of strings.")
    return value


def _shown_by(progress: gr.Progress) -> ProgressCallback:
    def report(done: Progress) -> None:
        progress((done.done, done.total), desc=done.stage, unit=done.unit)

    return report


def never() -> bool:
    """Nobody can stop this."""
    return False


@contextmanager
def told() -> Iterator[None]:
    """An error reaches the caller in words, and without the paths and lines of this computer."""
    try:
        yield
    except gr.Error:
        raise
    except Exception as error:
        raise gr.Error(in_words(error), print_exception=False) from error
