"""The tab for contents and search: headings, places of words, and the text that was read from a page."""

from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio.blocks import Block

from app.overview.search import search
from app.page import panels
from app.page.events import number_of, shown_place, text_of
from app.page.update import Update
from app.sessions.session import Shown
from app.sessions.session_store import SessionStore
from model.errors import ReadonceError


class InsideTab:
    """The components, made inside the tabs of the page."""

    def __init__(self, panel: Callable[[str], gr.HTML], say: Callable[[str], Any]) -> None:
        with (
            gr.Tab(say("Contents and search"), id="inside", elem_id="inside-tab", render_children=True),
            gr.Row(elem_id="inside-room"),
        ):
            with gr.Column(min_width=0, elem_id="inside-left"):
                with gr.Row(elem_id="searching"):
                    self.words = gr.Textbox(
                        label=say("Find in the ticked documents"),
                        placeholder=say("Find words"),
                        show_label=False,
                        elem_id="words",
                    )
                    self.find = gr.Button(say("Find"), min_width=0, elem_id="find")
                self.problem = panel("inside-problem")
                self.hits = panel("hits")
                self.contents = panel("contents")
            with gr.Column(min_width=0, elem_id="inside-right"):
                self.page_text = panel("page-text")

    @property
    def outputs(self) -> list[Block]:
        return [self.contents, self.problem, self.hits, self.page_text]

    @staticmethod
    def changes(update: Update) -> tuple[Any, ...]:
        """Values for the outputs, in their order."""
        return (
            gr.skip() if update.contents is None else update.contents,
            gr.skip() if update.inside_problem is None else panels.table_problem(update.inside_problem),
            gr.skip() if update.hits is None else update.hits,
            gr.skip() if update.page_text is None else update.page_text,
        )

    def connect(self, on: Callable[..., Any], handlers: "InsideHandlers") -> None:
        on([self.find.click, self.words.submit], handlers.find, self.words)
        for panel in (self.contents, self.hits):
            on(panel.open_place, handlers.open_place)
        on(self.page_text.open, handlers.turn)


class InsideHandlers:
    """What happens in the tab. A session's id comes first."""

    def __init__(self, *, sessions: SessionStore) -> None:
        self._sessions = sessions

    def find(self, session_id: str, words: str) -> None:
        session = self._sessions.session(session_id)
        try:
            session.overview.found(search([loaded.document for loaded in session.ticked], words))
        except ReadonceError as error:
            session.overview.refuse(str(error))

    def turn(self, session_id: str, event: gr.EventData) -> None:
        """Another page of the document that is looked into."""
        shown = Shown(key=text_of(event, "document"), page=number_of(event, "page") or 1)
        self._sessions.session(session_id).show(shown)

    def open_place(self, session_id: str, event: gr.EventData) -> None:
        self._sessions.session(session_id).show(shown_place(event))
