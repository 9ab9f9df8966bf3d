"""A saved encoding is the encoding; a damaged or foreign file is refused with the fix in words."""

from __future__ import annotations

import math
import os
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch

from model.encoding.file_format import load_encoding, save_encoding
from model.encoding.header import DocumentHeader, PageHeader
from model.encoding.memory import select_tokens, to_device, to_precision
from model.engine import Engine
from model.errors import EncodingError
from model.types import Document, EncodedDocument, Page, Precision, Word
from tests.helpers.crafted import a_document
from tests.helpers.tiny import TEXT, document, tiny_checkpoint


@pytest.fixture(scope="module")
def encoded() -> EncodedDocument:
    return Engine(tiny_checkpoint(chunk_size=40, chunk_overlap=8)).encode(a_document())


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
def test_what_an_encoding_takes_is_known_before(precision: Precision | None) -> None:
    engine = Engine(tiny_checkpoint(chunk_size=40, chunk_overlap=8), memory_precision=precision)
    plan = engine.plan(a_document())
    assert engine.encoder_tokens == 0
    encoded = engine.encode(plan)
    assert encoded.chunks > 1 and plan.token_count == encoded.token_count - encoded.chunks  # each has a `<bos>`
    assert plan.cache_bytes == encoded.cache_bytes


def test_a_planned_document_is_tokenized_once(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(tiny_checkpoint(chunk_size=40, chunk_overlap=8))
    alone, plan = engine.encode(a_document()), engine.plan(a_document())
    monkeypatch.setattr("model.encoder.plan.tokenize", None)
    planned = engine.encode(plan)
    assert torch.equal(planned.memory.hidden, alone.memory.hidden)
    assert torch.equal(planned.tokens.ids, alone.tokens.ids) and planned.document == alone.document


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


def test_another_checkpoint_is_refused(encoded: EncodedDocument, tmp_path: Path) -> None:
    path = tmp_path / "report.safetensors"
    save_encoding(encoded, path)
    with pytest.raises(EncodingError, match="another checkpoint"):
        load_encoding(path, fingerprint="other")


@pytest.mark.parametrize("name", ["a/b\\c.pdf", "line\nfeed.pdf", "\udce9t\udce9.pdf", "", "n" * 300])
def test_whatever_a_document_is_called_it_can_be_saved_and_loaded(
    encoded: EncodedDocument, tmp_path: Path, name: str
) -> None:
    """Names of files may hold bytes that are no characters."""
    called = replace(encoded, document=replace(encoded.document, name=name))
    save_encoding(called, tmp_path / "report.safetensors")
    loaded = load_encoding(tmp_path / "report.safetensors").document.name
    assert loaded.encode() and not set(loaded) & set("/\\\n") and len(loaded) <= 255


def test_boxes_that_no_page_has_are_saved_as_those_that_it_has(encoded: EncodedDocument, tmp_path: Path) -> None:
    first = encoded.document.pages[0]
    wild = replace(first.words[0], box=(-1.0, math.nan, 0.5, math.inf))
    pages = (replace(first, words=(wild,)), *encoded.document.pages[1:])
    save_encoding(replace(encoded, document=replace(encoded.document, pages=pages)), tmp_path / "report.safetensors")
    assert load_encoding(tmp_path / "report.safetensors").document.pages[0].words[0].box == (0.0, 0.0, 0.5, 1.0)


def test_what_could_not_be_loaded_again_is_not_saved(encoded: EncodedDocument, tmp_path: Path) -> None:
    hidden = encoded.memory.hidden.clone()
    hidden[3, 1] = math.nan
    with pytest.raises(EncodingError, match=r"cannot be saved .*memory.hidden.* nan"):
        save_encoding(replace(encoded, memory=replace(encoded.memory, hidden=hidden)), tmp_path / "report.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_the_header_has_every_field_of_a_document() -> None:
    """One that is added to a page is saved with it, or this fails."""
    for noun, header in ((Document, DocumentHeader), (Page, PageHeader)):
        assert {field.name for field in fields(noun)} == {field.name for field in fields(header)}
    assert {field.name for field in fields(Word)} == {"start", "end", "box", "hidden"}


def test_a_file_that_changes_while_it_is_used_changes_nothing(encoded: EncodedDocument, tmp_path: Path) -> None:
    """It is not mapped: cut off under a program that has mapped it, it would end that program."""
    path = tmp_path / "report.safetensors"
    save_encoding(encoded, path)
    loaded = load_encoding(path)
    os.truncate(path, 10)
    assert torch.equal(loaded.memory.hidden, encoded.memory.hidden)


def test_nothing_is_left_behind_where_writing_fails(encoded: EncodedDocument, tmp_path: Path) -> None:
    with pytest.raises(EncodingError, match="choose another folder"):
        save_encoding(encoded, tmp_path / "no such folder" / "report.safetensors")
    assert list(tmp_path.iterdir()) == []
