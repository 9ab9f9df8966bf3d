"""The embedded checkpoint: it finds simple facts, and the merged copy in the cache is used only while it is whole."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError

from model.checkpoints import load_checkpoint
from model.checkpoints.checkpoint import Checkpoint
from model.checkpoints.embedded import load_embedded
from model.decoder.model_backend import load_backend
from model.engine import Engine
from model.errors import CheckpointError
from model.training.records import make_record
from tests.helpers.full_disk import files_of_at_most
from tests.helpers.tiny import document, last, save_tiny

LEAST_FOUND = 0.6  # of the asked fields; version 6 finds 98% (README)


@pytest.mark.weights
@pytest.mark.slow
def test_simple_facts_in_short_documents_are_found(embedded: Checkpoint, folder: Path) -> None:
    """Letters, invoices and reports in names and values that no training saw, as the page reads and answers."""
    rng = random.Random(11)
    engine = Engine(embedded, backend=load_backend(embedded.model, folder, quantized=True))
    found = asked = 0
    for number in range(6):
        record = make_record(rng, "check")
        encoded = engine.encode(document(record.text, name=f"record {number}"))
        for question, answer in record.pairs[:4]:
            asked += 1
            found += last(engine.answer(encoded, question)).text == answer
    assert found / asked > LEAST_FOUND


@pytest.mark.weights
@pytest.mark.slow
def test_joined_documents_are_answered_in_bfloat16(embedded: Checkpoint) -> None:
    """Two documents asked together give finite numbers and evidence that names its document."""
    engine = Engine(embedded)
    letter = engine.encode(document("The treasurer is Omar Haddad.", name="letter"))
    bill = engine.encode(document("Invoice number: LB-20417\nTotal: 1,591.60 EUR", name="bill"))
    answer = last(engine.answer([letter, bill], "What is the invoice number?"))
    assert 0 < answer.confidence <= 1
    assert all(evidence.document in {"letter", "bill"} for evidence in answer.evidence)
    assert torch.isfinite(bill.memory.hidden.float()).all()


class QuickMerge:
    """Writes a tiny model in place of the embedded one, and counts how often."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, _part: Path, merged: Path, _progress: object) -> None:
        self.count += 1
        save_tiny(merged)


def ignore(_stage: str, _fraction: float) -> None:
    """Nobody watches."""


def cut(data: bytes) -> bytes:
    return data[:-100]


def with_a_flipped_bit(data: bytes) -> bytes:
    middle = len(data) * 2 // 3
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def without_a_beginning(data: bytes) -> bytes:
    return b"\xff" * 64 + data[64:]


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json", "readonce.json"])
@pytest.mark.parametrize("damaged", [cut, with_a_flipped_bit, without_a_beginning])
def test_the_weights_are_merged_once_and_again_when_the_copy_is_damaged(
    tmp_path: Path, name: str, damaged: Callable[[bytes], bytes]
) -> None:
    load = partial(load_embedded, tmp_path, progress=ignore, merge=(merge := QuickMerge()))
    first = load()
    assert load().fingerprint == first.fingerprint
    assert merge.count == 1
    (folder,) = tmp_path.iterdir()
    file = folder / name
    file.write_bytes(damaged(file.read_bytes()))
    again = load()
    assert merge.count == 2
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    for mine, theirs in zip(first.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_a_full_disk_is_said_in_words(tmp_path: Path) -> None:
    """It is safetensors that says it, with an error that is no OSError."""
    words = r"File too large.* free space, or name another folder"
    with files_of_at_most(10_000), pytest.raises(CheckpointError, match=words) as refused:
        load_embedded(tmp_path, progress=ignore, merge=QuickMerge())
    assert isinstance(refused.value.__cause__, SafetensorError)
    assert list(tmp_path.iterdir()) == []


def test_whatever_keeps_a_checkpoint_from_loading_is_told(tmp_path: Path) -> None:
    def breaks(_stage: str, _fraction: float) -> None:
        raise ZeroDivisionError("division by zero")

    with pytest.raises(CheckpointError, match=r"embedded cannot be loaded: division by zero \(ZeroDivisionError\)"):
        load_checkpoint("embedded", cache_folder=tmp_path, progress=breaks)


def test_a_start_that_breaks_off_leaves_nothing_half_done(tmp_path: Path) -> None:
    def breaks(part: Path, merged: Path, _progress: object) -> None:
        merged.mkdir()
        (part / "weights").write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_embedded(tmp_path, progress=ignore, merge=breaks)
    assert list(tmp_path.iterdir()) == []


def test_a_cache_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(CheckpointError, match=r"cannot be written to .*file.*READONCE_CACHE"):
        load_embedded(blocked / "cache", progress=ignore)
