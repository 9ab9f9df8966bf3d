"""The embedded checkpoint's own modules give what transformers' give, from the same folder."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from model.checkpoints.checkpoint import Checkpoint
from model.encoder.encoder import encode_chunk
from model.engine import Engine
from model.network.t5gemma2 import TextT5Gemma2, load_text_t5gemma2
from tests.helpers.tiny import TEXT, document, last, tiny_checkpoint

CPU = torch.device("cpu")
TOLERANCE = 1e-4  # states and logits are of the order of ten


@pytest.fixture
def ours(tiny_folder: Path) -> TextT5Gemma2:
    return load_text_t5gemma2(tiny_folder, CPU, torch.float32)


@pytest.fixture
def theirs() -> Checkpoint:
    return replace(tiny_checkpoint(), image_processor=None)


def test_encoder_states_are_transformers(ours: TextT5Gemma2, theirs: Checkpoint) -> None:
    """Longer than the sliding window; the global layers' RoPE has a factor."""
    ids = torch.arange(7, 90)
    expected = theirs.model.model.encoder(input_ids=ids[None]).last_hidden_state[0]
    assert (encode_chunk(ours, ids) - expected).abs().max() < TOLERANCE


def test_answers_and_their_confidence_are_those_of_transformers_modules(ours: TextT5Gemma2, theirs: Checkpoint) -> None:
    answers = []
    for checkpoint in (theirs, replace(theirs, model=ours)):
        engine = Engine(checkpoint)
        answers.append(last(engine.answer(engine.encode(document(TEXT)), "Who is the treasurer?")))
    assert answers[0].text == answers[1].text
    assert answers[0].confidence == pytest.approx(answers[1].confidence, rel=1e-3)


def test_the_output_head_is_the_embedding_also_after_a_move(ours: TextT5Gemma2) -> None:
    moved = ours.to(torch.bfloat16)
    assert moved.lm_head.out_proj.weight is moved.model.decoder.embed_tokens.weight
    assert moved.model.encoder.text_model.embed_tokens is moved.model.decoder.embed_tokens
    assert (moved.device, moved.dtype) == (CPU, torch.bfloat16)


@pytest.mark.parametrize(("entry", "error"), [("decoder", KeyError), ("num_hidden_layers", RuntimeError)])
def test_a_configuration_that_does_not_fit_is_an_error(
    entry: str, error: type[Exception], tiny_folder: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_folder, tmp_path / "copy")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    if entry in config:
        del config[entry]
    else:
        config["decoder"][entry] += 1
        config["decoder"]["layer_types"].append("full_attention")
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(error, match=entry if error is KeyError else "layers"):
        load_text_t5gemma2(folder, CPU, torch.float32)
