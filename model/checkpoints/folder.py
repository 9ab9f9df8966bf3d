"""A folder in transformers' own layout -> a checkpoint; every way in which it can be unfit is told in words."""

import itertools
import json
import math
import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from transformers import (
    Gemma3ImageProcessorPil,
    PreTrainedTokenizerFast,
    T5Gemma2Config,
    T5Gemma2ForConditionalGeneration,
)

from model.checkpoint import Checkpoint
from model.checkpoints.fingerprint import folder_fingerprint
from model.checkpoints.placement import Placement, Weights, find_place
from model.errors import CheckpointError
from model.offload import bring_in_by_layers

MODEL_TYPE = "t5gemma2"
PRETRAINED_ONLY = ("google/t5gemma-2-270m-270m", "google/t5gemma-2-1b-1b", "google/t5gemma-2-4b-4b")
WINDOW = 8192
WINDOW_PER_OVERLAP = 16
LAYER = re.compile(r"model\.(encoder|decoder)\.(?:text_model\.)?layers\.(\d+)\.")  # older files lack `text_model`
STACKS = {"encoder": "encoder.text_model", "decoder": "decoder"}  # as transformers names them now


def load_folder(
    folder: Path, *, name: str, progress: Callable[[str, float], None], fingerprint: str = ""
) -> Checkpoint:
    """Load weights and tokenizer from a folder; `name` is what the person called it.

    `fingerprint`: where it is known better than from the folder's files.
    """
    check_kind(folder, name=name)
    _check_files(folder, name=name)
    with ThreadPoolExecutor(1) as beside:  # parsing holds Python's lock; converting large tensors does not need it
        tokenizer = beside.submit(_load_tokenizer, folder, name=name)
        placement = find_place(_weights(folder, name=name), name=name)
        progress(f"loading {name} ({placement})", 0.0)
        model = _load_model(folder, placement, name=name)
    progress(f"loading {name}", 1.0)
    config: Any = model.config
    window = min(WINDOW, config.encoder.text_config.max_position_embeddings)
    return Checkpoint(
        name=name,
        model=model,
        tokenizer=tokenizer.result(),
        window=window,
        overlap=window // WINDOW_PER_OVERLAP,
        fingerprint=fingerprint or folder_fingerprint(folder),
        description=_description(name),
        image_processor=_load_image_processor(folder, model),
        elsewhere=placement.remark,
    )


def check_kind(folder: Path, *, name: str) -> None:
    """Refuse what is not a T5Gemma 2, and say what it is."""
    path = folder / "config.json"
    if not path.is_file():
        adapter = (folder / "adapter_config.json").is_file()
        fix = "It is a LoRA adapter: merge it into its base model first." if adapter else "Name a complete model."
        raise CheckpointError(f"{name} has no config.json. {fix}")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        kind, classes = config.get("model_type"), config.get("architectures") or ["of unknown class"]
    except (ValueError, AttributeError) as error:
        raise CheckpointError(f"The config.json of {name} is damaged ({error}). Fetch it again.") from error
    if kind != MODEL_TYPE:
        raise CheckpointError(
            f"{name} is another kind of model ({', '.join(classes)}, model_type {kind!r}). Readonce needs a T5Gemma 2 "
            f"(model_type {MODEL_TYPE!r}), such as {PRETRAINED_ONLY[0]} or a fine-tune of one."
        )


def _check_files(folder: Path, *, name: str) -> None:
    """Refuse a folder that lacks a file, or holds one that was cut off."""
    if not (folder / "tokenizer.json").is_file():
        raise CheckpointError(f"{name} has no tokenizer.json. Copy it there from the model that it was made from.")
    shards = _weight_files(folder, name=name)
    for path in shards:
        if not path.is_file():
            raise CheckpointError(f"{name} lacks {path.name}, a part of its weights. Fetch it again.")
        try:
            with safe_open(path, framework="pt"):
                pass  # opening checks the header against the file's size
        except SafetensorError as error:
            raise CheckpointError(f"{path.name} of {name} is damaged ({error}). Fetch it again.") from error


