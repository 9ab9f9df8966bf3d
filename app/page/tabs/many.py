"""The tab for many questions at once: a list goes in, a table comes out."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import anyio
import gradio as gr

from app.documents import DocumentReader
from app.page import export, panels
from app.page.answers_file import answers_file
from app.page.events import number_of
from app.page.many_questions import ManyQuestions, Way
from app.page.update import Update, Values, or_same
from app.questions import Sheet, check_size, columns_of, is_workbook, read_sheet, sheet_of
from app.sessions.session import Session, Shown
from app.sessions.session_store import SessionStore
from model.errors import NO_MESSAGE, Message, ReadonceError

WAYS = (("All ticked documents together", "together"), ("Each ticked document by itself", "each"))


class Connects(Protocol):
    """What lets a handler answer to a trigger: `Wiring`."""

    def on(self, triggers: Any, handler: Callable[..., Any], *values: gr.components.Component) -> Any: ...

    def handing_out(self, trigger: Any, handler: Callable[..., Any]) -> None: ...


class ManyTab:
    """The components, made inside the tabs of the page."""

    def __init__(self, panel: Callable[[str], gr.HTML], say: Callable[[str], Any]) -> None:
        with gr.Tab(say("Many questions"), id="many", elem_id="many-tab", render_children=True), gr.Column():
            with gr.Row(elem_id="list-row"):
                self.list = gr.Textbox(
                    label=say("Questions, one a line"),
                    placeholder=say("Who signed it?\nWhat is the total?"),
                    lines=7,
                    max_lines=12,
                    elem_id="list",
                )
                with gr.Column(min_width=0, elem_id="list-side"):
                    self.file = gr.File(label=say("Or drop a CSV or Excel file here"), elem_id="csv", height=140)
                    self.column = gr.Dropdown(label=say("Column with the questions"), visible=False, elem_id="column")
                    self.way = gr.Radio(
                        [(say(text), way) for text, way in WAYS],
                        value="together",
                        label=say("Answered from"),
                        elem_id="way",
                    )
            with gr.Row(elem_id="list-buttons"):
                self.ask = gr.Button(say("Ask all"), variant="primary", min_width=0, elem_id="ask-all")
                self.stop = gr.Button(say("Stop"), variant="stop", min_width=0, visible=False, elem_id="stop-all")
            self.problem = panel("table-problem")
            self.table = panel("table")

    def changes(self, update: Update) -> Values:
        """The values that an update has for the components of this tab."""
        busy = update.table_busy
        return {
            self.list: or_same(update.list),
            self.column: or_same(update.columns, _column_menu),
            self.problem: or_same(update.table_problem, panels.table_problem),
            self.table: or_same(update.table),
            self.ask: or_same(busy, lambda busy: gr.Button(visible=not busy)),
            self.stop: or_same(busy, lambda busy: gr.Button(visible=busy)),
        }

    def connect(self, wiring: Connects, handlers: "ManyHandlers") -> None:
        on = wiring.on
        taken = on(self.file.upload, handlers.take, self.file)
        taken.then(lambda: None, None, self.file, show_progress="hidden", queue=False, api_visibility="private")
        on(self.column.input, handlers.choose, self.column)
        on(self.ask.click, handlers.ask, self.list, self.way)
        on(self.stop.click, handlers.stop)
        on(self.table.open_row, handlers.open_row)
        wiring.handing_out(self.table.take_answers, handlers.take_answers)


def _column_menu(names: Sequence[str]) -> gr.Dropdown:
    """The columns of a file to choose from, where there are several."""
    return gr.Dropdown(choices=list(names), value=names[0] if names else None, visible=len(names) > 1)


class ManyHandlers:
    """What happens in the tab. A session's id comes first."""

    def __init__(self, *, sessions: SessionStore, many: ManyQuestions, reader: DocumentReader, folder: Path) -> None:
        """`folder`: where files are made for people to take."""
        self._sessions = sessions
        self._many = many
        self._reader = reader
        self._folder = folder

    async def take(self, session_id: str, path: str | None) -> Update:
        """A spreadsheet was dropped: its questions go into the list, where they can be looked at and changed."""
        session = self._sessions.session(session_id)
        table = session.table
        if path is None:
            return Update()
        file = Path(path)
        try:
            check_size(file.name, file.stat().st_size)
            sheet = await anyio.to_thread.run_sync(self._sheet, session, file.name, file.read_bytes())
            found = columns_of(file.name, sheet)
            table.sheet, table.columns = sheet, found
        except ReadonceError as error:
            table.refuse(error.message)
            return Update()
        except OSError as error:
            table.refuse(Message("{name} did not arrive: {why}. Drop it again.", name=file.name, why=error.strerror))
            return Update()
        finally:
            file.unlink(missing_ok=True)
        table.refuse(NO_MESSAGE)
        return Update(columns=tuple(column.name for column in table.columns), list="\n".join(table.columns[0].cells))

    def _sheet(self, session: Session, name: str, data: bytes) -> Sheet:
        if not is_workbook(data):
            return read_sheet(name, data)
        rows = self._reader.first_sheet(data, name=name, caller=session.client)
        return sheet_of(name, rows, size=len(data), form="xlsx")

    def take_answers(self, session_id: str) -> Update:
        """Hand out the table as a file."""
        session = self._sessions.session(session_id)
        table = session.table
        path = export.new_file(f"answers.{table.form}", self._folder)
        path.write_bytes(answers_file(table.form, table.rows, table.origin))
        return export.hand_out(session, path)

    def choose(self, session_id: str, name: str) -> Update:
        """Take the questions from another column of the file."""
        found = (one for one in self._sessions.session(session_id).table.columns if one.name == name)
        return next((Update(list="\n".join(one.cells)) for one in found), Update())

    def ask(self, session_id: str, text: str, way: Way) -> None:
        session = self._sessions.session(session_id)
        try:
            self._many.pose(session, text.split("\n"), way)
        except ReadonceError as error:
            session.table.refuse(error.message)
            return
        self._many.start(session)

    def stop(self, session_id: str) -> None:
        session = self._sessions.session(session_id)
        session.table.stop()
        session.stop("table")

    def open_row(self, session_id: str, event: gr.EventData) -> None:
        """Show the page that an answer rests on first, with its places marked."""
        session = self._sessions.session(session_id)
        row = session.table.row(number_of(event, "row") or 0)
        if row is not None and row.answer.evidence:
            first = row.answer.evidence[0]
            places = tuple(one for one in row.answer.evidence if one.document_index == first.document_index)
            session.show(Shown(key=row.sources[first.document_index], page=first.page, places=places))
