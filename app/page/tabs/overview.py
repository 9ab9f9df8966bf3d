"""The tab for contents and search: headings, places of words, and the text that was read from a page."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from app.overview.search import search
from app.page import panels
from app.page.events import number_of, shown_place, text_of
from app.page.update import Update, Values, or_same
from app.sessions.session import Shown
from app.sessions.session_store import SessionStore
from model.errors import ReadonceError


class OverviewTab:
    """The components, made inside the tabs of the page."""

    def __init__(self, panel: Callable[[str], gr.HTML], say: Callable[[str], Any]) -> None:
        with (
            gr.Tab(say("Contents and search"), id="overview", elem_id="overview-tab", render_children=True),
            gr.Row(elem_id="overview-room"),
        ):
            with gr.Column(min_width=0, elem_id="overview-left"):
                with gr.Row(elem_id="searching"):
                    self.words = gr.Textbox(
                        label=say("Find in the ticked documents"),
                        placeholder=say("Find words"),
                        show_label=False,
                        elem_id="words",
                    )
                    self.find = gr.Button(say("Find"), min_width=0, elem_id="find")
                self.problem = panel("overview-problem")
                self.hits = panel("hits")
                self.contents = panel("contents")
            with gr.Column(min_width=0, elem_id="overview-right"):
                self.page_text = panel("page-text")

    def changes(self, update: Update) -> Values:
        """The values that an update has for the components of this tab."""
        return {
            self.contents: or_same(update.contents),
            self.problem: or_same(update.overview_problem, panels.table_problem),
            self.hits: or_same(update.hits),
            self.page_text: or_same(update.page_text),
        }

    def connect(self, on: Callable[..., Any], handlers: "OverviewHandlers") -> None:
        on([self.find.click, self.words.submit], handlers.find, self.words)
        for panel in (self.contents, self.hits):
            on(panel.open_place, handlers.open_place)
        on(self.page_text.open, handlers.turn)


class OverviewHandlers:
    """What happens in the tab. A session's id comes first."""

    def __init__(self, *, sessions: SessionStore) -> None:
        self._sessions = sessions

    def find(self, session_id: str, words: str) -> None:
        session = self._sessions.session(session_id)
        try:
            session.overview.found(search([loaded.document for loaded in session.ticked], words))
        except ReadonceError as error:
            session.overview.refuse(error.message)

    def turn(self, session_id: str, event: gr.EventData) -> None:
        """Show the text of another page of the document."""
        shown = Shown(key=text_of(event, "document"), page=number_of(event, "page") or 1)
        self._sessions.session(session_id).show(shown)

    def open_place(self, session_id: str, event: gr.EventData) -> None:
        self._sessions.session(session_id).show(shown_place(event))
