"""Which handler answers to what on the page."""

import functools
import inspect
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import gradio as gr

from app.api.endpoints import Endpoints
from app.api.handle_store import HandleStore
from app.api.openai.service import Service
from app.documents import DocumentReader
from app.faults import in_words
from app.languages import Language, Languages
from app.page import panels
from app.page.asking import Asking
from app.page.captions import Captioning, CaptionsTab
from app.page.handlers import Handlers
from app.page.layout import Layout
from app.page.library import LibraryHandlers
from app.page.many_questions import ManyQuestions
from app.page.overview import Overviews
from app.page.reading import Reading
from app.page.sample import ASSETS, Sample
from app.page.screen import Screen
from app.page.stored import Storage
from app.page.tabs.many import ManyHandlers
from app.page.tabs.overview import InsideHandlers
from app.page.update import Update
from app.serving.provider import EngineProvider
from app.sessions.session_store import SessionStore
from app.settings import Settings
from app.web.checked_blocks import CheckedBlocks
from app.web.identity import person_of
from app.web.uploads import Uploads

MOST_EVENTS = 2_048  # at once: every tab that watches is one, and whatever a program waits for

TAKE_DOWNLOAD = "() => setTimeout(() => document.querySelector('#download').click(), 300)"

Outputs = tuple[Any, ...]


def build_demo(
    provider: EngineProvider,
    reader: DocumentReader,
    sessions: SessionStore,
    settings: Settings,
    sample: Sample,
    uploads: Uploads,
    folder: Path,
    storage: Storage,
) -> tuple[CheckedBlocks, Service]:
    """The page, ready to be served, and what answers `/v1`. `folder`: where files are made for people to take."""
    linger_seconds = 60 * settings.linger_minutes
    reading = Reading(reader=reader, provider=provider, sessions=sessions, storage=storage)
    handlers = Handlers(
        screen=Screen(provider=provider, sample=sample, capacity_bytes=settings.library_bytes, storage=storage),
        reading=reading,
        asking=Asking(provider=provider, sessions=sessions, reading=reading, storage=storage),
        sessions=sessions,
        sample=sample,
        folder=folder,
    )
    languages = Languages()
    with CheckedBlocks(uploads, languages, analytics_enabled=False, title="Readonce", fill_width=True) as demo:
        say = gr.I18n(**languages.fixed_texts())
        layout = Layout(
            ASSETS,
            say,
            banner=panels.banner(provider.state),
            checkpoint=settings.model,
            may_change_checkpoint=not settings.is_public,  # elsewhere it would change for everybody
            has_library=storage.has_library,
            has_users=settings.users is not None,
        )
        # Before the page's own handlers, which would take the endpoints' names.
        handle_store = HandleStore(sessions, idle_seconds=linger_seconds)
        Endpoints(reader=reader, provider=provider, handle_store=handle_store, sessions=sessions).publish(demo)
        with layout.tabs:
            CaptionsTab(say, Captioning(provider, sessions)).connect(layout.session)
        wiring = Wiring(demo, layout, handlers, provider, languages)
        wiring.connect()
        many = ManyQuestions(provider=provider, sessions=sessions)
        layout.many.connect(wiring.on, ManyHandlers(sessions=sessions, many=many))
        layout.library.connect(wiring.on, LibraryHandlers(sessions=sessions, reading=reading, storage=storage))
        layout.inside.connect(wiring.on, InsideHandlers(sessions=sessions, overviews=Overviews(provider=provider)))
    demo.queue(default_concurrency_limit=None, max_size=MOST_EVENTS, api_open=False)
    return demo, Service(
        provider=provider, sessions=sessions, reading=reading, storage=storage, linger_seconds=linger_seconds
    )


