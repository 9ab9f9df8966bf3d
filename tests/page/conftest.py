"""The page without a browser: real handlers, documents and engine, with a tiny network of random weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
import pytest

from app.documents import DocumentReader, Limits
from app.page.asking import Asking
from app.page.checkpoint_choice import CheckpointChoice
from app.page.handlers import Handlers
from app.page.reading import Reading
from app.page.sample import Sample
from app.page.screen import Screen
from app.page.update import Update
from app.sessions.library import Library
from app.sessions.session import Session
from model.checkpoint import Checkpoint
from model.engine import Engine
from tests.page.stand_ins import pdf


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """An open tab: its handlers, and shortcuts to what a person does there."""

    handlers: Handlers
    library: Library
    engine: Engine
    session: Session
    folder: Path

    def drop(self, *files: tuple[str, bytes]) -> list[Update]:
        paths = []
        for name, data in files:
            paths.append(self.folder / name)
            paths[-1].write_bytes(data)
        received = self.handlers.receive(self.session.id, [str(path) for path in paths])
        return [received, *self.handlers.read(self.session.id)]

    def ask(self, question: str) -> list[Update]:
        return [self.handlers.pose(self.session.id, question), *self.handlers.answer(self.session.id)]

    def event(self, **data: str) -> gr.EventData:
        return gr.EventData(None, data)


@pytest.fixture(scope="session")
def page_reader() -> Iterator[DocumentReader]:
    with DocumentReader(Limits(max_bytes=5_000_000)) as reader:
        yield reader


@pytest.fixture
def tab(tiny_checkpoint: Checkpoint, page_reader: DocumentReader, tmp_path: Path) -> Tab:
    engine = Engine(tiny_checkpoint)
    choice = CheckpointChoice("embedded", lambda *_: engine)
    choice.load()
    library = Library(capacity_bytes=100_000_000, linger_seconds=600)
    sample = Sample(name="sample.pdf", data=pdf("The lamp was lit in 1871."), questions=("When was the lamp lit?",))
    handlers = Handlers(
        screen=Screen(choice=choice, sample=sample),
        reading=Reading(reader=page_reader, choice=choice, library=library),
        asking=Asking(choice=choice, library=library),
        library=library,
        sample=sample,
    )
    session_id, _ = handlers.enter("tab", "")
    return Tab(handlers=handlers, library=library, engine=engine, session=library.session(session_id), folder=tmp_path)
