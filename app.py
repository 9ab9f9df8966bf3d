"""Readonce's page: `python app.py`, then open the address that it prints."""

import argparse
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.backend import install_faster_backend
from app.cli.serve import add_serving_options
from app.documents import DocumentReader, Limits
from app.faults import in_words, is_full_disk
from app.library.library import Library
from app.library.opening import open_library
from app.library.people import Libraries
from app.logs import WorkLog, set_up_logging
from app.open_files import raise_open_files_limit
from app.page.sample import bundled_sample
from app.page.stored import Storage
from app.serving.metrics import Gauge, Metrics
from app.serving.provider import Accelerate, EngineProvider, Load, LoadingProgress
from app.serving.scheduler import EngineScheduler
from app.sessions.session_store import SessionStore
from app.settings import Settings
from app.temporary import temporary_folder
from app.web.folder import private_folder
from app.web.server import Probes
from app.web.traffic import Traffic
from model.errors import LibraryError, ReadonceError
from model.storage.owned_folder import owned_folder

if TYPE_CHECKING:
    from app.cluster.connection import Cluster
    from app.serving.observed import Observer
    from app.spaces.zero_gpu import ZeroGpu
    from model.engine import Engine

OPEN_TO_STRANGERS = (
    "readonce: others can reach this page, and whoever does may use it: there are no users. Documents stay in memory,"
    " each visitor's apart; there is no library and no /v1. To have people sign in, set READONCE_USERS to a file, and"
    " add them: python -m app user add NAME."
)


