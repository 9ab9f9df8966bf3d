"""Tensors and texts in one run of bytes: a safetensors file, sealed by a checksum of every byte of it.

The checksum tells damage, not who wrote the file: whoever crafts one can seal it, so what is read is checked as well.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import BinaryIO

import torch
from safetensors.torch import load, save

from model.encoding.schema import load_json

_LENGTH_BYTES = 8  # of the header's length, little-endian, with which a safetensors file begins
_LONGEST_HEADER = 2**24  # bytes: its objects take up to 24 times as much memory
_CHECKSUM = "checksum"
_UNSEALED = "0" * 64
_SEAL = re.compile(rf'"{_CHECKSUM}"\s*:\s*"([0-9a-f]{{64}})"'.encode())  # quotes within JSON's texts have a backslash


def pack(tensors: Mapping[str, torch.Tensor], texts: Mapping[str, str]) -> bytes:
    """Contiguous tensors on the CPU and texts, by name, sealed. Raises ValueError where the texts are too long."""
    return seal(save(dict(tensors), {**texts, _CHECKSUM: _UNSEALED}))


def seal(data: bytes) -> bytes:
    """The file with the checksum that its bytes have now. Raises ValueError where there is no place for one."""
    begin, end = _seal_at(data, _header_end(data))
    return b"".join((data[:begin], _digest(data, begin, end).encode(), data[end:]))


def read_texts(file: BinaryIO) -> tuple[bytes, dict[str, str]]:
    """The beginning of a file up to its tensors, and the texts in it: they tell what the rest is, before it is read.

    Raises ValueError for what is no safetensors file.
    """
    length = file.read(_LENGTH_BYTES)
    beginning = length + file.read(_header_end(length) - _LENGTH_BYTES)
    header = load_json(beginning[_LENGTH_BYTES:])
    texts = header.get("__metadata__") if isinstance(header, dict) else None
    if not isinstance(texts, dict):
        return beginning, {}
    return beginning, {name: text for name, text in texts.items() if isinstance(text, str)}


def unpack(data: bytes) -> dict[str, torch.Tensor]:
    """The tensors of a sealed file, each in memory of its own: later changes of the file do not reach them.

    Raises ValueError where the checksum is another, SafetensorError for tensors that do not lie as their header says.
    """
    begin, end = _seal_at(data, _header_end(data))
    if (found := _digest(data, begin, end)) != (said := data[begin:end].decode()):
        raise ValueError(f"its checksum is {found[:12]}, not {said[:12]}")
    return load(data)


def _header_end(data: bytes) -> int:
    if len(data) < _LENGTH_BYTES:
        raise ValueError(f"it has {len(data)} bytes")
    length = int.from_bytes(data[:_LENGTH_BYTES], "little")
    if length > _LONGEST_HEADER:
        raise ValueError(f"its header has {length:,} bytes, and may have {_LONGEST_HEADER:,}")
    return _LENGTH_BYTES + length


def _seal_at(data: bytes, header_end: int) -> tuple[int, int]:
    """Where the checksum stands."""
    found = [match.span(1) for match in _SEAL.finditer(data, 0, header_end)]
    if len(found) != 1:
        raise ValueError(f"it has {len(found)} checksums, not 1")
    return found[0]


def _digest(data: bytes, begin: int, end: int) -> str:
    """Of every byte but those of the checksum itself."""
    digest, view = hashlib.sha256(), memoryview(data)
    for part in (view[:begin], _UNSEALED.encode(), view[end:]):
        digest.update(part)
    return digest.hexdigest()
