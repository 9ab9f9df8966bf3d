"""Law: whatever becomes of a saved encoding, it is refused in words, or it is an encoding that answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.decoder.model_backend import load_backend
from model.encoding.file_format import SavedEncoding, parse_encoding
from model.encoding.memory import to_precision
from model.encoding.sealed import seal
from model.engine import Engine
from model.errors import EncodingError
from model.types import EncodedDocument, GenerationOptions
from tests.helpers.crafted import PICTURE, a_document, crafted, saved
from tests.helpers.mutations import craft, damage
from tests.helpers.tiny import tiny_checkpoint

SHORT = GenerationOptions(max_new_tokens=2)
thoroughly = settings(
    max_examples=250, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def engines(folder: Path) -> tuple[Engine, ...]:
    """By PyTorch's operations, and by native code where there is a compiler."""
    checkpoint = tiny_checkpoint()
    return Engine(checkpoint), Engine(checkpoint, backend=load_backend(checkpoint.model, folder, quantized=False))


@pytest.fixture(scope="module", params=["float32", "int8"])
def data(
    engines: tuple[Engine, ...], request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> bytes:
    encoded = engines[0].encode(a_document())
    smaller = replace(encoded, memory=to_precision(encoded.memory, request.param))
    return saved(smaller, tmp_path_factory.mktemp("saved"), {1: PICTURE})


def use(engines: tuple[Engine, ...], encoded: EncodedDocument) -> None:
    """Answer from it, unless it does not fit the checkpoint, which is said in words."""
    for engine in engines:
        try:
            *_, answer = engine.answer(encoded, "Who founded the library?", options=SHORT)
        except EncodingError as error:
            assert "the checkpoint in use" in str(error) or "another checkpoint" in str(error)
        else:
            assert answer.finished and 0 <= answer.confidence <= 1


def parsed(data: bytes) -> SavedEncoding | None:
    """The encoding, or None where it is refused, which is said in one sentence."""
    try:
        return parse_encoding(data, "report.safetensors")
    except EncodingError as error:
        words = str(error)
        assert words.startswith("report.safetensors ") and words.endswith(".") and len(words) < 400
        return None


@thoroughly
@given(drawn=st.data())
def test_a_crafted_encoding_is_refused_or_answers(
    data: bytes, engines: tuple[Engine, ...], drawn: st.DataObject
) -> None:
    def change(tensors: dict[str, torch.Tensor], header: dict[str, Any]) -> None:
        craft(drawn.draw, tensors, header)

    found = parsed(crafted(data, change))
    if found is not None:
        use(engines, found.encoded)


@thoroughly
@given(drawn=st.data())
def test_a_damaged_encoding_is_refused(data: bytes, drawn: st.DataObject) -> None:
    damaged = damage(drawn.draw, data)
    assert parsed(damaged) is None or damaged == data


@thoroughly
@given(drawn=st.data())
def test_a_damaged_encoding_with_a_new_checksum_is_refused_or_answers(
    data: bytes, engines: tuple[Engine, ...], drawn: st.DataObject
) -> None:
    try:
        damaged = seal(damage(drawn.draw, data))
    except ValueError:  # there is no place for one
        return
    if (found := parsed(damaged)) is not None:
        use(engines, found.encoded)


@thoroughly
@given(drawn=st.data())
def test_what_is_loaded_is_saved_and_loaded_again_as_it_is(
    data: bytes, tmp_path_factory: pytest.TempPathFactory, drawn: st.DataObject
) -> None:
    def change(tensors: dict[str, torch.Tensor], header: dict[str, Any]) -> None:
        craft(drawn.draw, tensors, header)

    found = parsed(crafted(data, change))
    if found is not None:
        again = saved(found.encoded, tmp_path_factory.mktemp("again"), found.pictures)
        once_more = parsed(again)
        assert once_more is not None and once_more.encoded.document == found.encoded.document
        assert torch.equal(once_more.encoded.memory.hidden, found.encoded.memory.hidden)
        assert once_more.pictures == found.pictures
