"""All that Readonce adds, on folders in the official layout with the three sizes' proportions and random weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import Gemma3ImageProcessorPil
from transformers.modeling_outputs import BaseModelOutput

from model.checkpoints import load_checkpoint
from model.checkpoints.checkpoint import Checkpoint
from model.checkpoints.placement import Hardware
from model.decoder.decoder import Decoder
from model.decoder.model_backend import load_backend
from model.engine import Engine
from model.types import GenerationOptions
from tests.helpers.tiny import TEXT, document, last, save_tiny, tiny_config, tiny_model

TOLERANCE = 1e-4
# layers, query heads, key-value heads, and the window in proportion; every sixth layer is global
SIZES = {"270m": (18, 4, 1, 8), "1b": (26, 4, 1, 8), "4b": (34, 8, 4, 16)}


@pytest.fixture(scope="module", params=SIZES)
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    layers, heads, key_heads, window = SIZES[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    config = tiny_config(layers=layers, heads=heads, key_heads=key_heads, sliding_window=window)
    save_tiny(folder, tiny_model(config), max_shard_size="200KB")
    Gemma3ImageProcessorPil(image_mean=[0.4] * 3, image_std=[0.5] * 3).save_pretrained(folder)
    this = Hardware.this()
    exact = replace(this, dtypes=dict.fromkeys(this.dtypes, torch.float32))
    return load_checkpoint(str(folder), cache_folder=folder.parent, hardware=exact)


@torch.inference_mode()
def test_states_and_logits_equal_transformers_with_a_picture_between_texts(checkpoint: Checkpoint) -> None:
    assert checkpoint.supports_vision and checkpoint.image_processor is not None
    assert list(checkpoint.image_processor.image_mean) == [0.4] * 3  # the folder's own
    pixels = np.random.default_rng(0).integers(0, 256, (300, 200, 3), np.uint8)
    read = document(TEXT, "A caption.", TEXT)
    read = replace(read, pages=(read.pages[0], replace(read.pages[1], view="both"), read.pages[2]))
    encoded = Engine(checkpoint).encode(read, picture=lambda _: pixels)
    prepared = checkpoint.image_processor(images=[pixels], input_data_format="channels_last", return_tensors="pt")
    ids, device = encoded.tokens.ids[None].long(), checkpoint.device
    theirs = checkpoint.model.model.encoder(input_ids=ids.to(device), pixel_values=prepared["pixel_values"].to(device))
    hidden = theirs.last_hidden_state[0]
    assert (encoded.memory.hidden - hidden).abs().max() < TOLERANCE * hidden.abs().max()
    question = torch.tensor([2, 40, 41, 42], device=device)
    ours = Decoder(checkpoint.model, [encoded.memory], 1, capacity=4).begin([question.tolist()]).logits[0]
    expected = checkpoint.model(encoder_outputs=BaseModelOutput(hidden[None]), decoder_input_ids=question[None]).logits[
        0, -1
    ]
    assert (ours - expected).norm() < TOLERANCE * expected.norm()


def test_chunks_answers_and_evidence(checkpoint: Checkpoint, folder: Path) -> None:
    short = replace(checkpoint, chunk_size=60, chunk_overlap=16)
    engine = Engine(short, backend=load_backend(short.model, folder, quantized=True))
    encoded = engine.encode(document(TEXT, TEXT))
    assert encoded.chunks > 3
    answer = last(engine.answer(encoded, "Who is the treasurer?", options=GenerationOptions(max_new_tokens=8)))
    assert answer.finished and answer.encoder_tokens == 0 and answer.tokens > 0
    assert {place.page for place in answer.evidence} <= {1, 2}
