"""An open tab of the page without a browser, for tests that say what a person does there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from app.page.handlers import Handlers
from app.page.library import LibraryHandlers
from app.page.screen import Screen
from app.page.update import Update
from app.serving.scheduler import EngineScheduler
from app.sessions.session import Session
from app.sessions.session_store import SessionStore
from model.engine import Engine
from tests.helpers.awaited import awaited, wait_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """An open tab: its handlers, and shortcuts to what a person does there."""

    handlers: Handlers
    sessions: SessionStore
    screen: Screen
    engine: Engine
    scheduler: EngineScheduler
    session: Session
    folder: Path
    stored: LibraryHandlers

    def drop(self, *files: tuple[str, bytes], pages: str = "") -> Update:
        """Drop files and wait until they are read."""
        self.begin_to_drop(*files, pages=pages)
        return self.settled()

    def begin_to_drop(self, *files: tuple[str, bytes], pages: str = "") -> None:
        paths = []
        for name, data in files:
            paths.append(self.folder / name)
            paths[-1].write_bytes(data)
        self.handlers.receive(self.session.id, [str(path) for path in paths], pages)

    def ask(self, question: str) -> Update:
        """Ask and wait for the answer."""
        self.handlers.pose(self.session.id, question)
        return self.settled()

    def settled(self) -> Update:
        """What the page shows when all work is done."""
        wait_until(lambda: not self.session.busy)
        return self.screen.everything(self.session)

    def watch(self, tab: str = "tab") -> list[Update]:
        """What is sent to a tab until all work is done."""

        async def collected() -> list[Update]:
            return [update async for update in self.handlers.watch(self.session.id, tab)]

        return awaited(collected())

    def event(self, **data: str) -> gr.EventData:
        return gr.EventData(None, data)
