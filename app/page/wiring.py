"""Which handler answers to what on the page."""

import functools
import inspect
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import gradio as gr
from gradio.context import LocalContext

from app.faults import in_words
from app.languages import Language, Languages
from app.page import panels
from app.page.handlers import Handlers
from app.page.layout import Layout
from app.page.update import Update, Values
from app.page.viewing import ViewerHandlers
from app.serving.provider import EngineProvider
from app.web.identity import person_of

TAKE_DOWNLOAD = "() => setTimeout(() => document.querySelector('#download').click(), 300)"
NEXT_FILES = "() => { window.dispatchEvent(new Event('readonce:taken')); }"  # for `assets/window.js`


class Wiring:
    """Connects the components to the handlers."""

    def __init__(
        self,
        demo: gr.Blocks,
        layout: Layout,
        handlers: Handlers,
        viewing: ViewerHandlers,
        provider: EngineProvider,
        languages: Languages,
    ) -> None:
        self._demo = demo
        self._page = layout
        self._handlers = handlers
        self._viewing = viewing
        self._provider = provider
        self._languages = languages

    def connect(self) -> None:
        self._connect_tab()
        self._connect_documents()
        self._connect_questions()

    def _connect_tab(self) -> None:
        page, handlers = self._page, self._handlers

        def enter(remembered: str, request: gr.Request) -> Values:
            language = self._language(request)
            session_id = handlers.enter(str(request.session_hash), remembered, language, person_of(request))
            return {
                page.session: session_id,
                page.browser: session_id,
                page.title: language.html(panels.title(language.code, language.direction)),
                page.ways: language.html(panels.ways_in()),
            }

        def leave(request: gr.Request) -> None:
            handlers.leave(str(request.session_hash))

        def show_state(request: gr.Request) -> Values:
            state, language = self._provider.state, self._language(request)
            return {
                page.banner: language.html(panels.banner(state, language)),
                page.clock: gr.Timer(active=not state.is_final),
                page.views: gr.Dropdown(visible=state.supports_vision),
            }

        hidden: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
        self._watch(
            self._demo.load(enter, [page.browser], [page.session, page.browser, page.title, page.ways], **hidden)
        )
        self._demo.unload(leave)
        self._watch(page.clock.tick(show_state, None, [page.banner, page.clock, page.views], **hidden))

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
        emptied = receive.then(
            lambda: None, None, page.drop, show_progress="hidden", queue=False, api_visibility="private"
        )
        emptied.then(None, None, None, js=NEXT_FILES)
        self.on(page.sample.click, handlers.take_sample)
        self.on([page.unlock.click, page.password.submit], handlers.unlock, page.password, page.keep_protected)
        self.on(page.leave_locked.click, handlers.leave_locked)
        self.on(page.reading.cancel, handlers.cancel)
        self.on(page.messages.dismiss, handlers.dismiss)
        self.on(page.documents.tick, handlers.tick)
        self.on(page.documents.reread, handlers.reread)
        self.on(page.documents.forget, handlers.forget)
        for name in ("undo_forget", "ask_forget_all", "forget_all", "cancel_forget_all"):
            self.on(getattr(page.documents, name), getattr(handlers, name))
        self.handing_out(page.documents.save, handlers.save)
        self.handing_out(page.viewer.save_marked, self._viewing.save_marked)
        for panel in (page.documents, page.viewer, page.conversation):
            self.on(panel.open, handlers.open)
        self.on(page.conversation.open_place, self._viewing.open_place)
        for name in ("scrolled", "seek", "step"):
            self.on(getattr(page.viewer, name), getattr(self._viewing, name))

    def _connect_questions(self) -> None:
        page, handlers = self._page, self._handlers
        self.on([page.question.submit, page.ask.click], handlers.pose, page.question)
        for name in ("suggest", "retry", "edit", "undo", "undo_clear", "like"):
            self.on(getattr(page.conversation, name), getattr(handlers, name))
        for setting in (page.length, page.temperature, page.whole_document):
            # Not `release`: a key gives none
            self.on(setting.input, handlers.choose, page.length, page.temperature, page.whole_document)
        self.on(page.views.input, handlers.choose_views, page.views)
        self.on(page.refresh.click, handlers.look_again)
        self.on(page.stop.click, handlers.stop)
        self.on(page.clear.click, handlers.clear)
        self.handing_out(page.export.click, handlers.export)
        page.unsent.change(None, [page.unsent, page.question], page.question, js="(unsent, typed) => typed || unsent")

    def on(self, triggers: Any, handler: Callable[..., Any], *values: gr.components.Component) -> Any:
        """Let a command answer to triggers, and show what comes of it. A command takes no time and is not queued."""
        page = self._page
        inputs = [page.session, *values]
        function = self._with_outputs(handler)
        options: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
        listen = functools.partial(gr.on, triggers) if isinstance(triggers, list) else triggers
        done = listen(function, inputs, page.outputs, **options)
        self._watch(done)
        return done

    def handing_out(self, trigger: Any, handler: Callable[..., Any]) -> None:
        """A file is made, the browser takes it, and the copy that the web server does not need goes away."""
        page = self._page
        made = self.on(trigger, handler)
        made.then(None, None, None, js=TAKE_DOWNLOAD)
        made.then(self._handlers.handed_out, page.session, None, queue=False, api_visibility="private")

    def _watch(self, done: Any) -> None:
        """After this, show what has changed, and go on while there is work."""
        page, handlers = self._page, self._handlers

        async def watch(session_id: str, request: gr.Request) -> AsyncIterator[Values]:
            try:
                async for update in handlers.watch(session_id, str(request.session_hash)):
                    yield page.changes(update)
            except Exception as error:
                yield page.changes(Update(problem=self._language(request).message(in_words(error))))

        done.then(
            watch,
            [page.session],
            page.outputs,
            api_visibility="private",
            show_progress="hidden",
        )

    def _with_outputs(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        """The handler as Gradio wants it: values for components in place of an `Update`.

        What goes wrong is said in the page, under the question box: a session that is gone, for one.
        """
        page = self._page

        is_awaited = inspect.iscoroutinefunction(handler)

        @functools.wraps(handler)
        async def once(*arguments: Any) -> Values:
            try:
                # One that is not awaited may read files: it runs in a thread, so that others need not wait for it.
                called = handler(*arguments) if is_awaited else anyio.to_thread.run_sync(handler, *arguments)
                return page.changes(await called or Update())
            except Exception as error:
                return page.changes(self._refusal(error))

        return once

    def _refusal(self, error: Exception) -> Update:
        request = LocalContext.request.get(None)
        language = self._language(request) if request else Language()
        return Update(problem=language.message(in_words(error)), download="")
