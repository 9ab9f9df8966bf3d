"""The page put together of its parts, and how it is served."""

import os
from collections.abc import Callable
from pathlib import Path

import gradio as gr
from starlette.middleware import Middleware

from app.api.endpoints import Endpoints
from app.api.handle_store import HandleStore
from app.documents import DocumentReader
from app.languages import Languages
from app.library.library import Library
from app.page import panels
from app.page.asking import Asking
from app.page.captions import Captioning, CaptionsTab
from app.page.handlers import Handlers
from app.page.heartbeats import Heartbeats
from app.page.layout import Layout
from app.page.library import LibraryHandlers
from app.page.many_questions import ManyQuestions
from app.page.overview import Overviews
from app.page.page_views import PageViews
from app.page.reading import Reading
from app.page.sample import ASSETS, Sample
from app.page.screen import Screen
from app.page.stored import Storage
from app.page.tabs.many import ManyHandlers
from app.page.tabs.overview import InsideHandlers
from app.page.theme import calm_theme
from app.page.viewing import ViewerHandlers
from app.page.wiring import Wiring
from app.serving.provider import EngineProvider
from app.sessions.session_store import SessionStore
from app.settings import Settings
from app.web.checked_blocks import CheckedBlocks
from app.web.gate import Rules
from app.web.head_timeout import set_head_timeout
from app.web.hosts import Hosts
from app.web.proxies import EVERYONE, Proxies
from app.web.server import WebApp
from app.web.uploads import Uploads

UPLOAD_AGE_SECONDS = 3_600  # an upload of the page is deleted when it is read; this is for all else
MOST_EVENTS = 2_048  # at once: every tab that watches is one, and whatever a program waits for


def build_demo(
    provider: EngineProvider,
    reader: DocumentReader,
    sessions: SessionStore,
    settings: Settings,
    sample: Sample,
    uploads: Uploads,
    folder: Path,
    library: Library | None = None,
) -> CheckedBlocks:
    """The page, ready to be served. `folder`: where files are made for people to take."""
    storage = Storage(library, reader, precision=settings.precision)
    overviews = Overviews(provider=provider, sample=sample)
    reading = Reading(reader=reader, provider=provider, sessions=sessions, storage=storage, overviews=overviews)
    handlers = Handlers(
        screen=_screen(provider, settings, library),
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
            may_change_checkpoint=not settings.is_public,  # elsewhere it would change for everybody
            has_library=library is not None,
        )
        # Before the page's own handlers, which would take the endpoints' names.
        handle_store = HandleStore(sessions, idle_seconds=60 * settings.linger_minutes)
        Endpoints(reader=reader, provider=provider, handle_store=handle_store, sessions=sessions).publish(demo)
        with layout.tabs:
            CaptionsTab(say, Captioning(provider, sessions)).connect(layout.session)
        wiring = Wiring(demo, layout, handlers, ViewerHandlers(sessions), provider, languages)
        wiring.connect()
        many = ManyQuestions(provider=provider, sessions=sessions)
        layout.many.connect(wiring.on, ManyHandlers(sessions=sessions, many=many))
        layout.library.connect(wiring.on, LibraryHandlers(sessions=sessions, reading=reading, storage=storage))
        layout.inside.connect(wiring.on, InsideHandlers(sessions=sessions))
    demo.queue(default_concurrency_limit=None, max_size=MOST_EVENTS, api_open=False)
    return demo


def _screen(provider: EngineProvider, settings: Settings, library: Library | None) -> Screen:
    return Screen(
        provider=provider,
        capacity_bytes=settings.library_bytes,
        library=library,
        linger_minutes=settings.linger_minutes,
    )


def rules_of(settings: Settings) -> Rules:
    """Who may ask, and how much at once: not more than can be kept."""
    proxies = settings.proxies or ((EVERYONE,) if settings.space_host else ())
    return Rules(
        hosts=Hosts.named(*settings.hosts, settings.space_host, settings.host),
        proxies=Proxies(named=proxies),
        upload_bytes=max(settings.library_bytes, settings.file_bytes),
        embedded=bool(settings.space_host),
    )


def uploads_in(folder: Path, settings: Settings) -> Uploads:
    """The files of the web server, all of them in this folder."""
    rules = rules_of(settings)
    return Uploads(folder, hosts=rules.hosts, capacity_bytes=2 * rules.upload_bytes, keep_seconds=UPLOAD_AGE_SECONDS)


def serve(demo: CheckedBlocks, sessions: SessionStore, settings: Settings, is_ready: Callable[[], bool]) -> None:
    """Serve the page until the person ends it. Nothing is shared, listed or loaded from elsewhere."""
    os.environ["FORWARDED_ALLOW_IPS"] = ""  # uvicorn would believe any program of this computer; `ProxyHeaders` decides
    languages = Languages()
    app = WebApp(
        rules_of(settings),
        demo.uploads,
        file_bytes=settings.file_bytes,
        languages=languages,
        is_ready=is_ready,
        views=PageViews(sessions),
        middleware=[Middleware(Heartbeats, connect=sessions.connect)],
    )
    demo.launch(
        _app=app,
        app_kwargs={"lifespan": app.sweeping},
        prevent_thread_lock=True,
        num_workers=0,  # they would serve files at ports of their own, beside the gate
        server_name=settings.host,
        server_port=settings.port,
        share=False,
        _frontend=False,  # else Gradio gives up where its own request to the page takes three seconds
        ssr_mode=False,
        pwa=False,
        mcp_server=True,
        max_threads=MOST_EVENTS,
        enable_monitoring=False,
        run_history=False,
        show_error=True,
        footer_links=[],
        allowed_paths=[],
        max_file_size=settings.file_bytes,
        theme=calm_theme(),
        i18n=gr.I18n(**languages.fixed_texts()),
        css_paths=[ASSETS / "style.css"],
    )
    set_head_timeout(demo.server)
    demo.block_thread()
