"""Where the web server has its files: a folder that no other program, user or start uses."""

import os
import tempfile
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

SETTING: Final = "GRADIO_TEMP_DIR"  # Gradio's name for it; Gradio's own default is one folder for all its programs


@contextmanager
def private_folder(environment: MutableMapping[str, str] = os.environ) -> Iterator[Path]:
    """A new folder that only this user can open, in the one that the person has named, or in the system's.

    Gradio uses it, too, if it is imported while this lasts. Afterwards the folder is gone with all that is in it.
    """
    named = environment.get(SETTING)
    if named:
        Path(named).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="readonce-web-", dir=named or None, ignore_cleanup_errors=True) as path:
        folder = Path(path).resolve()
        environment[SETTING] = str(folder)
        try:
            yield folder
        finally:
            if named is None:
                del environment[SETTING]
            else:
                environment[SETTING] = named
