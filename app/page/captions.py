"""The tab with captions: what the ticked pictures show and say, several at once, from what was read of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import gradio as gr

from app.page import panels
from app.page.checkpoint_choice import CheckpointChoice
from app.page.faults import in_words
from app.page.layout import Say
from app.sessions.library import Library
from app.sessions.session import Loaded, Session
from model.answering.questions import checked_question
from model.errors import QuestionError
from model.types import CancelledCallback

if TYPE_CHECKING:  # it imports torch, which the page does not wait for
    from app.captions import Caption, Request

CHOICES = [("Caption", "caption"), ("Detailed caption", "detailed"), ("Read the text", "read")]
HINT = "Drop pictures on the left. Each is read once; captions and answers come from that, and say what they rest on."


class Captioning:
    """Describes a session's ticked pictures."""

    def __init__(self, choice: CheckpointChoice, library: Library) -> None:
        self._choice = choice
        self._library = library

    def describe(self, session_id: str, tasks: Sequence[str], question: str) -> Iterator[str]:
        """One picture after the other; each yield is the panel with all that there is so far."""
        shown = ""
        html: Callable[[str], str] = str
        try:
            session = self._session(session_id)
            html = session.language.html
            for shown in self._described(session, tasks, question):
                yield html(shown)
        except Exception as error:
            yield html(shown + panels.asking_problem(in_words(error)))

    def _session(self, session_id: str) -> Session:
        if not session_id:
            raise QuestionError("The page is still opening. Try again in a moment.")
        return self._library.session(session_id)

    def _described(self, session: Session, tasks: Sequence[str], question: str) -> Iterator[str]:
        ticked = session.ticked
        requests = _requests(tasks, question)
        pictures = [loaded for loaded in ticked if len(loaded.document.pages) == 1]
        others = [loaded.name for loaded in ticked if loaded not in pictures]
        if not pictures:
            raise QuestionError(_no_picture(others))
        done = panels.not_pictures(others)
        with _until_left() as left:
            for loaded in pictures:
                self._library.touch(session, loaded.key)
                article = ""
                for captions in self._captions(loaded, requests, left):
                    article = panels.captions(loaded.name, loaded.pictures, captions)
                    yield done + article
                done += article

    def _captions(
        self, loaded: Loaded, requests: Sequence[Request], left: CancelledCallback
    ) -> Iterator[tuple[Caption, ...]]:
        from app.captions import describe

        engine = self._choice.engine(left)
        with self._choice.turns.answering(left):
            yield from describe(engine, loaded.encoded, requests, loaded.picture, left)


class CaptionsTab:
    """The components. Made inside `gr.Tabs`."""

    def __init__(self, say: Say, captioning: Captioning) -> None:
        self._captioning = captioning
        with gr.Tab(say("Captions"), id="captions", elem_id="captions-tab"), gr.Column():
            self._hint = gr.Markdown(say(HINT), elem_classes="hint")
            self._tasks = gr.CheckboxGroup(
                [(say(label), task) for label, task in CHOICES],
                value=["caption", "read"],
                label=say("What you want"),
                elem_id="tasks",
            )
            self._question = gr.Textbox(
                label=say("A question about each picture"), max_lines=3, elem_id="picture-question"
            )
            with gr.Row():
                self._describe = gr.Button(say("Describe the ticked pictures"), variant="primary", elem_id="describe")
                self._stop = gr.Button(say("Stop"), variant="stop", visible=False, elem_id="stop-captions")
            self._results = gr.HTML(elem_id="captions-panel", apply_default_css=False)

    def connect(self, session: gr.State) -> None:
        inputs, outputs = [session, self._tasks, self._question], [self._results, self._describe, self._stop]
        options: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        running = gr.on(
            [self._describe.click, self._question.submit], self._show, inputs, outputs,
            concurrency_limit=8, **options,
        )  # fmt: skip
        self._stop.click(_stopped, None, [self._describe, self._stop], cancels=[running], queue=False, **options)

    def _show(self, session_id: str, tasks: Sequence[str], question: str) -> Iterator[tuple[Any, ...]]:
        shown = ""
        yield shown, *_buttons(running=True)
        for shown in self._captioning.describe(session_id, tasks, question):
            yield shown, *_buttons(running=True)
        yield shown, *_buttons(running=False)


def _requests(tasks: Sequence[str], question: str) -> list[Request]:
    from app.captions import TASKS, Request

    wanted = [Request(task=task) for task in TASKS if task in tasks]
    if question.strip():
        wanted.append(Request(task="question", question=checked_question(question)))
    if not wanted:
        raise QuestionError("Nothing is chosen. Tick what you want, or type a question.")
    return wanted


def _no_picture(others: Sequence[str]) -> str:
    if others:
        names = ", ".join(others)
        return f"Captions are for pictures, and these have several pages: {names}. Ask about them instead."
    return "No picture is ticked. Drop one on the left, or tick one that is there."


@contextmanager
def _until_left() -> Iterator[CancelledCallback]:
    """Tells the engine when nobody listens any more: Gradio closes the handler when the person stops or leaves."""
    left = threading.Event()
    try:
        yield left.is_set
    finally:
        left.set()


def _stopped() -> tuple[Any, Any]:
    return _buttons(running=False)


def _buttons(*, running: bool) -> tuple[Any, Any]:
    return gr.Button(visible=not running), gr.Button(visible=running)
