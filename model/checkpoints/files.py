"""The files of a checkpoint's folder: which weights there are, and its tokenizer."""

import json
import math
import re
from collections import Counter
from pathlib import Path

from safetensors import safe_open
from tokenizers import Tokenizer

from model.checkpoints.placement import Weights
from model.errors import CheckpointError

LAYER = re.compile(r"model\.(encoder|decoder)\.(?:text_model\.)?layers\.(\d+)\.")  # older files lack `text_model`
STACKS = {"encoder": "encoder.text_model", "decoder": "decoder"}  # as transformers names them now


def weight_files(folder: Path, *, name: str) -> list[Path]:
    """The files that must be there: one, or those that the index names."""
    index = folder / "model.safetensors.index.json"
    if (folder / "model.safetensors").is_file() or not index.is_file():
        if not (folder / "model.safetensors").is_file():
            raise CheckpointError(
                "{name} has no weights (model.safetensors). Fetch it again; other formats are converted by "
                "loading them in transformers and calling save_pretrained.",
                name=name,
            )
        return [folder / "model.safetensors"]
    try:
        return [folder / part for part in sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))]
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise CheckpointError(
            "The {file} of {name} is damaged ({why}). Fetch it again.", file=index.name, name=name, why=one_line(error)
        ) from error


def count_weights(folder: Path, *, name: str) -> Weights:
    """How many numbers the weights are, from the files' headers."""
    total, layers = 0, Counter[str]()
    for path in weight_files(folder, name=name):
        with safe_open(path, framework="pt") as file:
            for key in file.keys():  # noqa: SIM118 - no mapping
                numbers = math.prod(file.get_slice(key).get_shape())
                total += numbers
                if layer := LAYER.match(key):
                    layers[f"model.{STACKS[layer[1]]}.layers.{layer[2]}"] += numbers
    return Weights(total=total, layers=layers)


def load_tokenizer(folder: Path, *, name: str) -> Tokenizer:
    """Load tokenizer.json alone. Special tokens written in a text are tokenized as ordinary characters."""
    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # the Rust tokenizer raises bare exceptions
        raise CheckpointError(
            "The tokenizer of {name} cannot be loaded ({why}). Fetch it again.", name=name, why=one_line(error)
        ) from error
    return for_foreign_text(tokenizer)


def for_foreign_text(tokenizer: Tokenizer) -> Tokenizer:
    """Configure a tokenizer for untrusted text: no special tokens in it, no truncation, nothing added."""
    tokenizer.encode_special_tokens = True
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def one_line(error: Exception) -> str:
    """What a library says, short enough for one of our sentences."""
    return " ".join(str(error).split())[:300] or type(error).__name__
