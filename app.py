"""Readonce's page: `python app.py`, then open the address that it prints."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from app.documents import DocumentReader, Limits
from app.page.checkpoint_choice import CheckpointChoice, Load, LoadingProgress
from app.page.sample import bundled_sample
from app.settings import Settings
from app.spaces.zero_gpu import ZeroGpu
from app.ui import build_demo, serve
from model.errors import ReadonceError

if TYPE_CHECKING:
    from model.engine import Engine


def main(arguments: Sequence[str] | None = None) -> int:
    try:
        settings = choose(arguments)
    except ReadonceError as error:
        print(f"readonce: {error}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that `finally` removes the copies of documents
    choice = CheckpointChoice(settings.model, engine_loader(settings, ZeroGpu.borrowed()))
    choice.start()
    reader = DocumentReader(Limits(max_bytes=settings.file_bytes))
    try:
        serve(build_demo(choice, reader, settings, bundled_sample()), settings)
    finally:
        reader.close()
    return 0


def choose(arguments: Sequence[str] | None) -> Settings:
    """The environment's settings; what stands on the command line goes first."""
    parser = argparse.ArgumentParser(description="Read a document once, ask it anything: the page.")
    parser.add_argument("--model", help="embedded, a name on the Hugging Face hub, or a folder")
    parser.add_argument("--host", help="the address to listen on (default 127.0.0.1: this computer only)")
    parser.add_argument("--port", type=int, help="the port to listen on (default: the first free one from 7860)")
    chosen = vars(parser.parse_args(arguments))
    settings = Settings.from_environment(os.environ)
    return replace(settings, **{name: value for name, value in chosen.items() if value is not None})


def engine_loader(settings: Settings, gpu: ZeroGpu | None) -> Load:
    def load(name: str, progress: LoadingProgress) -> "Engine":
        # Imported here, in the background: torch and transformers take seconds, and the page is there before them.
        from model.checkpoints import load_checkpoint
        from model.engine import Engine

        checkpoint = load_checkpoint(name, cache_folder=settings.cache_folder, progress=progress)
        if gpu is None:
            return Engine(
                checkpoint, native_folder=settings.cache_folder, quantized=True, memory_precision=settings.precision
            )

        from app.spaces.engine import ZeroGpuEngine

        return ZeroGpuEngine(
            checkpoint, gpu, native_folder=settings.cache_folder, quantized=True, memory_precision=settings.precision
        )

    return load


if __name__ == "__main__":
    sys.exit(main())
