"""The endpoints: `encode` reads a document once, `ask` answers from it, `caption` tells of a picture."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components.api_component import Api
from gradio_client.utils import python_type_to_json_schema

from app.api.handle_store import HandleStore
from app.api.upload import upload, uploaded
from app.documents import DocumentReader, ReadDocument
from app.page.checkpoint_choice import CheckpointChoice
from app.page.faults import in_words
from app.questions import BATCH, checked_questions
from app.schemas import AnswersObject, DocumentObject, PictureObject, answers_object, document_object, picture_object
from app.sessions.pictures import Pictures
from app.sessions.session import Loaded
from model.errors import QuestionError
from model.types import Answer, CancelledCallback, EncodedDocument, Progress, ProgressCallback

if TYPE_CHECKING:
    from app.captions import Request

AT_ONCE = 4  # programs that are heard; they take turns at the engine, and more wait in the queue


class EncodedObject(DocumentObject):
    """What `encode` returns: `document` is the handle that `ask` takes."""

    document: str


class Endpoints:
    """Typed functions over uploaded files. At the engine they take turns with the page's own work."""

    def __init__(self, *, reader: DocumentReader, choice: CheckpointChoice, handle_store: HandleStore) -> None:
        self._reader = reader
        self._choice = choice
        self._shelf = handle_store

    def publish(self, demo: gr.Blocks) -> None:
        """Name the endpoints, inside the `gr.Blocks`. Each is an MCP tool of the same name, too."""
        endpoints: tuple[tuple[Callable, list[Api], type], ...] = (
            (self.encode, [upload("file"), _value("pages", str, ""), _value("password", str, "")], EncodedObject),
            (self.ask, [_value("questions", list[str]), _value("documents", list[str])], AnswersObject),
            (
                self.caption,
                [upload("file"), _value("task", str, "caption"), _value("question", str, "")],
                PictureObject,
            ),
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
        with self._work(request) as (caller, cancelled), self._open(file, pages, password, progress) as read:
            encoded = self._encode(read, progress, cancelled)
            loaded = Loaded(document=encoded.document, encoded=encoded, pictures=Pictures(read.images), file_bytes=0)
            return {"document": self._shelf.put(caller, loaded), **document_object(encoded)}

    def ask(self, request: gr.Request, questions: list[str], documents: list[str]) -> Iterator[AnswersObject]:
        """Answer questions from documents that were read by encode; nothing is read again.

        Args:
            questions: The questions, at most 500
            documents: The handles that encode returned; several documents are answered from together

        Returns:
            documents: what was read; answers: question, answer, seconds, and evidence with document, page and quote
        """
        with self._work(request) as (caller, cancelled):
            asked = checked_questions(_texts(questions, "questions"))
            encoded = [one.encoded for one in self._shelf.take(caller, _texts(documents, "documents"))]
            engine = self._choice.engine(cancelled)
            answered: list[Answer] = []
            for first in range(0, len(asked), BATCH):
                with self._choice.turns.answering(cancelled):
                    *_, batch = engine.answer_batch(encoded, asked[first : first + BATCH], cancelled=cancelled)
                answered += batch
                yield answers_object(encoded, answered)

    def caption(
        self,
        request: gr.Request,
        file: Any,
        task: str = "caption",
        question: str = "",
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - so that Gradio hands one in
    ) -> PictureObject:
        """Say what a picture shows or says. Each caption tells what it comes from: the model, image tags, or OCR.

        Args:
            file: The picture, or a document of one page, uploaded
            task: caption, detailed, read (the writing in it) or question
            question: What to answer, for the task of that name

        Returns:
            name, and captions with task, question, text, and by: what says it
        """
        from app.captions import describe  # it imports torch, which the page does not wait for

        with self._work(request) as (_, cancelled):
            wanted = [_request(task, question)]
            with self._open(file, "", "", progress) as read:
                encoded = self._encode(read, progress, cancelled)
                with self._choice.turns.answering(cancelled):
                    *_, captions = describe(self._choice.engine(cancelled), encoded, wanted, read.picture, cancelled)
            return picture_object(captions)

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

    @contextmanager
    def _work(self, request: gr.Request) -> Iterator[tuple[str, CancelledCallback]]:
        """Work for a caller. An error reaches it in words, without the paths and lines of this computer."""
        caller = str(request.session_hash)
        try:
            with self._shelf.working(caller) as gone:
                yield caller, gone
        except gr.Error:
            raise
        except Exception as error:
            raise gr.Error(in_words(error), print_exception=False) from error

    @contextmanager
    def _open(self, file: Any, pages: str, password: str, progress: gr.Progress) -> Iterator[ReadDocument]:
        """Read an upload. Its pictures are needed only while it is encoded or captioned."""
        name, data = uploaded(file)
        read = self._reader.read(
            data, name=name, pages=pages or None, password=password or None, progress=_shown_by(progress)
        )
        try:
            yield read
        finally:
            read.images.close()

    def _encode(self, read: ReadDocument, progress: gr.Progress, cancelled: CancelledCallback) -> EncodedDocument:
        engine = self._choice.engine(cancelled)
        with self._choice.turns.reading(cancelled) as cancelled:
            return engine.encode(
                read.document, views="auto", picture=read.picture, progress=_shown_by(progress), cancelled=cancelled
            )


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


def _request(task: str, question: str) -> "Request":
    from app.captions import TASKS, Request

    for known in TASKS:
        if known == task and (question.strip() or known != "question"):
            return Request(task=known, question=question)
    raise QuestionError(f"task is {task[:40]!r}: send one of {', '.join(TASKS)}; the last one with a question.")
