"""An encoding is a foreign file: whatever it says, it is refused in words, or it is an encoding that can be used.

Each kind of lie has a case here, with a checksum that is right; what no kind was thought of for is
`test_encoding_properties.py`.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save, save_file

from model.encoding.file_format import load_encoding, parse_encoding, save_encoding
from model.encoding.memory import to_precision
from model.encoding.sealed import seal
from model.engine import Engine
from model.errors import EncodingError
from model.types import EncodedDocument
from tests.helpers.crafted import (
    PICTURE,
    Change,
    Tensors,
    a_document,
    crafted,
    opened,
    saved,
    unchanged,
    with_tensor,
)
from tests.helpers.encoding_lies import FIELDS, TENSORS, everywhere
from tests.helpers.tiny import tiny_checkpoint


@pytest.fixture(scope="module")
def encoded() -> EncodedDocument:
    return Engine(tiny_checkpoint()).encode(a_document())


@pytest.fixture(scope="module")
def data(encoded: EncodedDocument, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return saved(encoded, tmp_path_factory.mktemp("saved"))


@pytest.fixture(scope="module")
def in_int8(encoded: EncodedDocument, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return saved(replace(encoded, memory=to_precision(encoded.memory, "int8")), tmp_path_factory.mktemp("saved"))


def refusal(data: bytes) -> str:
    """Why an encoding is refused: one sentence that names the file and says what to do."""
    with pytest.raises(EncodingError) as refused:
        parse_encoding(data, "report.safetensors")
    words = str(refused.value)
    assert words.startswith("report.safetensors ") and "\n" not in words and len(words) < 400
    return words


@pytest.mark.parametrize("kind", [*TENSORS, *FIELDS])
def test_a_crafted_encoding_is_refused_in_words(data: bytes, kind: str) -> None:
    change, words = (TENSORS | FIELDS)[kind]
    with pytest.raises(EncodingError, match=f"^report.safetensors is not a readable encoding .*(?:{words})"):
        parse_encoding(crafted(data, change), "report.safetensors")


@pytest.mark.parametrize("name", ["width", "number", "text", "view"])
def test_a_field_that_lacks_is_named(data: bytes, name: str) -> None:
    change: Change = lambda _, header: header["document"]["pages"][2].pop(name)  # noqa: E731
    assert f"pages[2] lacks '{name}'" in refusal(crafted(data, change))


def test_pages_have_their_numbers_in_order(data: bytes) -> None:
    def turned(_: Tensors, header: dict[str, Any]) -> None:
        header["document"]["pages"].reverse()

    assert "page 2 comes behind page 3" in refusal(crafted(data, turned))


@pytest.mark.parametrize(
    ("name", "new"),
    [
        ("memory.hidden_scales", everywhere(1e38)),
        ("memory.hidden_scales", everywhere(0)),
        ("memory.channel_scales", everywhere(torch.nan)),
        ("memory.channel_scales", lambda tensor: tensor[1:]),
        ("memory.hidden_scales", lambda tensor: tensor.to(torch.int8)),
        ("memory.hidden", lambda tensor: tensor[:, :16]),
    ],
)
def test_the_scales_of_int8_are_those_of_its_states(
    in_int8: bytes, name: str, new: Callable[[torch.Tensor], torch.Tensor]
) -> None:
    assert parse_encoding(in_int8, "report.safetensors").encoded.memory.hidden.dtype == torch.int8
    refusal(crafted(in_int8, with_tensor(name, new)))


def test_int8_numbers_are_bounded_with_their_scales(in_int8: bytes) -> None:
    """Each is in its range, and their product is not."""

    def large(tensors: Tensors, _: dict[str, Any]) -> None:
        for name in ("memory.hidden_scales", "memory.channel_scales"):
            tensors[name] = torch.full_like(tensors[name], 9e5)

    assert "memory.hidden has numbers" in refusal(crafted(in_int8, large))


@pytest.mark.parametrize(
    "header",
    [
        "",
        "{",
        "[1, 2]",
        "null",
        "[" * 100_000,
        '{"x": ' * 100_000,
        '{"chunks": NaN}',
        '{"chunks": Infinity}',
        '{"chunks": 1e999}',
        '{"chunks": ' + "9" * 6_000 + "}",
    ],
)
def test_a_header_that_is_none(data: bytes, header: str) -> None:
    refusal(crafted(data, unchanged, encoding=header))


def test_a_field_cannot_be_there_twice(data: bytes) -> None:
    _, texts, _ = opened(data)
    twice = '{"chunks":7,' + texts["encoding"][1:]
    assert "2 fields of the name 'chunks'" in refusal(crafted(data, unchanged, encoding=twice))
    nested = texts["encoding"][:-1] + ',"x":' + "[" * 50_000 + "]" * 50_000 + "}"
    assert "nested too deeply" in refusal(crafted(data, unchanged, encoding=nested))


@pytest.mark.parametrize(
    ("name", "picture"),
    [
        ("pictures.1", torch.frombuffer(bytearray(b"<svg onload=alert(1)>"), dtype=torch.uint8)),
        ("pictures.1", torch.zeros(0, dtype=torch.uint8)),
        ("pictures.1", torch.zeros(3, 4)),
        ("pictures.1", torch.zeros(8, dtype=torch.bfloat16)),
        ("pictures.4", torch.frombuffer(bytearray(PICTURE), dtype=torch.uint8)),
        ("pictures.01", torch.frombuffer(bytearray(PICTURE), dtype=torch.uint8)),
        ("pictures.-1", torch.frombuffer(bytearray(PICTURE), dtype=torch.uint8)),
        ("pictures.x", torch.frombuffer(bytearray(PICTURE), dtype=torch.uint8)),
        ("pictures.", torch.frombuffer(bytearray(PICTURE), dtype=torch.uint8)),
    ],
)
def test_a_picture_is_one_and_its_page_is_there(data: bytes, name: str, picture: torch.Tensor) -> None:
    assert "picture of page" in refusal(crafted(data, lambda tensors, _: tensors.update({name: picture})))


def test_pictures_come_back(encoded: EncodedDocument, tmp_path: Path) -> None:
    save_encoding(encoded, tmp_path / "report.safetensors", pictures={1: PICTURE, 3: b"\xff\xd8\xff\xe0"})
    saved = parse_encoding((tmp_path / "report.safetensors").read_bytes(), "report.safetensors")
    assert saved.pictures == {1: PICTURE, 3: b"\xff\xd8\xff\xe0"}


@pytest.mark.parametrize("version", ["1", "3", "", "<b>", "9" * 500])
def test_other_versions_are_told_to_read_the_document_again(data: bytes, version: str) -> None:
    words = refusal(crafted(data, unchanged, version=version))
    assert (
        words == f"report.safetensors has format version {version[:20]}, this program reads 2: read the document again."
    )


def layout(data: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """The file with another layout of its tensors, sealed where there is a checksum still."""
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    change(header)
    text = json.dumps(header).encode()
    changed = struct.pack("<Q", len(text)) + text + data[end:]
    texts = header.get("__metadata__")
    return seal(changed) if isinstance(texts, dict) and "checksum" in texts else changed


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header["memory.hidden"].update(data_offsets=[-5, 10]),
        lambda header: header["memory.hidden"].update(data_offsets=[0, 10**12]),
        lambda header: header["memory.hidden"].update(data_offsets=[10, 0]),
        lambda header: header["memory.hidden"].update(data_offsets=header["memory.key_scales"]["data_offsets"]),
        lambda header: header["memory.hidden"].update(shape=[2**40, 2**40]),
        lambda header: header["memory.hidden"].update(shape=[2**62, 0]),
        lambda header: header["memory.hidden"].update(shape=[-1, 5]),
        lambda header: header["memory.hidden"].update(dtype="I64"),
        lambda header: header["memory.hidden"].update(dtype="PICKLE"),
        lambda header: header["memory.hidden"].update(dtype=["F32"]),
        lambda header: header.pop("memory.hidden"),
        lambda header: header["__metadata__"].update(encoding=5),
        lambda header: header["__metadata__"].update(encoding=None),
    ],
)
def test_tensors_that_do_not_lie_as_the_file_says(data: bytes, change: Callable[[dict[str, Any]], None]) -> None:
    refusal(layout(data, change))


@pytest.mark.parametrize("texts", [None, [], ["x"], 5, {}, {"format": "x"}, {"format": ["readonce-encoding"]}])
def test_other_safetensors_files_are_told_apart(data: bytes, texts: Any) -> None:
    assert "no encoded document" in refusal(layout(data, lambda header: header.update(__metadata__=texts)))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:0],
        lambda data: data[:7],
        lambda data: data[:8],
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: struct.pack("<Q", 2**63 - 1) + data[8:],
        lambda data: struct.pack("<Q", 100_000_001) + data[8:],
        lambda data: struct.pack("<Q", 0) + data[8:],
        lambda data: b"PK\x03\x04" + data[4:],
        lambda data: b"\x80\x04\x95" + data[3:],
        lambda _: struct.pack("<Q", 1_000_000) + b"[" * 1_000_000,
        lambda _: struct.pack("<Q", 2) + b"[]",
        lambda data: data.replace(b'"checksum"', b'"checksun"'),
    ],
)
def test_files_that_are_no_safetensors_files(data: bytes, change: Callable[[bytes], bytes]) -> None:
    refusal(change(data))


def test_every_byte_is_under_the_checksum(data: bytes) -> None:
    """A single bit is enough, wherever it is; the checksum's own are among them."""
    for place in range(0, len(data), max(1, len(data) // 400)):
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        refusal(bytes(changed))


def test_a_file_is_not_read_to_its_end_before_it_is_known_to_be_an_encoding(tmp_path: Path) -> None:
    """The weights of a checkpoint, for one: they may be larger than the memory."""
    path = tmp_path / "weights.safetensors"
    save_file({"w": torch.zeros(2)}, path)
    os.truncate(path, 2**40)
    with pytest.raises(EncodingError, match="no encoded document"):
        load_encoding(path)


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    """A pipe would be waited for."""
    os.mkfifo(tmp_path / "pipe.safetensors")
    (tmp_path / "folder.safetensors").mkdir()
    (tmp_path / "loop.safetensors").symlink_to(tmp_path / "loop.safetensors")
    for name, words in (("pipe", "is not a file"), ("folder", "is not a file"), ("loop", "does not exist")):
        with pytest.raises(EncodingError, match=f"{words}: name an encoding"):
            load_encoding(tmp_path / f"{name}.safetensors")


def test_a_dense_header_costs_no_more_than_its_length_allows(data: bytes) -> None:
    end = 8 + int.from_bytes(data[:8], "little")
    padded = struct.pack("<Q", end - 8 + 2**24) + data[8:end] + b" " * 2**24 + data[end:]
    assert "bytes, and may have 16,777,216" in refusal(padded)


@pytest.mark.parametrize(
    "change",
    [
        with_tensor("memory.hidden", lambda t: t[:, :16]),
        with_tensor("memory.key_scales", lambda t: t[:1]),
        with_tensor("memory.key_scales", lambda t: t.repeat(1, 7, 1)),
        with_tensor("tokens.ids", everywhere(2**31 - 1)),
    ],
)
def test_one_that_does_not_fit_the_checkpoint_is_refused_before_it_is_answered_from(
    data: bytes, change: Change
) -> None:
    """Its fingerprint says that it does."""
    foreign = parse_encoding(crafted(data, change), "report.safetensors").encoded
    with pytest.raises(EncodingError, match=r"^report.pdf .*the checkpoint in use .*: read the document again\.$"):
        Engine(tiny_checkpoint()).answer(foreign, "Who?")


def test_the_file_can_be_rebuilt_by_hand(data: bytes) -> None:
    """It is a plain safetensors file, and the checksum is that of its bytes with zeros in the checksum's place."""
    tensors, texts, _ = opened(data)
    again = seal(save(tensors, texts | {"checksum": "0" * 64}))
    assert parse_encoding(again, "report.safetensors").encoded.token_count == len(tensors["memory.hidden"])
