"""A folder in transformers' own layout -> a checkpoint; every way in which it can be unfit is told in words."""

import itertools
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from transformers import Gemma3ImageProcessorPil, T5Gemma2Config, T5Gemma2ForConditionalGeneration

from model.checkpoints.checkpoint import Checkpoint
from model.checkpoints.files import count_weights, load_tokenizer, one_line, weight_files
from model.checkpoints.fingerprint import folder_fingerprint
from model.checkpoints.placement import Hardware, Placement, find_place
from model.errors import CheckpointError, Message
from model.network.offload import offload_by_layer

MODEL_TYPE = "t5gemma2"
PRETRAINED_ONLY = ("google/t5gemma-2-270m-270m", "google/t5gemma-2-1b-1b", "google/t5gemma-2-4b-4b")
CHUNK_SIZE = 8192
CHUNKS_PER_OVERLAP = 16


def load_folder(
    folder: Path, *, name: str, progress: Callable[[str, float], None], hardware: Hardware | None = None
) -> Checkpoint:
    """Load weights and tokenizer from a folder; `name` is what the person called it.

    `hardware`: what there is for the weights; None: what this machine has. Raises CheckpointError.
    """
    check_kind(folder, name=name)
    _check_files(folder, name=name)
    with ThreadPoolExecutor(1) as beside:  # parsing holds Python's lock; converting large tensors does not need it
        tokenizer = beside.submit(load_tokenizer, folder, name=name)
        placement = find_place(count_weights(folder, name=name), name=name, hardware=hardware)
        progress(Message("loading {name} ({where})", name=name, where=placement.message), 0.0)
        model = load_model(folder, placement, name=name)
    progress(Message("loading {name}", name=name), 1.0)
    config: Any = model.config
    chunk_size = min(CHUNK_SIZE, config.encoder.text_config.max_position_embeddings)
    return Checkpoint(
        name=name,
        model=model,
        tokenizer=tokenizer.result(),
        chunk_size=chunk_size,
        chunk_overlap=chunk_size // CHUNKS_PER_OVERLAP,
        fingerprint=folder_fingerprint(folder),
        description=_description(name),
        image_processor=_load_image_processor(folder, model),
        offloaded=placement.remark,
    )


def check_kind(folder: Path, *, name: str) -> None:
    """Refuse what is not a T5Gemma 2, and say what it is."""
    path = folder / "config.json"
    if not path.is_file():
        adapter = (folder / "adapter_config.json").is_file()
        fix = "It is a LoRA adapter: merge it into its base model first." if adapter else "Name a complete model."
        raise CheckpointError("{name} has no config.json. {fix}", name=name, fix=Message(fix))
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        kind, classes = config.get("model_type"), config.get("architectures") or ["of unknown class"]
    except (ValueError, AttributeError) as error:
        raise CheckpointError(
            "The config.json of {name} is damaged ({why}). Fetch it again.", name=name, why=error
        ) from error
    if kind != MODEL_TYPE:
        raise CheckpointError(
            "{name} is another kind of model ({classes}, model_type {kind!r}). Readonce needs a T5Gemma 2 "
            "(model_type {needed!r}), such as {example} or a fine-tune of one.",
            name=name,
            classes=", ".join(classes),
            kind=kind,
            needed=MODEL_TYPE,
            example=PRETRAINED_ONLY[0],
        )


def _check_files(folder: Path, *, name: str) -> None:
    """Refuse a folder that lacks a file, or holds one that was cut off."""
    if not (folder / "tokenizer.json").is_file():
        raise CheckpointError(
            "{name} has no tokenizer.json. Copy it there from the model that it was made from.", name=name
        )
    shards = weight_files(folder, name=name)
    for path in shards:
        if not path.is_file():
            raise CheckpointError(
                "{name} lacks {file}, a part of its weights. Fetch it again.", name=name, file=path.name
            )
        try:
            with safe_open(path, framework="pt"):
                pass  # opening checks the header against the file's size
        except SafetensorError as error:
            raise CheckpointError(
                "{file} of {name} is damaged ({why}). Fetch it again.", file=path.name, name=name, why=error
            ) from error


def load_model(folder: Path, placement: Placement, *, name: str) -> T5Gemma2ForConditionalGeneration:
    """transformers' modules with the folder's weights, where the placement says."""
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
        raise CheckpointError("{name} cannot be loaded: {why}", name=name, why=one_line(error)) from error
    model, report = loaded
    missing = sorted(report["missing_keys"])
    if missing:
        raise CheckpointError(
            "The weights of {name} lack {n} tensors that its config.json asks for, first {tensor}. "
            "Fetch it again, or save it with save_pretrained.",
            name=name,
            n=len(missing),
            tensor=missing[0],
        )
    if placement.offloaded:
        offload_by_layer(model, placement.offloaded, placement.device)
    return model.eval()


def _device_map(folder: Path, placement: Placement) -> dict[str, str]:
    """Each module's device: if some are offloaded, accelerate wants all of them named."""
    if not placement.offloaded:
        return {"": str(placement.device)}
    with torch.device("meta"):
        model = T5Gemma2ForConditionalGeneration(T5Gemma2Config.from_pretrained(folder, local_files_only=True))
    tensors = itertools.chain(model.named_parameters(remove_duplicate=False), model.named_buffers())
    owners = {name.rpartition(".")[0] for name, _ in tensors}
    away = tuple(f"{layer}." for layer in placement.offloaded)
    here = {owner: str(placement.device) for owner in owners if not owner.startswith(away)}
    return {**here, **placement.offloaded}


def _load_image_processor(folder: Path, model: T5Gemma2ForConditionalGeneration) -> Gemma3ImageProcessorPil | None:
    """How pictures are prepared for the vision tower; None if no projector connects the tower to the encoder.

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
