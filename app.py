"""Readonce's page: `python app.py`, then open the address that it prints."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from app.backend import install_faster_backend
from app.documents import DocumentReader, Limits
from app.faults import in_words, is_full_disk
from app.library.library import Library
from app.library.opening import open_library
from app.open_files import raise_open_files_limit
from app.page.sample import bundled_sample
from app.serving.provider import Accelerate, EngineProvider, Load, LoadingProgress
from app.sessions.session_store import SessionStore
from app.settings import Settings
from app.temporary import temporary_folder
from app.web.folder import private_folder
from model.errors import LibraryError, ReadonceError
from model.storage.owned_folder import owned_folder

if TYPE_CHECKING:
    from app.spaces.zero_gpu import ZeroGpu
    from model.engine import Engine


def main(arguments: Sequence[str] | None = None) -> int:
    try:
        settings = choose(arguments)
    except ReadonceError as error:
        print(f"readonce: {error}", file=sys.stderr)
        return 2
    raise_open_files_limit()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the copies of documents are removed
    try:
        run(settings)
    except OSError as error:
        if not is_full_disk(error):
            raise
        print(f"readonce: {in_words(error)}", file=sys.stderr)
        return 2
    return 0


def run(settings: Settings) -> None:
    """Serve the page until the person ends it. Raises OSError where its files find no room."""
    with (
        private_folder() as folder,
        owned_folder(temporary_folder(), "page") as made,
        DocumentReader(Limits(max_bytes=settings.file_bytes)) as reader,
    ):
        # Imported here: Gradio reads where its files shall lie when it is imported.
        from app.spaces.zero_gpu import ZeroGpu
        from app.ui import build_demo, serve, uploads_in

        provider = EngineProvider(settings.model, engine_loader(settings, ZeroGpu.borrowed()), accelerator(settings))
        provider.start()
        sessions = SessionStore(capacity_bytes=settings.library_bytes, linger_seconds=60 * settings.linger_minutes)
        uploads = uploads_in(folder, settings)
        library = library_of(settings)
        demo = build_demo(provider, reader, sessions, settings, bundled_sample(), uploads, made, library)
        serve(demo, sessions, settings, lambda: provider.state.phase == "ready")


def choose(arguments: Sequence[str] | None) -> Settings:
    """The environment's settings; what stands on the command line goes first."""
    parser = argparse.ArgumentParser(description="Read a document once, ask it anything: the page.")
    parser.add_argument("--model", help="embedded, a name on the Hugging Face hub, or a folder")
    parser.add_argument("--host", help="the address to listen on (default 127.0.0.1: this computer only)")
    parser.add_argument("--port", type=int, help="the port to listen on (default: the first free one from 7860)")
    chosen = vars(parser.parse_args(arguments))
    settings = Settings.from_environment(os.environ)
    return replace(settings, **{name: value for name, value in chosen.items() if value is not None})


def library_of(settings: Settings) -> Library | None:
    """The library, where there is to be one. What killed processes have left there goes in the background."""
    if settings.library is None:
        return None
    try:
        library = open_library(settings)
    except LibraryError as error:  # the page is of use without it, too
        print(f"readonce: {error}", file=sys.stderr)
        return None
    threading.Thread(target=library.sweep, name="library", daemon=True).start()
    return library


def engine_loader(settings: Settings, gpu: "ZeroGpu | None") -> Load:
    def load(name: str, progress: LoadingProgress) -> "Engine":
        # Imported here, in the background: torch and transformers take seconds, and the page is there before them.
        from model.checkpoints import load_checkpoint
        from model.engine import Engine

        checkpoint = load_checkpoint(name, cache_folder=settings.cache_folder, progress=progress)
        if gpu is None:
            engine = Engine(checkpoint, memory_precision=settings.precision)
        else:
            from app.spaces.engine import ZeroGpuEngine

            engine = ZeroGpuEngine(checkpoint, gpu, memory_precision=settings.precision)
        return engine

    return load


def accelerator(settings: Settings) -> Accelerate:
    def accelerate(engine: "Engine") -> None:
        install_faster_backend(engine, settings.cache_folder, quantized=True)

    return accelerate


if __name__ == "__main__":
    sys.exit(main())
