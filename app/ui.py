"""The page put together of its parts."""

from pathlib import Path

import gradio as gr

from app.api.endpoints import Endpoints
from app.api.handle_store import HandleStore
from app.api.openai.service import Service
from app.documents import DocumentReader
from app.languages import Languages
from app.page import panels
from app.page.asking import Asking
from app.page.captions import Captioning, CaptionsTab
from app.page.handlers import Handlers
from app.page.layout import Layout
from app.page.library import LibraryHandlers
from app.page.many_questions import ManyQuestions
from app.page.overview import Overviews
from app.page.reading import Reading
from app.page.sample import ASSETS, Sample
from app.page.screen import Screen
from app.page.stored import Storage
from app.page.tabs.many import ManyHandlers
from app.page.tabs.overview import OverviewHandlers
from app.page.viewing import ViewerHandlers
from app.page.wiring import Wiring
from app.serving.provider import EngineProvider
from app.sessions.session_store import SessionStore
from app.settings import Settings
from app.web.checked_blocks import CheckedBlocks
from app.web.uploads import Uploads

MOST_EVENTS = 2_048  # at once: every tab that watches is one, and whatever a program waits for


def build_demo(
    provider: EngineProvider,
    reader: DocumentReader,
    sessions: SessionStore,
    settings: Settings,
    sample: Sample,
    uploads: Uploads,
    folder: Path,
    storage: Storage,
) -> tuple[CheckedBlocks, Service]:
    """The page, ready to be served, and what answers `/v1`. `folder`: where files are made for people to take."""
    linger_seconds = 60 * settings.linger_minutes
    overviews = Overviews(provider=provider, sample=sample)
    reading = Reading(reader=reader, provider=provider, sessions=sessions, storage=storage, overviews=overviews)
    handlers = Handlers(
        screen=_screen(provider, settings, storage),
        reading=reading,
        asking=Asking(provider=provider, sessions=sessions, reading=reading, storage=storage),
        sessions=sessions,
        sample=sample,
        folder=folder,
    )
    languages = Languages()
    with CheckedBlocks(uploads, languages, analytics_enabled=False, title="Readonce", fill_width=True) as demo:
        say = gr.I18n(**languages.fixed_texts())
        layout = Layout(
            ASSETS,
            say,
            banner=panels.banner(provider.state),
            checkpoint=settings.model,
            # Where there are others it would change for everybody.
            may_change_checkpoint=not settings.is_public and settings.users is None,
            has_library=storage.has_library,
            has_users=settings.users is not None,
        )
        # Before the page's own handlers, which would take the endpoints' names.
        handle_store = HandleStore(sessions, idle_seconds=linger_seconds)
        Endpoints(reader=reader, provider=provider, handle_store=handle_store, sessions=sessions).publish(demo)
        with layout.tabs:
            CaptionsTab(say, Captioning(provider, sessions)).connect(layout.session)
        wiring = Wiring(demo, layout, handlers, ViewerHandlers(sessions), provider, languages)
        wiring.connect()
        many = ManyQuestions(provider=provider, sessions=sessions)
        layout.many.connect(wiring.on, ManyHandlers(sessions=sessions, many=many))
        layout.library.connect(wiring.on, LibraryHandlers(sessions=sessions, reading=reading, storage=storage))
        layout.overview.connect(wiring.on, OverviewHandlers(sessions=sessions))
    demo.queue(default_concurrency_limit=None, max_size=MOST_EVENTS, api_open=False)
    return demo, Service(
        provider=provider, sessions=sessions, reading=reading, storage=storage, linger_seconds=linger_seconds
    )


def _screen(provider: EngineProvider, settings: Settings, storage: Storage) -> Screen:
    return Screen(
        provider=provider,
        capacity_bytes=settings.library_bytes,
        storage=storage,
        linger_minutes=settings.linger_minutes,
    )
