"""What stands where on the page. Styles are in `assets/style.css`, the behaviour of panels in `assets/panel.js`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.blocks import Block

from app.page import panels
from app.page.library import LibraryPanel
from app.page.tabs.many import ManyTab
from app.page.tabs.overview import OverviewTab
from app.page.update import Update, Values, or_same
from model.types import GenerationOptions

BROWSER_KEY = "readonce.session"  # fixed, so that a refresh finds its session again
LOADING_LOOK_SECONDS = 0.7
CHECKPOINTS = ["embedded", *(f"google/t5gemma-2-{size}" for size in ("270m-270m", "1b-1b", "4b-4b"))]
VIEWS = (("What each page needs", "auto"), ("Text", "text"), ("Pictures", "image"), ("Text and pictures", "both"))

Say = Callable[[str], Any]  # a fixed text, for Gradio to show in the person's language


class Layout:
    """The components, made in the order in which they are read. Made inside a `gr.Blocks`."""

    def __init__(
        self,
        assets: Path,
        say: Say,
        *,
        banner: str,
        checkpoint: str,
        may_change_checkpoint: bool,
        has_library: bool = False,
        has_users: bool = False,
    ) -> None:
        self._behaviour = (assets / "panel.js").read_text(encoding="utf-8")
        self.session = gr.State("")
        self.browser = gr.BrowserState("", storage_key=BROWSER_KEY, secret=BROWSER_KEY)
        self.clock = gr.Timer(LOADING_LOOK_SECONDS)
        with gr.Row(elem_id="head"):
            of_window = (assets / "window.js").read_text(encoding="utf-8")
            self.title = gr.HTML(panels.title(), elem_id="title", js_on_load=of_window)
            self.banner = self._panel("banner", banner)
        with gr.Row(elem_id="columns"):
            with gr.Column(elem_id="library", min_width=0):
                self._make_library(say, has_library)
                gr.Button(say("Sign out"), link="login", size="sm", visible=has_users, elem_id="account")
            with gr.Tabs(elem_id="tabs") as self.tabs:  # the documents on the left belong to all of them
                self._make_ask_tab(assets, say, checkpoint, may_change_checkpoint)
                self.many = ManyTab(self._panel, say)
                self.overview = OverviewTab(self._panel, say)

    def _make_ask_tab(self, assets: Path, say: Say, checkpoint: str, may_change_checkpoint: bool) -> None:
        with gr.Tab(say("Ask"), id="ask", elem_id="ask-tab"), gr.Row(elem_id="room"):
            with gr.Column(elem_id="page", min_width=0):
                self.viewer = self._panel("viewer", behaviour=(assets / "viewer.js").read_text(encoding="utf-8"))
                self.pages = self._panel("pages", panels.empty_pages())
            with gr.Column(elem_id="chat", min_width=0):
                self._make_chat(say)
                self._make_settings(say, checkpoint, may_change_checkpoint)

    def _make_library(self, say: Say, has_library: bool) -> None:
        self.drop = gr.File(
            label=say("Drop documents here: PDF, Office, mail, images, text"),
            file_count="multiple",
            elem_id="drop",
            height=120,
        )
        self.ways = self._panel("ways", panels.ways_in())
        self.sample = gr.Button(say("Try the sample document"), elem_id="sample")
        with gr.Accordion(say("Only some pages"), open=False, elem_id="range"):
            self.range = gr.Textbox(
                label=say("Pages to read from the next file"),
                placeholder=say("all, or 3-10,12"),
                max_lines=1,
                elem_id="pages-to-read",
            )
        with gr.Column(visible=False, elem_id="lock", min_width=0) as self.lock:
            self.lock_reason = self._panel("lock-reason")
            self.password = gr.Textbox(label=say("Password"), type="password", elem_id="password")
            self.keep_protected = gr.Checkbox(label=say("Keep its text in the library"), visible=has_library)
            with gr.Row():
                self.unlock = gr.Button(say("Open"), variant="primary", size="md", min_width=0)
                self.leave_locked = gr.Button(say("Skip this file"), size="md", min_width=0)
        self.messages = self._panel("messages")
        self.reading = self._panel("reading")
        self.documents = self._panel("documents")
        self.library = LibraryPanel(self._panel, say, visible=has_library)

    def _make_chat(self, say: Say) -> None:
        self.conversation = self._panel("conversation")
        self.problem = self._panel("problem")
        with gr.Row(elem_id="asking"):
            self.question = gr.Textbox(
                label=say("Your question"),
                show_label=False,
                placeholder=say("Ask your documents"),
                lines=1,
                max_lines=8,
                elem_id="question",
                html_attributes=gr.InputHTMLAttributes(enterkeyhint="send"),
            )
            # Not before the tab has its session: a first click would be lost.
            self.ask = gr.Button(say("Ask"), variant="primary", min_width=0, elem_id="ask", interactive=False)
            self.stop = gr.Button(say("Stop"), variant="stop", min_width=0, visible=False, elem_id="stop")
        with gr.Row(elem_id="below"):
            self.clear = gr.Button(say("New conversation"), size="sm", min_width=0, elem_classes="below")
            self.export = gr.Button(say("Export as Markdown"), size="sm", min_width=0, elem_classes="below")
        self.refresh = gr.Button(visible="hidden", elem_id="refresh")
        self.unsent = gr.Textbox(visible=False)
        self.download = gr.DownloadButton(visible="hidden", elem_id="download")

    def _make_settings(self, say: Say, checkpoint: str, may_change_checkpoint: bool) -> None:
        with gr.Accordion(say("Settings"), open=False, elem_id="settings"):
            defaults = GenerationOptions()
            self.length = gr.Slider(
                8,
                512,
                value=defaults.max_new_tokens,
                step=8,
                label=say("Longest answer"),
                info=say("tokens, about 4 letters each"),
            )
            self.temperature = gr.Slider(
                0,
                1.5,
                value=defaults.temperature,
                step=0.1,
                label=say("Temperature"),
                info=say("0: the same answer each time"),
            )
            self.whole_document = gr.Checkbox(
                value=defaults.whole_document,
                label=say("Look at everything"),
                info=say("not only at the passages that share words with the question"),
            )
            self.views = gr.Dropdown(
                [(say(text), mode) for text, mode in VIEWS],
                value="auto",
                label=say("Pages enter as"),
                info=say("of the documents that are dropped next"),
                visible=False,  # until a checkpoint that supports vision runs
                elem_id="views",
            )
            self.checkpoint = self._checkpoint_menu(say, checkpoint) if may_change_checkpoint else None

    @staticmethod
    def _checkpoint_menu(say: Say, checkpoint: str) -> gr.Dropdown:
        return gr.Dropdown(
            list(dict.fromkeys([checkpoint, *CHECKPOINTS])),
            value=checkpoint,
            label=say("Checkpoint"),
            info=say("one of these, another name on the hub, or a folder"),
            allow_custom_value=True,
        )

    def _panel(self, name: str, value: str = "", *, behaviour: str = "") -> gr.HTML:
        """A panel of HTML. `behaviour`: a script of its own, beside the one that every panel has."""
        script = self._behaviour + behaviour
        return gr.HTML(value, elem_id=f"{name}-panel", js_on_load=script, apply_default_css=False)

    @property
    def outputs(self) -> list[Block]:
        """Every component that an update can change."""
        return list(self.changes(Update()))

    def changes(self, update: Update) -> Values:
        """The update in Gradio's terms: for each component a new value, or that it stays as it is."""
        locked, busy = update.locked, update.busy
        return {
            self.documents: or_same(update.documents),
            self.reading: or_same(update.reading),
            self.messages: or_same(update.messages),
            self.lock: or_same(locked, lambda reason: gr.Column(visible=bool(reason))),
            self.lock_reason: or_same(locked, panels.lock_reason),
            self.password: or_same(update.password),
            self.pages: or_same(update.pages),
            self.viewer: or_same(update.viewer),
            self.library.panel: or_same(update.library),
            self.conversation: or_same(update.conversation),
            self.question: or_same(update.question),
            self.unsent: or_same(update.unsent),
            self.download: or_same(update.download, lambda path: path or None),
            self.problem: or_same(update.problem, panels.asking_problem),
            self.ask: or_same(busy, lambda busy: gr.Button(visible=not busy, interactive=True)),
            self.stop: or_same(busy, lambda busy: gr.Button(visible=busy)),
            **self.many.changes(update),
            **self.overview.changes(update),
        }
