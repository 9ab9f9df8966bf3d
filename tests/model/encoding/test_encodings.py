"""A saved encoding is the encoding; a damaged or foreign file is refused with the fix in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from model.encoding.file_format import load_encoding, save_encoding
from model.encoding.memory import select_tokens, to_device, to_precision
from model.engine import Engine
from model.errors import EncodingError
from model.types import EncodedDocument, Precision, Word
from tests.helpers.tiny import TEXT, document, tiny_checkpoint

Tensors = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def encoded() -> EncodedDocument:
    words = (
        Word(start=0, end=3, box=(0.1, 0.2, 0.3, 0.25)),
        Word(start=4, end=11, box=(0.3, 0.2, 0.5, 0.25), hidden=True),
    )
    source = document(TEXT, "", "Straße 日本語")
    first = replace(source.pages[0], words=words, source="ocr", unread_boxes=2)
    return Engine(tiny_checkpoint(chunk_size=40, chunk_overlap=8)).encode(
        replace(source, pages=(first, *source.pages[1:]))
    )


def test_save_then_load_is_identical_to_the_bit(encoded: EncodedDocument, tmp_path: Path) -> None:
    save_encoding(encoded, tmp_path / "report.safetensors")
    loaded = load_encoding(tmp_path / "report.safetensors", fingerprint=encoded.fingerprint)
    for name in ("memory", "tokens"):
        ours, theirs = getattr(encoded, name), getattr(loaded, name)
        for field in fields(ours):
            one, other = getattr(ours, field.name), getattr(theirs, field.name)
            assert one is other is None or torch.equal(one, other), field.name
    assert [page.text for page in loaded.document.pages] == [page.text for page in encoded.document.pages]
    for ours, theirs in zip(encoded.document.pages, loaded.document.pages, strict=True):
        assert replace(theirs, words=()) == replace(ours, words=())
        for one, other in zip(ours.words, theirs.words, strict=True):
            assert (one.start, one.end, one.hidden) == (other.start, other.end, other.hidden)
            assert one.box == pytest.approx(other.box)
    assert (loaded.chunks, loaded.encode_seconds) == (encoded.chunks, encoded.encode_seconds)


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_what_is_kept_smaller_survives(encoded: EncodedDocument, tmp_path: Path, precision: Precision) -> None:
    smaller = replace(encoded, memory=to_precision(encoded.memory, precision))
    save_encoding(smaller, tmp_path / "smaller.safetensors")
    loaded = load_encoding(tmp_path / "smaller.safetensors").memory
    assert torch.equal(loaded.hidden, smaller.memory.hidden)
    assert loaded.nbytes == smaller.memory.nbytes < encoded.memory.nbytes
    back = to_device(loaded, torch.device("cpu"), torch.float32)
    assert (back.hidden - encoded.memory.hidden).norm() < 0.02 * encoded.memory.hidden.norm()
    assert torch.equal(back.key_inv_rms, encoded.memory.key_inv_rms)


def test_int8_keeps_every_channel_beside_a_huge_one_in_all_windows() -> None:
    """As the states of real checkpoints are: one scale a token would round the other channels away."""
    checkpoint = tiny_checkpoint(chunk_size=40, chunk_overlap=8)
    with torch.no_grad():
        checkpoint.model.model.encoder.text_model.norm.weight[7] = 300.0
    exact, in_int8 = (
        Engine(checkpoint, memory_precision=precision).encode(document(TEXT)).memory for precision in (None, "int8")
    )
    every = torch.ones(len(exact.hidden), dtype=torch.bool).index_fill(0, torch.tensor([3]), value=False)
    exact, in_int8 = select_tokens(exact, every), select_tokens(in_int8, every)
    back = to_device(in_int8, torch.device("cpu"), torch.float32).hidden
    error = (back - exact.hidden).norm(dim=0) / exact.hidden.norm(dim=0)  # (H,)
    assert len(exact.hidden) > 80 and exact.hidden[:, 7].abs().max() > 100
    assert error.max() < 0.02


@pytest.mark.parametrize("precision", [None, "bfloat16", "int8"])
def test_what_an_encoding_takes_is_known_before(encoded: EncodedDocument, precision: Precision | None) -> None:
    engine = Engine(tiny_checkpoint(), memory_precision=precision)
    assert engine.memory_bytes(encoded.token_count) == to_precision(encoded.memory, precision).nbytes


def test_a_saved_encoding_answers_like_the_first(encoded: EncodedDocument, tmp_path: Path) -> None:
    save_encoding(encoded, tmp_path / "report.safetensors")
    engine = Engine(tiny_checkpoint(chunk_size=40, chunk_overlap=8))
    loaded = load_encoding(tmp_path / "report.safetensors")
    (*_, ours), (*_, theirs) = engine.answer(encoded, "Who?"), engine.answer(loaded, "Who?")
    assert (ours.text, ours.confidence) == (theirs.text, theirs.confidence)
    assert engine.encoder_tokens == 0


def test_an_encoding_from_a_machine_with_another_precision_is_answered(encoded: EncodedDocument) -> None:
    others = [replace(encoded, memory=to_precision(encoded.memory, precision)) for precision in ("bfloat16", "int8")]
    *_, answer = Engine(tiny_checkpoint(chunk_size=40, chunk_overlap=8)).answer([encoded, *others], "Who?")
    assert answer.finished


def _not_finite(tensors: Tensors) -> None:
    tensors["memory.hidden"][3, 1] = torch.nan


def _shorter(tensors: Tensors) -> None:
    tensors["tokens.ids"] = tensors["tokens.ids"][:-1].clone()


def _outside(tensors: Tensors) -> None:
    tensors["tokens.ends"][5] = 100_000


def _unknown_page(tensors: Tensors) -> None:
    tensors["tokens.pages"][5] = 77


def _word_outside(tensors: Tensors) -> None:
    tensors["words.spans"][1, 1] = 100_000


def _without_scales(tensors: Tensors) -> None:
    del tensors["memory.key_scales"]


def _scales_of_int8(tensors: Tensors) -> None:
    tensors["memory.hidden_scales"] = torch.ones(len(tensors["memory.hidden"]))


def _other_precision(tensors: Tensors) -> None:
    tensors["memory.hidden"] = tensors["memory.hidden"].half()


@pytest.mark.parametrize(
    "damage",
    [_not_finite, _shorter, _outside, _unknown_page, _word_outside, _without_scales, _scales_of_int8, _other_precision],
)
def test_damage_is_found_on_load(encoded: EncodedDocument, tmp_path: Path, damage: Callable[[Tensors], None]) -> None:
    path = tmp_path / "report.safetensors"
    save_encoding(encoded, path)
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    damage(tensors)
    save_file(tensors, path, metadata)
    with pytest.raises(EncodingError, match="encode the document again"):
        load_encoding(path)


def test_another_checkpoint_or_version_is_refused(encoded: EncodedDocument, tmp_path: Path) -> None:
    path = tmp_path / "report.safetensors"
    save_encoding(encoded, path)
    with pytest.raises(EncodingError, match="another checkpoint"):
        load_encoding(path, fingerprint="other")
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    save_file(load_file(path), path, metadata | {"version": "2"})
    with pytest.raises(EncodingError, match="format version 2"):
        load_encoding(path)


def test_files_that_are_no_encodings_are_refused(tmp_path: Path) -> None:
    weights, text, cut = (tmp_path / name for name in ("weights.safetensors", "text.safetensors", "cut.safetensors"))
    save_file({"w": torch.zeros(2)}, weights)
    text.write_text(json.dumps({"not": "safetensors"}))
    cut.write_bytes(weights.read_bytes()[:-3])
    for path, words in ((weights, "no encoded document"), (text, "not a readable"), (cut, "not a readable")):
        with pytest.raises(EncodingError, match=words):
            load_encoding(path)
    with pytest.raises(EncodingError, match="does not exist"):
        load_encoding(tmp_path / "missing.safetensors")


def test_nothing_is_left_behind_where_writing_fails(encoded: EncodedDocument, tmp_path: Path) -> None:
    with pytest.raises(EncodingError, match="choose another folder"):
        save_encoding(encoded, tmp_path / "no such folder" / "report.safetensors")
    assert list(tmp_path.iterdir()) == []
