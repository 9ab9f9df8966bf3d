"""What happens when the person does something: commands to a session, and the updates that follow them.

A command changes the session and says nothing more; what is seen comes from `watch`, after every command.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import anyio
import gradio as gr

from app.languages import Language
from app.page import export
from app.page.asking import Asking
from app.page.events import number_of as _number
from app.page.events import text_of as _text
from app.page.reading import Reading
from app.page.sample import Sample
from app.page.screen import Screen
from app.page.update import Update
from app.page.waiting import later, rest
from app.sessions.inbox import Incoming
from app.sessions.session import Session, Shown
from app.sessions.session_store import SessionStore
from app.sessions.viewed import Loaded
from model.encoder.vision.page_inputs import ViewMode
from model.errors import NO_MESSAGE, ReadonceError

MOST_DRAWN_A_SECOND = 10  # updates of all tabs together: each takes some milliseconds, which answers need, too
MOST_DRAWN_AT_ONCE = 64


class Handlers:
    """The handlers of one app. A session's id comes first; events of panels carry their data in strings."""

    def __init__(
        self, *, screen: Screen, reading: Reading, asking: Asking, sessions: SessionStore, sample: Sample, folder: Path
    ) -> None:
        """`folder`: where files are made for people to take."""
        self._folder = folder
        self._screen = screen
        self._reading = reading
        self._asking = asking
        self._sessions = sessions
        self._sample = sample
        self._seen: dict[str, Update] = {}  # tab -> what it shows
        self._watching: dict[str, object] = {}  # tab -> its newest watch; older ones end
        self._watches = 0  # that go on
        self._drawing = anyio.CapacityLimiter(MOST_DRAWN_AT_ONCE)
        self._saving = anyio.CapacityLimiter(export.MOST_SAVED_AT_ONCE)

    # The tab

    def enter(self, tab: str, remembered: str, language: Language | None = None, person: str = "") -> str:
        """A tab of a person opens; its browser may remember a session, and says which language it is read in."""
        for gone in [known for known in list(self._seen) if not self._sessions.has_tab(known)]:
            self.leave(gone)
        self._seen[tab] = Update()
        session = self._sessions.enter(tab, remembered, person=person)
        session.language = language or session.language
        return session.id

    def leave(self, tab: str) -> None:
        """The tab was closed. Its session is told by the connection that has ended (`Heartbeats`)."""
        self._seen.pop(tab, None)
        self._watching.pop(tab, None)

    def look_again(self, session_id: str) -> None:
        """The tab is seen again; another one may have changed what both show."""
        self._session(session_id)

    async def watch(self, session_id: str, tab: str) -> AsyncIterator[Update]:
        """What has changed since the tab was told last, and what changes until all work is done.

        The last update changes no panel: when a generator ends, Gradio sends its last outputs once more, and empties
        all of them, the texts of buttons too, where there was none because a newer watch came first.
        """
        session = self._session(session_id)
        async for news in self._news(session, tab):
            yield news
        yield self._screen.controls(session)

    async def _news(self, session: Session, tab: str) -> AsyncIterator[Update]:
        mine = self._watching[tab] = object()
        session.changes.notify()  # an older watch ends
        self._watches += 1
        try:
            while self._watching.get(tab) is mine:
                count, busy = session.changes.count, session.busy
                now = await anyio.to_thread.run_sync(self._screen.everything, session, limiter=self._drawing)
                if self._watching.get(tab) is not mine:
                    return
                seen, self._seen[tab] = self._seen.get(tab, Update()), now
                if now != seen:
                    yield now.since(seen)
                if not busy:
                    return
                await rest(session, self._watches / MOST_DRAWN_A_SECOND)
                await session.changes.changed(count)
        finally:
            self._watches -= 1

    # Documents

    def receive(self, session_id: str, paths: Sequence[str] | None, pages: str | None) -> None:
        """Files were dropped. Their bytes go into memory at once, and the server's copies away."""
        session = self._session(session_id)
        if not session.inbox.busy:  # else they are of a folder, say, that is being read
            session.dismiss_messages()
        chosen = (pages or "").replace(" ", "") or None
        for path in map(Path, paths or ()):
            try:
                self._reading.check_room(session, path.name, path.stat().st_size)
                self._reading.receive(session, Incoming(name=path.name, data=path.read_bytes(), pages=chosen))
            except OSError as error:
                session.tell("{name} did not arrive: {why}. Drop it again.", name=path.name, why=error.strerror)
            except ReadonceError as error:
                session.tell(error.message)
            finally:
                path.unlink(missing_ok=True)
        self._reading.start(session)

    def take_sample(self, session_id: str) -> None:
        session = self._session(session_id)
        session.dismiss_messages()
        if session.has(self._sample.key):
            session.tick(self._sample.key, True)
        else:
            self._reading.receive(session, Incoming(name=self._sample.name, data=self._sample.data))
        self._reading.start(session)

    def unlock(self, session_id: str, password: str, keep: bool = False) -> Update:
        """Try a password on the file that needs one. `keep`: whether its text may be kept in the library, too."""
        session = self._session(session_id)
        session.inbox.unlock(password, keep=keep)
        self._reading.start(session)
        return Update(password="")

    def leave_locked(self, session_id: str) -> Update:
        """Skip the file that needs a password: the person does not have it."""
        self._session(session_id).inbox.unlock(None)
        return Update(password="")

    def cancel(self, session_id: str) -> None:
        self._session(session_id).stop("reading")

    def tick(self, session_id: str, event: gr.EventData) -> None:
        self._session(session_id).tick(_text(event, "document"), _text(event, "on") == "true")

    def reread(self, session_id: str, event: gr.EventData) -> None:
        """Read a document again, with the checkpoint that runs now."""
        session = self._session(session_id)
        self._reading.again(session, _text(event, "document"))

    def forget(self, session_id: str, event: gr.EventData) -> None:
        """Remove a document from the session; for ten seconds the person can undo that."""
        session = self._session(session_id)
        if (aside := session.put_aside(_text(event, "document"))) is not None:
            later(partial(self.end_undoing, session, aside))

    def end_undoing(self, session: Session, aside: Loaded) -> None:
        """A document that was put aside is forgotten now, unless it was had back meanwhile."""
        if any(one is aside for one in session.aside):
            self._sessions.forget(session, aside.key)

    def undo_forget(self, session_id: str, event: gr.EventData) -> None:
        self._session(session_id).bring_back(_text(event, "document"))

    def ask_forget_all(self, session_id: str) -> None:
        """Ask once whether everything is to be forgotten."""
        self._confirm(session_id, True)

    def cancel_forget_all(self, session_id: str) -> None:
        self._confirm(session_id, False)

    def _confirm(self, session_id: str, confirming: bool) -> None:
        session = self._session(session_id)
        session.confirming = confirming
        session.changes.notify()

    def forget_all(self, session_id: str) -> None:
        """Forget all documents and the conversation, for good."""
        session = self._session(session_id)
        session.confirming = False
        session.stop()
        session.inbox.progress(None)  # else of a file that is being read the first pages would be kept
        session.conversation.clear()
        session.unmark()
        session.dismiss_messages()
        session.table.clear()
        for loaded in session.held:
            self._sessions.forget(session, loaded.key)

    async def save(self, session_id: str, event: gr.EventData) -> Update:
        """Hand out a document's encoding as a file. That takes a while, so it has threads of its own."""
        session = self._session(session_id)
        loaded = session.document(_text(event, "document"))
        if session.jobs.count("saving"):
            raise ReadonceError("An encoding is being saved already. Wait until the browser has it.")
        with session.jobs.running("saving"):
            path = await anyio.to_thread.run_sync(export.save, loaded, self._folder, limiter=self._saving)
        return export.hand_out(session, path)

    def export(self, session_id: str) -> Update:
        """Hand out the conversation as Markdown."""
        session = self._session(session_id)
        return export.hand_out(session, export.export(session, self._folder, date.today()))

    def handed_out(self, session_id: str) -> None:
        """The web server has its own copies, which it deletes after some minutes."""
        for path in self._session(session_id).outgoing():
            export.remove(path)

    def dismiss(self, session_id: str) -> None:
        self._session(session_id).dismiss_messages()

    def open(self, session_id: str, event: gr.EventData) -> None:
        """Show a page, and the evidence of an exchange where the event names one."""
        session, key = self._session(session_id), _text(event, "document")
        session.show(Shown(key=key, page=_number(event, "page") or 1, exchange=_number(event, "exchange")))
        self._asking.fetch(session, key)

    # The conversation

    def pose(self, session_id: str, question: str) -> Update:
        """A question is asked. Where it cannot be asked, it stays in the box."""
        session = self._session(session_id)
        return Update(question="") if self._ask(session, lambda: self._asking.pose(session, question)) else Update()

    def suggest(self, session_id: str, event: gr.EventData) -> None:
        self.pose(session_id, _text(event, "question"))

    def retry(self, session_id: str, event: gr.EventData) -> None:
        """Ask once more what an exchange asks; the last one where none is named."""
        session, number = self._session(session_id), _number(event, "exchange")
        self._ask(session, lambda: self._asking.again(session, number))

    def edit(self, session_id: str, event: gr.EventData) -> None:
        """Ask something else in place of the last question."""
        session = self._session(session_id)
        self._ask(session, lambda: self._asking.again(session, text=_text(event, "question")))

    def undo(self, session_id: str) -> Update:
        """Take the last question back into the box."""
        session = self._session(session_id)
        session.stop("answering")
        question = session.conversation.release()
        self._asking.save(session)
        return Update(unsent=question)

    def like(self, session_id: str, event: gr.EventData) -> None:
        way = _text(event, "liked")
        number = _number(event, "exchange")
        if number is not None and way in ("up", "down"):
            session = self._session(session_id)
            session.conversation.like(number, "up" if way == "up" else "down")
            self._asking.save(session)

    def choose(self, session_id: str, length: int, temperature: float, whole_document: bool) -> None:
        """Note the settings with which the next questions are answered."""
        session = self._session(session_id)
        session.options = replace(
            session.options,
            max_new_tokens=int(length),
            temperature=float(temperature),
            whole_document=bool(whole_document),
        )

    def choose_views(self, session_id: str, views: ViewMode) -> None:
        """Note whether pages of the next documents enter as text, as pictures or as both."""
        self._session(session_id).views = views

    def stop(self, session_id: str) -> None:
        self._session(session_id).stop("answering")

    def clear(self, session_id: str) -> None:
        """Begin a new conversation about the same documents; for ten seconds the one before can be had back."""
        session = self._session(session_id)
        later(partial(session.conversation.drop_aside, session.begin_anew()))

    def undo_clear(self, session_id: str) -> None:
        self._session(session_id).conversation.bring_back()

    def _ask(self, session: Session, pose: Callable[[], None]) -> bool:
        """Whether the question could be posed; why not is said under the box."""
        try:
            pose()
        except ReadonceError as error:
            session.refuse(error.message)
            return False
        session.refuse(NO_MESSAGE)
        self._asking.start(session)
        return True

    def _session(self, session_id: str) -> Session:
        return self._sessions.session(session_id)