def _weight_files(folder: Path, *, name: str) -> list[Path]:
    """The files that must be there: one, or those that the index names."""
    index = folder / "model.safetensors.index.json"
    if (folder / "model.safetensors").is_file() or not index.is_file():
        if not (folder / "model.safetensors").is_file():
            raise CheckpointError(
                f"{name} has no weights (model.safetensors). Fetch it again; other formats are converted by "
                "loading them in transformers and calling save_pretrained."
            )
        return [folder / "model.safetensors"]
    try:
        return [folder / part for part in sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))]
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise CheckpointError(f"The {index.name} of {name} is damaged ({_line(error)}). Fetch it again.") from error


def _load_tokenizer(folder: Path, *, name: str) -> PreTrainedTokenizerFast:
    """From tokenizer.json alone: `AutoTokenizer` parses its 33 MB six times over, in Python."""
    try:
        return PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    except Exception as error:  # the Rust tokenizer raises bare exceptions
        raise CheckpointError(f"The tokenizer of {name} cannot be loaded ({_line(error)}). Fetch it again.") from error


def _weights(folder: Path, *, name: str) -> Weights:
    """How many numbers the weights are, from the files' headers."""
    total, layers = 0, Counter[str]()
    for path in _weight_files(folder, name=name):
        with safe_open(path, framework="pt") as file:
            for key in file.keys():  # noqa: SIM118 - no mapping
                numbers = math.prod(file.get_slice(key).get_shape())
                total += numbers
                if layer := LAYER.match(key):
                    layers[f"model.{STACKS[layer[1]]}.layers.{layer[2]}"] += numbers
    return Weights(total=total, layers=layers)


def _load_model(folder: Path, placement: Placement, *, name: str) -> T5Gemma2ForConditionalGeneration:
    try:
        loaded: Any = T5Gemma2ForConditionalGeneration.from_pretrained(
            folder,
            dtype=placement.dtype,
            device_map=_device_map(folder, placement),
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
        )
    except (OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise CheckpointError(f"{name} cannot be loaded: {_line(error)}") from error
    model, report = loaded
    missing = sorted(report["missing_keys"])
    if missing:
        raise CheckpointError(
            f"The weights of {name} lack {len(missing)} tensors that its config.json asks for, first {missing[0]}. "
            "Fetch it again, or save it with save_pretrained."
        )
    if placement.elsewhere:
        bring_in_by_layers(model, placement.elsewhere, placement.device)
    return model.eval()


def _device_map(folder: Path, placement: Placement) -> dict[str, str]:
    """Each module's place: where some lie elsewhere, accelerate wants all of them named."""
    if not placement.elsewhere:
        return {"": str(placement.device)}
    with torch.device("meta"):
        model = T5Gemma2ForConditionalGeneration(T5Gemma2Config.from_pretrained(folder, local_files_only=True))
    tensors = itertools.chain(model.named_parameters(remove_duplicate=False), model.named_buffers())
    owners = {name.rpartition(".")[0] for name, _ in tensors}
    away = tuple(f"{layer}." for layer in placement.elsewhere)
    here = {owner: str(placement.device) for owner in owners if not owner.startswith(away)}
    return {**here, **placement.elsewhere}


def _load_image_processor(folder: Path, model: T5Gemma2ForConditionalGeneration) -> Gemma3ImageProcessorPil | None:
    """How pictures are prepared for the vision tower; None where nothing leads from the tower to the encoder.

    Without a file of its own it is Gemma 3's: a square of the tower's size, brightness from -1 to 1.
    """
    encoder: Any = model.model.encoder
    if not encoder.multi_modal_projector.mm_input_projection_weight.any():
        return None
    side = encoder.config.vision_config.image_size
    own: dict[str, Any] = {"size": {"height": side, "width": side}}
    if any((folder / name).is_file() for name in ("preprocessor_config.json", "processor_config.json")):
        return Gemma3ImageProcessorPil.from_pretrained(folder, local_files_only=True, **own)
    return Gemma3ImageProcessorPil(**own, image_mean=[0.5] * 3, image_std=[0.5] * 3)


def _description(name: str) -> str:
    if name in PRETRAINED_ONLY:
        return f"{name}: as Google released it, pretrained only. It continues text and was never taught to answer."
    return f"{name}: a T5Gemma 2 that is not part of Readonce. What it can do depends on how it was trained."


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
