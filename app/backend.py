"""Loading the faster backend beside everything else: until it is there, the engine runs on PyTorch's operations."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it imports torch, which the page does not wait for
    from model.engine import Engine


def install_faster_backend(engine: Engine, folder: Path, *, quantized: bool) -> None:
    """Load it, compiled into `folder`, and install it in the engine; the first time that takes some seconds."""
    from model.decoder.model_backend import load_backend

    engine.install(load_backend(engine.checkpoint.model, folder, quantized=quantized))


def begin_to_install_faster_backend(engine: Engine, folder: Path, *, quantized: bool) -> None:
    """The same in a thread of its own."""

    def install() -> None:
        install_faster_backend(engine, folder, quantized=quantized)

    threading.Thread(target=install, name="backend").start()
