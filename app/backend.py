"""Loading the faster backend beside everything else: until it is there, the engine runs on PyTorch's operations."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it imports torch, which the page does not wait for
    from model.engine import Engine


def install_faster_backend(engine: Engine, folder: Path, *, quantized: bool) -> None:
    """Load it in a thread of its own, compiled into `folder`, and install it in the engine."""
    from model.decoder.model_backend import load_backend

    def load() -> None:
        engine.install(load_backend(engine.checkpoint.model, folder, quantized=quantized))

    threading.Thread(target=load, name="backend").start()
