"""Which handler answers to what on the page, and how the page is served."""

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from app.documents import DocumentReader
from app.page import panels
from app.page.asking import Asking
from app.page.checkpoint_choice import CheckpointChoice
from app.page.handlers import Handlers
from app.page.layout import Layout
from app.page.reading import Reading
from app.page.sample import ASSETS, Sample
from app.page.screen import Screen
from app.page.theme import calm_theme
from app.page.update import Update
from app.programs.endpoints import Endpoints
from app.programs.shelf import Shelf
from app.sessions.library import Library
from app.settings import Settings
from model.errors import ReadonceError

UPLOAD_AGE_SECONDS = 600  # an upload is deleted when it is read; this is for what was never read
QUEUE_LENGTH = 64
ENGINE = "engine"  # reading and answering take turns: together they would only slow each other down
PICTURES = "pictures"

Outputs = tuple[Any, ...]


def build_demo(choice: CheckpointChoice, reader: DocumentReader, settings: Settings, sample: Sample) -> gr.Blocks:
    """The page, ready to be served."""
    library = Library(capacity_bytes=settings.library_bytes, linger_seconds=60 * settings.linger_minutes)
    handlers = Handlers(
        screen=Screen(choice=choice, sample=sample),
        reading=Reading(reader=reader, choice=choice, library=library),
        asking=Asking(choice=choice, library=library),
        library=library,
        sample=sample,
    )
    with gr.Blocks(
        analytics_enabled=False, title="Readonce", fill_width=True, delete_cache=(60, UPLOAD_AGE_SECONDS)
    ) as demo:
        layout = Layout(ASSETS, banner=panels.banner(choice.state))
        shelf = Shelf(library, idle_seconds=60 * settings.linger_minutes)
        Endpoints(reader=reader, choice=choice, shelf=shelf).publish(demo)
        Wiring(demo, layout, handlers, choice).connect()
    return demo.queue(max_size=QUEUE_LENGTH, api_open=False)


def serve(demo: gr.Blocks, settings: Settings) -> None:
    """Serve the page until the person ends it. Nothing is shared, listed or loaded from elsewhere."""
    demo.launch(
        server_name=settings.host,
        server_port=settings.port,
        share=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=True,
        enable_monitoring=False,
        run_history=False,
        show_error=True,
        footer_links=[],
        allowed_paths=[],
        max_file_size=settings.file_bytes,
        theme=calm_theme(),
        css_paths=[ASSETS / "style.css"],
    )


class Wiring:
    """Connects the components to the handlers."""

    def __init__(self, demo: gr.Blocks, layout: Layout, handlers: Handlers, choice: CheckpointChoice) -> None:
        self._demo = demo
        self._page = layout
        self._handlers = handlers
        self._choice = choice

    def connect(self) -> None:
        self._connect_tab()
        self._connect_documents()
        self._connect_questions()

    def _connect_tab(self) -> None:
        page, handlers = self._page, self._handlers

        def enter(remembered: str, request: gr.Request) -> Outputs:
            session_id, update = handlers.enter(str(request.session_hash), remembered)
            return session_id, session_id, *page.changes(update)

        def leave(request: gr.Request) -> None:
            handlers.leave(str(request.session_hash))

        def look() -> Outputs:
            state = self._choice.state
            return panels.banner(state), gr.Timer(active=state.phase == "loading")

        hidden: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
        self._demo.load(enter, [page.browser], [page.session, page.browser, *page.outputs], **hidden)
        self._demo.unload(leave)
        page.clock.tick(look, None, [page.banner, page.clock], **hidden)

    def _connect_documents(self) -> None:
        page, handlers = self._page, self._handlers
        receive = self._on(page.drop.upload, handlers.receive, page.drop)
        receive.then(lambda: None, None, page.drop, show_progress="hidden", queue=False, api_visibility="private")
        unlock = self._on([page.unlock.click, page.password.submit], handlers.unlock, page.password)
        for arrival in (receive, self._on(page.sample.click, handlers.take_sample), unlock):
            self._on(arrival.then, handlers.read, concurrency_id=ENGINE)
        self._on(page.leave_locked.click, handlers.leave_locked)
        self._on(page.reading.cancel, handlers.cancel)
        self._on(page.messages.dismiss, handlers.dismiss)
        self._on(page.documents.tick, handlers.tick)
        self._on(page.documents.forget, handlers.forget)
        self._on(page.documents.forget_all, handlers.forget_all)
        for panel in (page.documents, page.pages, page.conversation):
            self._on(panel.open, handlers.open, concurrency_id=PICTURES, concurrency_limit=4)

    def _connect_questions(self) -> None:
        page, handlers = self._page, self._handlers
        posed = self._on([page.question.submit, page.ask.click], handlers.pose, page.question)
        suggested = self._on(page.conversation.suggest, handlers.suggest)
        again = self._on(page.conversation.retry, handlers.retry)
        for question in (posed, suggested, again):
            self._on(question.then, handlers.answer, concurrency_id=ENGINE)
        self._on(page.stop.click, handlers.stop)
        self._on(page.clear.click, handlers.clear)
        page.unsent.change(None, [page.unsent, page.question], page.question, js="(unsent, typed) => typed || unsent")

    def _on(
        self,
        triggers: Any,
        handler: Callable[..., Any],
        value: gr.components.Component | None = None,
        *,
        concurrency_id: str | None = None,
        concurrency_limit: int = 1,
    ) -> Any:
        """Let a handler answer to triggers. What takes no time is not queued, so that it works while others do."""
        page = self._page
        options: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        if concurrency_id is None:
            options |= {"queue": False}
        else:
            options |= {"concurrency_id": concurrency_id, "concurrency_limit": concurrency_limit}
        inputs = [page.session] if value is None else [page.session, value]
        function = _with_outputs(handler)
        if isinstance(triggers, list):
            return gr.on(triggers, function, inputs, page.outputs, **options)
        return triggers(function, inputs, page.outputs, **options)


def _with_outputs(handler: Callable[..., Any]) -> Callable[..., Any]:
    """The handler as Gradio wants it: values for all outputs in place of an `Update`.

    A session that is gone is said in the page, under the question box.
    """
    if inspect.isgeneratorfunction(handler):

        @functools.wraps(handler)
        def stream(*arguments: Any) -> Iterator[Outputs]:
            yield Layout.changes(Update())  # Gradio empties all outputs of a generator that yields nothing
            try:
                yield from map(Layout.changes, handler(*arguments))
            except ReadonceError as error:
                yield Layout.changes(Update(problem=str(error)))

        return stream

    @functools.wraps(handler)
    def once(*arguments: Any) -> Outputs:
        try:
            return Layout.changes(handler(*arguments))
        except ReadonceError as error:
            return Layout.changes(Update(problem=str(error)))

    return once
