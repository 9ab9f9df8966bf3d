"""The tab with captions: what the ticked pictures show and say, several at once, from what was read of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from app.faults import in_words
from app.languages import Language
from app.page import panels
from app.page.layout import Say
from app.page.update import Values
from app.serving.provider import EngineProvider
from app.serving.streams import streamed
from app.sessions.jobs import Job
from app.sessions.session import Session
from app.sessions.session_store import SessionStore
from app.sessions.viewed import Loaded
from model.answering.questions import checked_question
from model.errors import QuestionError

if TYPE_CHECKING:  # it imports torch, which the page does not wait for
    from app.captions import Caption, Request

CHOICES = [("Caption", "caption"), ("Detailed caption", "detailed"), ("Read the text", "read")]
HINT = "Drop pictures on the left. Each is read once; captions and answers come from that, and say what they rest on."


class Captioning:
    """Describes a session's ticked pictures."""

    def __init__(self, provider: EngineProvider, sessions: SessionStore) -> None:
        self._provider = provider
        self._sessions = sessions

    async def describe(self, session_id: str, tasks: Sequence[str], question: str) -> AsyncIterator[str]:
        """Describe one picture after the other; each yield is the panel with everything that was said so far."""
        shown = ""
        language = Language()
        try:
            session = self._sessions.session(session_id)
            language = session.language
            if session.jobs.count("captions"):
                raise QuestionError("Pictures are being described already. Wait for that, or stop it.")
            with session.jobs.running("captions") as job:
                async for shown in streamed(job, self._described(session, tasks, question, job)):
                    yield language.html(shown)
        except Exception as error:
            yield language.html(shown) + panels.asking_problem(language.message(in_words(error)))

    def _described(self, session: Session, tasks: Sequence[str], question: str, job: Job) -> Iterator[str]:
        ticked = session.ticked
        requests = _requests(tasks, question)
        pictures = [loaded for loaded in ticked if len(loaded.document.pages) == 1]
        others = [loaded.name for loaded in ticked if loaded not in pictures]
        if not pictures:
            raise _no_picture(others)
        done = panels.not_pictures(others)
        with self._sessions.using(session, *(loaded.key for loaded in pictures)):
            for loaded in pictures:
                article = ""
                for captions in self._captions(loaded, requests, job):
                    article = panels.captions(loaded.name, loaded.pictures, captions)
                    yield done + article
                done += article

    def _captions(self, loaded: Loaded, requests: Sequence[Request], job: Job) -> Iterator[tuple[Caption, ...]]:
        from app.captions import describe

        engine = self._provider.engine(job)
        with self._provider.scheduler.answering(job, len(requests)):
            yield from describe(engine, loaded.encoded, requests, loaded.picture, job.cancelled)


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
            **options,
        )  # fmt: skip
        self._stop.click(self._stopped, None, [self._describe, self._stop], cancels=[running], queue=False, **options)

    async def _show(self, session_id: str, tasks: Sequence[str], question: str) -> AsyncIterator[Values]:
        shown = ""
        yield {self._results: shown, **self._buttons(running=True)}
        async for shown in self._captioning.describe(session_id, tasks, question):
            yield {self._results: shown, **self._buttons(running=True)}
        yield {self._results: shown, **self._buttons(running=False)}

    def _stopped(self) -> Values:
        return self._buttons(running=False)

    def _buttons(self, *, running: bool) -> Values:
        return {self._describe: gr.Button(visible=not running), self._stop: gr.Button(visible=running)}


def _requests(tasks: Sequence[str], question: str) -> list[Request]:
    from app.captions import TASKS, Request

    wanted = [Request(task=task) for task in TASKS if task in tasks]
    if question.strip():
        wanted.append(Request(task="question", question=checked_question(question)))
    if not wanted:
        raise QuestionError("Nothing is chosen. Tick what you want, or type a question.")
    return wanted


def _no_picture(others: Sequence[str]) -> QuestionError:
    if others:
        return QuestionError(
            "Captions are for pictures, and these have several pages: {names}. Ask about them instead.",
            names=", ".join(others),
        )
    return QuestionError("No picture is ticked. Drop one on the left, or tick one that is there.")
