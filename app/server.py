"""How the page is served, and how that ends."""

import functools
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from gradio_client import Client
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from app.api.openai.routes import Routes
from app.api.openai.service import Service
from app.languages import Languages
from app.page.heartbeats import Heartbeats
from app.page.page_views import PageViews
from app.page.sample import ASSETS
from app.page.theme import calm_theme
from app.people.directory import Directory
from app.people.logins import Logins
from app.sessions.session_store import SessionStore
from app.settings import Settings
from app.ui import MOST_EVENTS
from app.web.bodies import JSON_BYTES
from app.web.checked_blocks import CheckedBlocks
from app.web.gate import GateRules
from app.web.guard import INNER, Guard
from app.web.head_timeout import set_head_timeout
from app.web.hosts import Hosts
from app.web.hub_login import HubLogin
from app.web.login_form import LoginForm
from app.web.proxies import EVERYONE, Proxies
from app.web.server import Probes, WebApp
from app.web.traffic import Traffic
from app.web.uploads import Uploads

UPLOAD_AGE_SECONDS = 3_600  # an upload of the page is deleted when it is read; this is for all else
MOST_INLINE = 50_000_000  # bytes of files that are sent within a question: more are uploaded
_LISTEN_SECONDS = 1.0
_LOOK_SECONDS = 0.1


def rules_of(settings: Settings) -> GateRules:
    """Who may ask, and how much at once: not more than can be kept."""
    proxies = settings.proxies or ((EVERYONE,) if settings.space_host else ())
    return GateRules(
        hosts=Hosts.named(*settings.hosts, settings.space_host, settings.host),
        proxies=Proxies(named=proxies),
        file_bytes=settings.file_bytes,
        upload_bytes=max(settings.library_bytes, settings.file_bytes),
        embedded=bool(settings.space_host),
        has_users=settings.users is not None,
        inline_bytes=min(settings.file_bytes, MOST_INLINE) * 4 // 3 + JSON_BYTES,  # in base64
    )


def guard_of(settings: Settings, languages: Languages, inner_key: str) -> Callable[[ASGIApp], ASGIApp] | None:
    """The guard, where there are users. Raises ReadonceError where their file cannot be read."""
    if settings.users is None:
        return None
    directory = Directory(settings.users)
    directory.people()
    logins = Logins(directory)
    hub = None if settings.sign_in is None else HubLogin(settings.sign_in, directory, logins)
    form = LoginForm(logins, languages, embedded=bool(settings.space_host), hub=hub)
    return lambda app: Guard(app, directory, logins, form, inner_key)


def uploads_in(folder: Path, settings: Settings) -> Uploads:
    """The files of the web server, all of them in this folder."""
    rules = rules_of(settings)
    return Uploads(folder, hosts=rules.hosts, capacity_bytes=2 * rules.upload_bytes, keep_seconds=UPLOAD_AGE_SECONDS)


def serve(demo: CheckedBlocks, sessions: SessionStore, settings: Settings, probes: Probes, v1: Service) -> None:
    """Serve the page from now on. Nothing is shared, listed or loaded from elsewhere."""
    os.environ["FORWARDED_ALLOW_IPS"] = ""  # uvicorn would believe any program of this computer; `ProxyHeaders` decides
    languages, inner_key = Languages(), secrets.token_urlsafe(32)
    app = WebApp(
        rules_of(settings),
        demo.uploads,
        languages=languages,
        probes=probes,
        views=PageViews(sessions),
        guard=guard_of(settings, languages, inner_key),
        middleware=[Middleware(Heartbeats, connect=sessions.connect, leave=sessions.leave)],
    )
    app.include_router(Routes(v1, file_bytes=settings.file_bytes, is_shut=settings.is_open_to_strangers).router())
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
    if settings.users is not None:
        _know_inner_requests(demo, inner_key)


def _know_inner_requests(demo: CheckedBlocks, inner_key: str) -> None:
    """Let Gradio's MCP server, which asks this server over HTTP, show that it is the server itself."""
    headers = {"x-gradio-user": "mcp", INNER: inner_key}

    @functools.cache
    def client() -> Client:
        return Client(
            demo.local_url,
            headers=headers,
            download_files=False,
            verbose=False,
            analytics_enabled=False,
            ssl_verify=False,
            _skip_components=False,
        )

    server: Any = demo.mcp_server_obj
    server._get_or_create_client = client


def serve_until_stopped(
    demo: CheckedBlocks, traffic: Traffic, is_working: Callable[[], bool], *, seconds: float
) -> None:
    """Wait for SIGTERM or Ctrl-C, then let end what was begun, for so long at most; a second signal ends it at once."""
    asked = threading.Event()

    def ask(*_: object) -> None:
        if asked.is_set():
            raise SystemExit(1)
        asked.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    while not asked.wait(_LISTEN_SECONDS):
        pass  # on some systems a thread that waits for ever hears no signal
    traffic.stop()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and (is_working() or not traffic.is_settled()):
        time.sleep(_LOOK_SECONDS)
    demo.close(verbose=False)
