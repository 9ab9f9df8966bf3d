"""Transformers and accelerate without their own bars and advice."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from transformers.utils import logging as transformers_logging


@contextmanager
def quiet() -> Iterator[None]:
    """A context in which transformers draws no progress bars and logs no advice."""
    accelerate = logging.getLogger("accelerate")
    level, verbosity = accelerate.level, transformers_logging.get_verbosity()
    bars = transformers_logging.is_progress_bar_enabled()
    accelerate.setLevel(logging.ERROR)
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        accelerate.setLevel(level)
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()
