"""Checkpoints by name: what loads, and what a person is told when it does not."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel, Gemma3ForCausalLM, Gemma3TextConfig

from model.checkpoints.checkpoint import Checkpoint
from model.checkpoints.placement import free_bytes
from model.errors import CheckpointError
from tests.helpers.hardware import some_hardware

Load = Callable[[str | Path], Checkpoint]


@pytest.fixture
def folder(tiny_folder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny checkpoint that a test may damage."""
    return shutil.copytree(tiny_folder, tmp_path / "copy")


def test_a_local_folder_loads(tiny_checkpoint: Checkpoint, tiny_folder: Path) -> None:
    assert tiny_checkpoint.name == str(tiny_folder)
    assert not tiny_checkpoint.model.training
    assert (tiny_checkpoint.chunk_size, tiny_checkpoint.chunk_overlap) == (1024, 64)  # no longer than its positions
    assert tiny_checkpoint.dtype in (torch.float32, torch.bfloat16)
    assert tiny_checkpoint.model.device == tiny_checkpoint.device
    assert tiny_checkpoint.description.startswith(str(tiny_folder))


def test_the_tokenizer_knows_where_its_tokens_stand(tiny_checkpoint: Checkpoint) -> None:
    encoded = tiny_checkpoint.tokenizer.encode("ab c")
    assert encoded.ids[0] == tiny_checkpoint.bos
    assert encoded.offsets[1:] == [(0, 1), (1, 2), (2, 3), (3, 4)]


def test_loading_tells_its_progress(tiny_folder: Path, tmp_path: Path) -> None:
    from model.checkpoints import load_checkpoint

    told: list[tuple[str, float]] = []
    load_checkpoint(str(tiny_folder), cache_folder=tmp_path, progress=lambda *step: told.append(step))
    stage, _ = told[0]
    assert stage.startswith(f"loading {tiny_folder} (0.0 GB of memory on ") and stage.endswith(" GB are free)")
    assert told[-1] == (f"loading {tiny_folder}", 1.0)


def test_weights_that_no_memory_holds_are_refused_before_loading(tiny_folder: Path, tmp_path: Path) -> None:
    from model.checkpoints import load_checkpoint

    stages: list[str] = []
    with pytest.raises(CheckpointError, match=r"does not fit: .* GB of memory on cpu.*smaller checkpoint"):
        load_checkpoint(
            str(tiny_folder),
            cache_folder=tmp_path,
            progress=lambda stage, _: stages.append(stage),
            hardware=some_hardware(cpu=1_000),
        )
    assert stages == []


def test_a_container_is_held_to_its_own_limit(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("5000000\n")
    (tmp_path / "memory.current").write_text("2000000\n")
    assert free_bytes(torch.device("cpu"), tmp_path) == 3_000_000
    (tmp_path / "memory.max").write_text("max\n")
    assert free_bytes(torch.device("cpu"), tmp_path) > 3_000_000


def test_loading_prints_nothing(tiny_folder: Path, load: Load, capfd: pytest.CaptureFixture[str]) -> None:
    load(tiny_folder)
    assert capfd.readouterr() == ("", "")


def test_the_fingerprint_is_that_of_the_content(tiny_checkpoint: Checkpoint, folder: Path, load: Load) -> None:
    assert load(folder).fingerprint == tiny_checkpoint.fingerprint
    weights = bytearray((folder / "model.safetensors").read_bytes())
    weights[-10] ^= 1  # one bit of the last tensor
    (folder / "model.safetensors").write_bytes(weights)
    assert load(folder).fingerprint != tiny_checkpoint.fingerprint


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_folder_that_lacks_a_file(missing: str, folder: Path, load: Load) -> None:
    (folder / missing).unlink()
    with pytest.raises(CheckpointError, match=f"copy (has no|lacks).*{missing}"):
        load(folder)


@pytest.mark.parametrize("damaged", ["config.json", "model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("content", [b"", b'{"a"', b"[]"])
def test_a_damaged_file(damaged: str, content: bytes, folder: Path, load: Load) -> None:
    (folder / damaged).write_bytes(content)
    with pytest.raises(CheckpointError, match=r"Fetch it again\.$"):
        load(folder)


def test_weights_that_were_cut_off(folder: Path, load: Load) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(CheckpointError, match=r"model\.safetensors of .* is damaged"):
        load(folder)


def test_a_missing_part_of_sharded_weights(tiny_checkpoint: Checkpoint, folder: Path, load: Load) -> None:
    (folder / "model.safetensors").unlink()
    tiny_checkpoint.model.save_pretrained(folder, max_shard_size="50KB")
    assert load(folder).chunk_size == tiny_checkpoint.chunk_size
    last = sorted(folder.glob("model-*.safetensors"))[-1]
    last.unlink()
    with pytest.raises(CheckpointError, match=f"lacks {last.name}"):
        load(folder)


def test_weights_of_another_shape(folder: Path, load: Load) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["encoder"]["text_config"]["intermediate_size"] = 48
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        load(folder)


def test_weights_that_are_too_few(folder: Path, load: Load) -> None:
    config = json.loads((folder / "config.json").read_text())
    for part in (config["encoder"]["text_config"], config["decoder"]):
        part["num_hidden_layers"] += 1
        part["layer_types"].append("sliding_attention")
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=r"lack \d+ tensors .* first .*layers\.7"):
        load(folder)


def test_a_decoder_is_another_kind_of_model(tmp_path: Path, load: Load) -> None:
    size = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "vocab_size": 10}
    heads = {"num_attention_heads": 1, "num_key_value_heads": 1, "head_dim": 16}
    Gemma3ForCausalLM(Gemma3TextConfig(**size, **heads)).save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match=r"Gemma3ForCausalLM, model_type 'gemma3_text'.*needs a T5Gemma 2"):
        load(tmp_path)


def test_an_encoder_is_another_kind_of_model(tmp_path: Path, load: Load) -> None:
    BertModel(BertConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=1, vocab_size=10)).save_pretrained(
        tmp_path
    )
    with pytest.raises(CheckpointError, match=r"BertModel, model_type 'bert'"):
        load(tmp_path)


def test_an_adapter_is_no_checkpoint(tmp_path: Path, load: Load) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(CheckpointError, match="LoRA adapter: merge it"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["embeded", "", "./missing/folder", "a/b/c", "https://huggingface.co/a/b", "a b/c"])
def test_a_name_that_cannot_be_one(name: str, load: Load) -> None:
    with pytest.raises(CheckpointError, match="owner/model"):
        load(name)


def test_a_file_is_no_folder(folder: Path, load: Load) -> None:
    with pytest.raises(CheckpointError, match="is a file; a checkpoint is a folder"):
        load(folder / "model.safetensors")
