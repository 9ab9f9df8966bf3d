"""An open tab of the page without a browser, for tests that say what a person does there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from app.documents import DocumentReader
from app.library.library import Library
from app.page.asking import PATIENCE_SECONDS, Asking
from app.page.handlers import Handlers
from app.page.library import LibraryHandlers
from app.page.overview import Overviews
from app.page.reading import Reading
from app.page.sample import Sample
from app.page.screen import Screen
from app.page.stored import Storage
from app.page.update import Update
from app.serving.metrics import Metrics
from app.serving.observed import ObservedEngine
from app.serving.provider import EngineProvider
from app.serving.scheduler import EngineScheduler
from app.sessions.session import Session
from app.sessions.session_store import SessionStore
from model.checkpoints.checkpoint import Checkpoint
from model.engine import Engine
from model.types import GenerationOptions
from tests.helpers.awaited import awaited, wait_until
from tests.helpers.stand_ins import pdf


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """An open tab: its handlers, and shortcuts to what a person does there."""

    handlers: Handlers
    sessions: SessionStore
    screen: Screen
    engine: Engine
    metrics: Metrics
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
        wait_until(lambda: not self.session.working)
        return self.screen.everything(self.session)

    def watch(self, tab: str = "tab") -> list[Update]:
        """What is sent to a tab until all work is done."""

        async def collected() -> list[Update]:
            return [update async for update in self.handlers.watch(self.session.id, tab)]

        return awaited(collected())

    def leave(self) -> None:
        """Close it, as its browser does."""
        self.sessions.leave("tab")
        self.handlers.leave("tab")

    def event(self, **data: str) -> gr.EventData:
        return gr.EventData(None, data)


def open_tab(
    checkpoint: Checkpoint,
    reader: DocumentReader,
    folder: Path,
    library: Library | None = None,
    *,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Tab:
    """An open tab of an app of its own. `patience_seconds`: `Asking`."""
    metrics = Metrics()
    engine = ObservedEngine(checkpoint, observers=(metrics,), memory_precision="int8" if library else None)
    provider = EngineProvider("embedded", lambda *_: engine, metrics=metrics)
    provider.load()
    sessions = SessionStore(capacity_bytes=100_000_000, linger_seconds=600)
    sample = Sample(name="sample.pdf", data=pdf("The lamp was lit in 1871."), questions=("When was the lamp lit?",))
    storage = Storage(library, reader, precision="int8")
    screen = Screen(provider=provider, capacity_bytes=100_000_000, storage=storage)
    overviews = Overviews(provider=provider, sample=sample)
    reading = Reading(reader=reader, provider=provider, sessions=sessions, storage=storage, overviews=overviews)
    handlers = Handlers(
        screen=screen,
        reading=reading,
        asking=Asking(
            provider=provider,
            sessions=sessions,
            reading=reading,
            storage=storage,
            patience_seconds=patience_seconds,
        ),
        sessions=sessions,
        sample=sample,
        folder=folder,
    )
    session = sessions.session(handlers.enter("tab", ""))
    session.options = GenerationOptions(max_new_tokens=12)  # a random network does not know when to end
    return Tab(
        handlers=handlers,
        sessions=sessions,
        screen=screen,
        engine=engine,
        metrics=metrics,
        scheduler=provider.scheduler,
        session=session,
        folder=folder,
        stored=LibraryHandlers(sessions=sessions, reading=reading, storage=storage),
    )
