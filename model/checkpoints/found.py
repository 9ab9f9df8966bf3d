"""Which checkpoints of the hub are on this machine already."""

import json
from pathlib import Path

from huggingface_hub import constants

from model.checkpoints.folder import MODEL_TYPE


def downloaded() -> list[str]:
    """The names of the T5Gemma 2 models in the hub's cache."""
    prefix = "models--"
    configs = Path(constants.HF_HUB_CACHE).glob(f"{prefix}*/snapshots/*/config.json")
    return sorted({_name(path.parents[2], prefix) for path in configs if _is_ours(path)})


def _name(folder: Path, prefix: str) -> str:
    return folder.name.removeprefix(prefix).replace("--", "/")


def _is_ours(config: Path) -> bool:
    try:
        return json.loads(config.read_text(encoding="utf-8")).get("model_type") == MODEL_TYPE
    except (OSError, ValueError, AttributeError):
        return False
