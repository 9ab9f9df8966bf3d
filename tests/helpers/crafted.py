"""Saved encodings as somebody may craft them: changed, and their checksum made anew."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save

from model.encoding.file_format import save_encoding
from model.encoding.sealed import seal
from model.types import Document, EncodedDocument, Word
from tests.helpers.tiny import TEXT, document

Tensors = dict[str, torch.Tensor]
Change = Callable[[Tensors, dict[str, Any]], None]

PICTURE = b"\x89PNG\r\n\x1a\n and what follows"


def a_document() -> Document:
    """Three pages, of which one is empty and the first has two words and a bad scan."""
    source = document(TEXT, "", "Straße 日本語")
    words = (
        Word(start=0, end=3, box=(0.1, 0.2, 0.3, 0.25)),
        Word(start=4, end=11, box=(0.3, 0.2, 0.5, 0.25), hidden=True),
    )
    first = replace(source.pages[0], words=words, source="ocr", unread_boxes=2, unread_parts=("notes",), label="Résumé")
    return replace(source, sha256=sha256(b"report").hexdigest(), pages=(first, *source.pages[1:]))


def saved(encoded: EncodedDocument, folder: Path, pictures: Mapping[int, bytes] | None = None) -> bytes:
    """The file of an encoding."""
    save_encoding(encoded, folder / "saved.safetensors", pictures=pictures)
    return (folder / "saved.safetensors").read_bytes()


def opened(data: bytes) -> tuple[Tensors, dict[str, str], dict[str, Any]]:
    """A saved encoding's tensors, texts, and the header among them."""
    texts = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    return load(data), texts, json.loads(texts["encoding"])


def crafted(data: bytes, change: Change, **texts: str) -> bytes:
    """The file with the change, with these texts in place of its own, and with a checksum that is right."""
    tensors, before, header = opened(data)
    change(tensors, header)
    contiguous = {name: tensor.clone().contiguous() for name, tensor in tensors.items()}
    return seal(save(contiguous, before | {"encoding": json.dumps(header)} | texts))


def unchanged(_tensors: Tensors, _header: dict[str, Any]) -> None:
    """The file as it was."""


def with_tensor(name: str, new: Callable[[torch.Tensor], torch.Tensor]) -> Change:
    """Another tensor in place of this one."""

    def change(tensors: Tensors, _header: dict[str, Any]) -> None:
        tensors[name] = new(tensors[name])

    return change


def with_field(value: Any, *path: str | int) -> Change:
    """Another value in the header, at this place of it."""

    def change(_tensors: Tensors, header: dict[str, Any]) -> None:
        place: Any = header
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return change
