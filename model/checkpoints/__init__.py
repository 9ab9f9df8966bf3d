"""Checkpoints by name: `embedded`, a folder, or a model of the Hugging Face hub.

`load_checkpoint` is the way in. The hub only ever fetches a folder (`hub.py`), every folder is loaded alike
(`folder.py`), and `placement.py` chooses the device and the precision.
"""

import logging
from collections.abc import Callable
from pathlib import Path

from model.checkpoints.checkpoint import Checkpoint
from model.checkpoints.placement import Hardware
from model.errors import CheckpointError, ReadonceError
from model.storage.owned_folder import sweep

EMBEDDED = "embedded"

__all__ = ["EMBEDDED", "Checkpoint", "load_checkpoint"]


def load_checkpoint(
    name: str,
    *,
    cache_folder: Path,
    progress: Callable[[str, float], None] | None = None,
    hardware: Hardware | None = None,
) -> Checkpoint:
    """Load the checkpoint of that name. `progress` gets a stage in words and its fraction from 0 to 1.

    `hardware`: what there is for its weights; None: what this machine has.

    Whatever keeps it from being loaded is a CheckpointError. What starts that were killed have left in the cache folder
    is swept.
    """
    sweep(cache_folder)
    try:
        return _load(name, cache_folder, progress or _no_progress, hardware)
    except ReadonceError:
        raise
    except Exception as error:
        logging.getLogger("readonce").debug("A checkpoint cannot be loaded", exc_info=error)
        why = " ".join(str(error).split()) or "no reason is given"
        raise CheckpointError(
            "{name} cannot be loaded: {why} ({kind}). Check its files, the memory and the disk, or use"
            " another checkpoint.",
            name=name,
            why=why,
            kind=type(error).__name__,
        ) from error


def _load(name: str, cache_folder: Path, report: Callable[[str, float], None], hardware: Hardware | None) -> Checkpoint:
    if name == EMBEDDED:
        from model.checkpoints.embedded import load_embedded

        return load_embedded(cache_folder, progress=report, hardware=hardware)
    from model.checkpoints.quiet import quiet  # and with it transformers, which the embedded one goes without

    with quiet():
        return _load_any(name, report, hardware)


def _load_any(name: str, report: Callable[[str, float], None], hardware: Hardware | None) -> Checkpoint:
    from model.checkpoints.folder import load_folder

    folder = Path(name).expanduser()
    if name and folder.is_dir():
        return load_folder(folder, name=name, progress=report, hardware=hardware)
    if folder.is_file():
        raise CheckpointError(
            "{name} is a file; a checkpoint is a folder. Name the folder that holds config.json.", name=name
        )
    from model.checkpoints.hub import fetch, is_hub_name

    if is_hub_name(name):
        return load_folder(fetch(name, progress=report), name=name, progress=report, hardware=hardware)
    raise CheckpointError(
        "No checkpoint {name!r}: it is not a folder here, and a hub name has the form owner/model. "
        "Use {embedded!r}, a folder, or a name such as google/t5gemma-2-270m-270m.",
        name=name,
        embedded=EMBEDDED,
    )


def _no_progress(stage: str, fraction: float) -> None:
    """Nobody is watching."""
