"""Where the web server has its files: a folder that no other program, user or start uses."""

import os
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from app.temporary import temporary_folder
from model.storage.owned_folder import owned_folder

SETTING: Final = "GRADIO_TEMP_DIR"  # Gradio's name for it; Gradio's own default is one folder for all its programs


@contextmanager
def private_folder(environment: MutableMapping[str, str] = os.environ) -> Iterator[Path]:
    """A new folder that only this user can open, in the one that the person has named, or in the system's.

    Gradio uses it, too, if it is imported while this lasts. Afterwards the folder is gone with all that is in it.
    """
    named = environment.get(SETTING)
    with owned_folder(Path(named) if named else temporary_folder(), "web") as folder:
        environment[SETTING] = str(folder.resolve())
        try:
            yield folder.resolve()
        finally:
            if named is None:
                del environment[SETTING]
            else:
                environment[SETTING] = named