def main(arguments: Sequence[str] | None = None) -> int:
    try:
        settings = choose(arguments)
    except ReadonceError as error:
        print(f"readonce: {error}", file=sys.stderr)
        return 2
    set_up_logging(settings.log)
    if settings.is_open_to_strangers:
        print(OPEN_TO_STRANGERS, file=sys.stderr)
    raise_open_files_limit()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the copies of documents are removed
    try:
        run(settings)
    except ReadonceError as error:
        print(f"readonce: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        if not is_full_disk(error):
            raise
        print(f"readonce: {in_words(error)}", file=sys.stderr)
        return 2
    return 0


def run(settings: Settings) -> None:
    """Serve the page until the person ends it. Raises OSError where its files find no room."""
    cluster = None if settings.cluster is None else cluster_of(settings.cluster)
    with (
        private_folder() as folder,
        owned_folder(temporary_folder(), "page") as made,
        reader_for(settings, cluster) as reader,
    ):
        # Imported here: Gradio reads where its files shall lie when it is imported.
        from app.server import serve, serve_until_stopped, uploads_in
        from app.spaces.zero_gpu import ZeroGpu
        from app.ui import build_demo

        metrics = Metrics()
        load = engine_loader(settings, ZeroGpu.borrowed(), (metrics, WorkLog()), cluster)
        scheduler = EngineScheduler(one_at_a_time=cluster is None)
        provider = EngineProvider(settings.model, load, accelerator(settings), metrics, scheduler)
        provider.start()
        sessions = SessionStore(capacity_bytes=settings.library_bytes, linger_seconds=60 * settings.linger_minutes)
        uploads = uploads_in(folder, settings)
        library, libraries = library_of(settings), libraries_of(settings)
        storage = Storage(library, reader, precision=settings.precision, libraries=libraries)
        demo, v1 = build_demo(provider, reader, sessions, settings, bundled_sample(), uploads, made, storage)
        metrics.watch(*gauges(provider, sessions, library))
        probes = Probes(
            is_ready=lambda: provider.is_ready,
            metrics=None if settings.is_open_to_strangers else metrics.text,
            traffic=Traffic(),
        )
        serve(demo, sessions, settings, probes, v1)
        serve_until_stopped(demo, probes.traffic, provider.scheduler.is_working, seconds=settings.stop_seconds)


def choose(arguments: Sequence[str] | None) -> Settings:
    """The environment's settings; what stands on the command line goes first."""
    parser = argparse.ArgumentParser(description="Read a document once, ask it anything: the page.")
    add_serving_options(parser)
    chosen = vars(parser.parse_args(arguments))
    settings = Settings.load()
    return replace(settings, **{name: value for name, value in chosen.items() if value is not None})


def library_of(settings: Settings) -> Library | None:
    """The library, where there is to be one. What killed processes have left there goes in the background."""
    if settings.library is None or settings.users is not None:
        return None
    try:
        library = open_library(settings)
    except LibraryError as error:  # the page is of use without it, too
        print(f"readonce: {error}", file=sys.stderr)
        return None
    threading.Thread(target=library.sweep, name="library", daemon=True).start()
    return library


def libraries_of(settings: Settings) -> Libraries | None:
    """Where people sign in, a library for each of them."""
    if settings.library is None or settings.users is None:
        return None
    return Libraries(settings.library, capacity_bytes=settings.disk_bytes)


def gauges(provider: EngineProvider, sessions: SessionStore, library: Library | None) -> Iterator[Gauge]:
    """What is held, and what waits, now."""
    scheduler = provider.scheduler
    yield Gauge(name="ready", about="Whether the checkpoint is loaded", read=lambda: provider.is_ready)
    yield Gauge(
        name="settled", about="Whether the fastest way to run it has been found", read=lambda: provider.state.is_final
    )
    yield Gauge(name="questions", about="Questions that wait or are answered", read=lambda: scheduler.questions)
    yield Gauge(name="readings", about="Documents that wait or are read", read=lambda: scheduler.readings)
    yield Gauge(name="sessions", about="Sessions that are held in memory", read=lambda: sessions.count)
    yield Gauge(name="memory_bytes", about="What their documents take in memory", read=lambda: sessions.used_bytes)
    yield Gauge(name="memory_limit_bytes", about="What they may take", read=lambda: sessions.capacity_bytes)
    if library is not None:
        yield Gauge(name="library_bytes", about="What the library takes on the disk", read=lambda: library.used_bytes)
        yield Gauge(name="library_documents", about="Its documents", read=lambda: library.count)


def cluster_of(folder: Path) -> "Cluster":
    """The cluster of this machine, whose encodings lie in the folder. Raises ReadonceError where there is none."""
    try:
        from app.cluster.connection import Cluster
    except ModuleNotFoundError as error:
        raise ReadonceError(
            "READONCE_CLUSTER is {folder!r}, but {name} is missing: pip install -r requirements-cluster.txt",
            folder=folder,
            name=error.name,
        ) from error
    return Cluster.connect()


def reader_for(settings: Settings, cluster: "Cluster | None") -> DocumentReader:
    limits = Limits(max_bytes=settings.file_bytes)
    return DocumentReader(limits) if cluster is None else cluster.reader(limits)


def engine_loader(
    settings: Settings, gpu: "ZeroGpu | None", observers: Sequence["Observer"], cluster: "Cluster | None"
) -> Load:
    def load(name: str, progress: LoadingProgress) -> "Engine":
        # Imported here, in the background: torch and transformers take seconds, and the page is there before them.
        from app.serving.observed import ObservedEngine, ObservedZeroGpuEngine
        from model.checkpoints import load_checkpoint

        checkpoint = load_checkpoint(name, cache_folder=settings.cache_folder, progress=progress)
        if cluster is not None and settings.cluster is not None:
            from app.cluster.engine import ObservedClusterEngine
            from app.cluster.folder import EncodingFolder

            precision = settings.precision
            folder = EncodingFolder(settings.cluster, fingerprint=checkpoint.fingerprint, precision=precision)
            return ObservedClusterEngine(checkpoint, cluster, folder, memory_precision=precision, observers=observers)
        if gpu is None:
            return ObservedEngine(checkpoint, memory_precision=settings.precision, observers=observers)
        return ObservedZeroGpuEngine(checkpoint, gpu, memory_precision=settings.precision, observers=observers)

    return load


def accelerator(settings: Settings) -> Accelerate:
    def accelerate(engine: "Engine") -> None:
        install_faster_backend(engine, settings.cache_folder, quantized=True)

    return accelerate


if __name__ == "__main__":
    sys.exit(main())
