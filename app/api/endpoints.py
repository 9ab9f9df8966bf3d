"""The endpoints: `encode` reads a document once, `ask` answers from it, `caption` tells of a picture."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components.api_component import Api
from gradio_client.utils import python_type_to_json_schema

from app.api.handle_store import HandleStore
from app.documents import DocumentReader, ReadDocument
from app.faults import in_words
from app.questions import BATCH, checked_questions
from app.schemas import AnswersObject, DocumentObject, PictureObject, answers_object, document_object, picture_object
from app.serving.provider import EngineProvider
from app.serving.streams import streamed
from app.sessions.jobs import Job
from app.sessions.pictures import Pictures
from app.sessions.session_store import SessionStore
from app.sessions.viewed import Loaded
from app.turns import checked_turns
from app.web.checked_blocks import upload_parameter
from app.web.identity import person_of
from model.errors import Cancelled, QuestionError
from model.types import Answer, EncodedDocument, Progress, ProgressCallback

if TYPE_CHECKING:
    from app.captions import Request


class EncodedObject(DocumentObject):
    """What `encode` returns: `document` is the handle that `ask` takes."""

    document: str


class Endpoints:
    """Typed functions over uploaded files. At the engine they take turns with the page's own work."""

    def __init__(
        self, *, reader: DocumentReader, provider: EngineProvider, handle_store: HandleStore, sessions: SessionStore
    ) -> None:
        self._reader = reader
        self._provider = provider
        self._handles = handle_store
        self._sessions = sessions

    def publish(self, demo: gr.Blocks) -> None:
        """Name the endpoints, inside the `gr.Blocks`. Each is an MCP tool of the same name, too."""
        endpoints: tuple[tuple[Callable, list[Api], type], ...] = (
            (
                self.encode,
                [upload_parameter("file"), _value("pages", str, ""), _value("password", str, "")],
                EncodedObject,
            ),
            (
                self.ask,
                [_value("questions", list[str]), _value("documents", list[str]), _value("turns", list[list[str]], [])],
                AnswersObject,
            ),
            (
                self.caption,
                [upload_parameter("file"), _value("task", str, "caption"), _value("question", str, "")],
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
                concurrency_limit=None,  # each waits for its own turn at the engine
            )
        demo.unload(self._leave)

    async def encode(
        self,
        request: gr.Request,
        file: Any,
        pages: str = "",
        password: str = "",
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - so that Gradio hands one in
    ) -> EncodedObject:
        """Read a document once, so that any number of questions can be asked about it afterwards.

        Args:
            file: The document: PDF, office file, mail, web page, EPUB, picture, scan or text, uploaded
            pages: Which of its pages to read, for example 3-10,12; empty for all
            password: The password of an encrypted PDF

        Returns:
            name, pages, tokens, cache_bytes, encode_seconds, and document: the handle that ask takes
        """
        with self._work(request) as job:
            read = self._read(job, file, pages, password, progress)
            (result,) = [result async for result in streamed(job, read)]
            return result

    async def ask(
        self, request: gr.Request, questions: list[str], documents: list[str], turns: list[list[str]] | None = None
    ) -> AsyncIterator[AnswersObject]:
        """Answer questions from documents that were read by encode; nothing is read again.

        Args:
            questions: The questions, at most 500
            documents: The handles that encode returned; several documents are answered from together
            turns: Earlier turns that the questions follow up, pairs of a question and its answer; none by default

        Returns:
            documents: what was read; answers: question, answer, found, confidence, doubtful, seconds, and evidence with
            document, page, quote and hidden
        """
        with self._work(request) as job:
            async for answers in streamed(job, self._answers(job, questions, documents, turns or [])):
                yield answers

    async def caption(
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
        with self._work(request) as job:
            described = self._described(job, file, _request(task, question), progress)
            (result,) = [result async for result in streamed(job, described)]
            return result

    def forget(self, request: gr.Request, document: str) -> str:
        """Free a document that encode has read. Without this it is freed some minutes after its last question.

        Args:
            document: The handle that encode returned

        Returns:
            The handle, which is no longer valid
        """
        self._handles.forget(_caller(request), document)
        return document

    def _leave(self, request: gr.Request) -> None:
        """A connection has closed."""
        self._handles.leave(_caller(request))

    @contextmanager
    def _work(self, request: gr.Request) -> Iterator[Job]:
        """Work for a caller. An error reaches it in words, without the paths and lines of this computer."""
        try:
            with self._handles.working(_caller(request)) as job:
                yield job
        except gr.Error:
            raise
        except Exception as error:
            raise gr.Error(in_words(error), print_exception=False) from error

    def _read(self, job: Job, file: Any, pages: str, password: str, progress: gr.Progress) -> Iterator[EncodedObject]:
        """The one result of `encode`."""
        with self._open(job, file, pages, password, progress) as read:
            encoded = self._encode(job, read, progress)
            loaded = Loaded(document=encoded.document, encoded=encoded, pictures=Pictures(read.images), file_bytes=0)
        if job.cancelled():
            raise Cancelled("{name} was not kept: its sender is gone.", name=encoded.document.name)
        yield {"document": self._handles.put(job.client, loaded), **document_object(encoded)}

    def _answers(
        self, job: Job, questions: list[str], documents: list[str], turns: list[list[str]]
    ) -> Iterator[AnswersObject]:
        """All answers so far, after each batch."""
        history = checked_turns(turns)
        asked = checked_questions(_texts(questions, "questions"))
        with self._handles.using(job.client, _texts(documents, "documents")) as encoded:
            engine = self._provider.engine(job)
            answered: list[Answer] = []
            for first in range(0, len(asked), BATCH):
                batch = asked[first : first + BATCH]
                with self._provider.scheduler.answering(job, len(batch)):
                    *_, answers = engine.answer_batch(encoded, batch, history=history, cancelled=job.cancelled)
                answered += answers
                yield answers_object(encoded, answered)

    def _described(self, job: Job, file: Any, wanted: "Request", progress: gr.Progress) -> Iterator[PictureObject]:
        """The one result of `caption`."""
        from app.captions import describe  # it imports torch, which the page does not wait for

        with self._open(job, file, "", "", progress) as read:
            encoded = self._encode(job, read, progress)
            with self._provider.scheduler.answering(job):
                *_, captions = describe(self._provider.engine(job), encoded, [wanted], read.picture, job.cancelled)
        yield picture_object(captions)

    @contextmanager
    def _open(self, job: Job, file: Any, pages: str, password: str, progress: gr.Progress) -> Iterator[ReadDocument]:
        """Read an upload. Its pictures are needed only while it is encoded or captioned."""
        path = Path(file["path"])  # the caller's own upload: `CheckedBlocks` lets nothing else in
        name, data = path.name, path.read_bytes()
        with self._sessions.reserved(job.client, name, len(data)):
            read = self._reader.read(
                data,
                name=name,
                pages=pages or None,
                password=password or None,
                caller=job.client,
                progress=_shown_by(progress),
                cancelled=job.cancelled,
            )
            try:
                yield read
            finally:
                read.images.close()

    def _encode(self, job: Job, read: ReadDocument, progress: gr.Progress) -> EncodedDocument:
        engine = self._provider.engine(job)
        plan = engine.plan(read.document, views="auto")
        with (
            self._sessions.reserved(job.client, read.document.name, plan.cache_bytes),
            self._provider.scheduler.reading(job, plan.token_count) as pause,
        ):
            return engine.encode(
                plan,
                picture=read.picture,
                progress=_shown_by(progress),
                cancelled=job.cancelled,
                pause=pause,
            )


def _caller(request: gr.Request) -> str:
    """Who calls, and over which connection: MCP callers, of several people, share one."""
    return f"{person_of(request)} {request.session_hash}".strip()


def _value(name: str, kind: Any, default: Any = None) -> Api:
    """A parameter or a result of this type."""
    return Api(default, python_type_to_json_schema(kind), name)


def _texts(value: Any, name: str) -> list[str]:
    """Gradio does not check what a program sends against the type that it publishes."""
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise QuestionError("{name} is {value!r}: send a list of strings.", name=name, value=str(value)[:80])
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
    raise QuestionError(
        "task is {task!r}: send one of {tasks}; the last one with a question.", task=task[:40], tasks=", ".join(TASKS)
    )