class Wiring:
    """Connects the components to the handlers."""

    def __init__(
        self, demo: gr.Blocks, layout: Layout, handlers: Handlers, provider: EngineProvider, languages: Languages
    ) -> None:
        self._demo = demo
        self._page = layout
        self._handlers = handlers
        self._provider = provider
        self._languages = languages

    def connect(self) -> None:
        self._connect_tab()
        self._connect_documents()
        self._connect_questions()

    def _connect_tab(self) -> None:
        page, handlers = self._page, self._handlers

        def enter(remembered: str, request: gr.Request) -> Outputs:
            session_id = handlers.enter(
                str(request.session_hash), remembered, self._language(request), person_of(request)
            )
            return session_id, session_id

        def leave(request: gr.Request) -> None:
            handlers.leave(str(request.session_hash))

        def look(request: gr.Request) -> Outputs:
            state = self._provider.state
            banner = self._language(request).html(panels.banner(state))
            return banner, gr.Timer(active=not state.is_final), gr.Dropdown(visible=state.supports_vision)

        hidden: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
        self._watch(self._demo.load(enter, [page.browser], [page.session, page.browser], **hidden))
        self._demo.unload(leave)
        self._watch(page.clock.tick(look, None, [page.banner, page.clock, page.views], **hidden))

        def change(name: str) -> gr.Timer:
            self._provider.change(name)
            return gr.Timer(active=True)

        if page.checkpoint is not None:
            page.checkpoint.input(change, page.checkpoint, page.clock, **hidden)

    def _language(self, request: gr.Request) -> Language:
        return self._languages.accepted(request.headers.get("accept-language", ""))

    def _connect_documents(self) -> None:
        page, handlers = self._page, self._handlers
        receive = self.on(page.drop.upload, handlers.receive, page.drop, page.range)
        receive.then(lambda: None, None, page.drop, show_progress="hidden", queue=False, api_visibility="private")
        self.on(page.sample.click, handlers.take_sample)
        self.on([page.unlock.click, page.password.submit], handlers.unlock, page.password, page.keep_protected)
        self.on(page.leave_locked.click, handlers.leave_locked)
        self.on(page.reading.cancel, handlers.cancel)
        self.on(page.messages.dismiss, handlers.dismiss)
        self.on(page.documents.tick, handlers.tick)
        self.on(page.documents.reread, handlers.reread)
        self.on(page.documents.forget, handlers.forget)
        self.on(page.documents.forget_all, handlers.forget_all)
        self._handing_out(page.documents.save, handlers.save)
        for panel in (page.documents, page.pages, page.conversation):
            self.on(panel.open, handlers.open)

    def _connect_questions(self) -> None:
        page, handlers = self._page, self._handlers
        self.on([page.question.submit, page.ask.click], handlers.pose, page.question)
        for name in ("suggest", "retry", "edit", "undo", "like"):
            self.on(getattr(page.conversation, name), getattr(handlers, name))
        for setting in (page.length, page.temperature, page.whole_document):
            # Not `release`: a key gives none
            self.on(setting.input, handlers.choose, page.length, page.temperature, page.whole_document)
        self.on(page.views.input, handlers.choose_views, page.views)
        self.on(page.stop.click, handlers.stop)
        self.on(page.clear.click, handlers.clear)
        self._handing_out(page.export.click, handlers.export)
        page.unsent.change(None, [page.unsent, page.question], page.question, js="(unsent, typed) => typed || unsent")

    def on(self, triggers: Any, handler: Callable[..., Any], *values: gr.components.Component) -> Any:
        """Let a command answer to triggers, and show what comes of it. A command takes no time and is not queued."""
        page = self._page
        inputs = [page.session, *values]
        function = _with_outputs(handler)
        options: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
        listen = functools.partial(gr.on, triggers) if isinstance(triggers, list) else triggers
        done = listen(function, inputs, page.outputs, **options)
        self._watch(done)
        return done

    def _handing_out(self, trigger: Any, handler: Callable[..., Any]) -> None:
        """A file is made, the browser takes it, and the copy that the web server does not need goes away."""
        page = self._page
        made = self.on(trigger, handler)
        made.then(None, None, None, js=TAKE_DOWNLOAD)
        made.then(self._handlers.handed_out, page.session, None, queue=False, api_visibility="private")

    def _watch(self, done: Any) -> None:
        """After this, show what has changed, and go on while there is work."""
        page, handlers = self._page, self._handlers

        async def watch(session_id: str, request: gr.Request) -> AsyncIterator[Outputs]:
            try:
                async for update in handlers.watch(session_id, str(request.session_hash)):
                    yield Layout.changes(update)
            except Exception as error:
                yield Layout.changes(Update(problem=in_words(error)))

        done.then(
            watch,
            [page.session],
            page.outputs,
            api_visibility="private",
            show_progress="hidden",
        )


def _with_outputs(handler: Callable[..., Any]) -> Callable[..., Any]:
    """The handler as Gradio wants it: values for all outputs in place of an `Update`.

    What goes wrong is said in the page, under the question box: a session that is gone, for one.
    """

    @functools.wraps(handler)
    def once(*arguments: Any) -> Outputs:
        try:
            return Layout.changes(handler(*arguments) or Update())
        except Exception as error:
            return Layout.changes(Update(problem=in_words(error)))

    @functools.wraps(handler)
    async def once_awaited(*arguments: Any) -> Outputs:
        try:
            return Layout.changes(await handler(*arguments))
        except Exception as error:
            return Layout.changes(Update(problem=in_words(error)))

    return once_awaited if inspect.iscoroutinefunction(handler) else once
