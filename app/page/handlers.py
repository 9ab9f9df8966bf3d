"""What happens when the person does something. Plain methods over sessions; only here errors become messages."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import gradio as gr

from app.page import panels
from app.page.asking import Asking
from app.page.reading import Reading
from app.page.sample import Sample
from app.page.screen import Screen
from app.page.update import Update
from app.sessions.library import Library
from app.sessions.session import Exchange, Incoming, Session, Shown
from model.errors import ReadonceError


class Handlers:
    """The handlers of one app. A session's id comes first; events of panels carry their data in strings."""

    def __init__(self, *, screen: Screen, reading: Reading, asking: Asking, library: Library, sample: Sample) -> None:
        self._screen = screen
        self._reading = reading
        self._asking = asking
        self._library = library
        self._sample = sample

    # The tab

    def enter(self, tab: str, remembered: str) -> tuple[str, Update]:
        """A tab opens; its browser may remember a session."""
        session = self._library.enter(tab, remembered)
        return session.id, self._screen.everything(session)

    def leave(self, tab: str) -> None:
        self._library.leave(tab)

    # Documents

    def receive(self, session_id: str, paths: Sequence[str] | None) -> Update:
        """Files were dropped. Their bytes go into memory at once, and the server's copies away."""
        session = self._session(session_id)
        session.dismiss_messages()
        for path in map(Path, paths or ()):
            try:
                self._reading.receive(session, Incoming(name=path.name, data=path.read_bytes()))
                path.unlink(missing_ok=True)
            except OSError as error:
                session.tell(f"{path.name} did not arrive: {error.strerror}. Drop it again.")
        return self._screen.documents(session)

    def take_sample(self, session_id: str) -> Update:
        session = self._session(session_id)
        session.dismiss_messages()
        if session.has(self._sample.key):
            session.tick(self._sample.key, True)
        else:
            session.receive(Incoming(name=self._sample.name, data=self._sample.data))
        return self._screen.documents(session)

    def unlock(self, session_id: str, password: str) -> Update:
        session = self._session(session_id)
        session.unlock(password)
        return self._screen.documents(session)

    def leave_locked(self, session_id: str) -> Update:
        """The person does not have the password."""
        session = self._session(session_id)
        session.unlock(None)
        return self._screen.documents(session)

    def read(self, session_id: str) -> Iterator[Update]:
        """Read what has arrived, with progress."""
        session = self._session(session_id)
        with session.working("reading") as cancelled:
            for incoming, estimate in self._reading.run(session, cancelled):
                yield self._screen.reading(incoming, estimate) if estimate else self._screen.documents(session)
        yield self._screen.documents(session)

    def cancel(self, session_id: str) -> Update:
        session = self._session(session_id)
        session.stop("reading")
        return Update(reading=panels.cancelling() if session.reading else "")

    def tick(self, session_id: str, event: gr.EventData) -> Update:
        session = self._session(session_id)
        session.tick(_text(event, "document"), _text(event, "on") == "true")
        return Update(conversation=self._screen.conversation(session))

    def forget(self, session_id: str, event: gr.EventData) -> Update:
        session = self._session(session_id)
        self._library.forget(session, _text(event, "document"))
        return self._screen.documents(session)

    def forget_all(self, session_id: str) -> Update:
        session = self._session(session_id)
        session.stop()
        session.clear_conversation()
        session.dismiss_messages()
        for loaded in session.documents:
            self._library.forget(session, loaded.key)
        return self._screen.everything(session)

    def dismiss(self, session_id: str) -> Update:
        self._session(session_id).dismiss_messages()
        return Update(messages="")

    def open(self, session_id: str, event: gr.EventData) -> Update:
        """Show a page, and the evidence of an exchange where the event names one."""
        session = self._session(session_id)
        page, exchange = _text(event, "page"), _text(event, "exchange")
        session.shown = Shown(
            key=_text(event, "document"),
            page=int(page) if page.isdecimal() else 1,
            exchange=int(exchange) if exchange.isdecimal() else None,
        )
        return Update(pages=self._screen.pages(session), documents=self._screen.titles(session))

    # The conversation

    def pose(self, session_id: str, question: str) -> Update:
        """A question is asked; `answer` follows. Where it cannot be asked, it stays in the box."""
        session = self._session(session_id)
        try:
            self._asking.pose(session, question)
        except ReadonceError as error:
            return Update(problem=str(error))
        return Update(conversation=self._screen.conversation(session), question="", unsent="", problem="", busy=True)

    def suggest(self, session_id: str, event: gr.EventData) -> Update:
        return self.pose(session_id, _text(event, "question"))

    def retry(self, session_id: str) -> Update:
        session = self._session(session_id)
        try:
            self._asking.again(session)
        except ReadonceError as error:
            return Update(problem=str(error))
        return Update(conversation=self._screen.conversation(session), problem="", busy=True)

    def answer(self, session_id: str) -> Iterator[Update]:
        """Answer the question that waits, word by word."""
        session = self._session(session_id)
        if session.waiting is None:
            return
        for exchange in self._asking.run(session):
            if exchange.status == "answering":
                yield Update(conversation=self._screen.conversation(session))
        yield self._answered(session, exchange)

    def stop(self, session_id: str) -> Update:
        session = self._session(session_id)
        session.stop("answering")
        return Update(conversation=self._screen.conversation(session), busy=session.answering)

    def clear(self, session_id: str) -> Update:
        """Begin a new conversation about the same documents."""
        session = self._session(session_id)
        session.stop("answering")
        session.clear_conversation()
        return replace(self._screen.everything(session), busy=False)

    def _answered(self, session: Session, exchange: Exchange) -> Update:
        """The last state of an answer. Its first evidence is shown; a question that failed returns to the box."""
        update = Update(conversation=self._screen.conversation(session), busy=session.answering)
        if exchange.status == "failed":
            return replace(update, unsent=exchange.question)
        if not exchange.answer.evidence:
            return update
        place = exchange.answer.evidence[0]
        session.shown = Shown(key=exchange.sources[place.document_index], page=place.page, exchange=exchange.number)
        return replace(update, pages=self._screen.pages(session), documents=self._screen.titles(session))

    def _session(self, session_id: str) -> Session:
        if not session_id:
            raise ReadonceError("The page is still opening. Try again in a moment.")
        return self._library.session(session_id)


def _text(event: gr.EventData, field: str) -> str:
    """What a panel says about its event, as text; empty where it says nothing."""
    return str(event._data.get(field, "")) if isinstance(event._data, dict) else ""
