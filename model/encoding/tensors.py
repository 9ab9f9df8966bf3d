"""The tensors of a saved encoding: which there are, of which shapes, and in which ranges their numbers lie.

Sizes of the same name are the same in all tensors: a state, a key's norm and a place for every token. What is checked
here is what the rest of the program relies on, native code included; only a checkpoint can tell whether it fits that.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch

from model.encoding.header import Header
from model.encoding.page_tensors import CELL, TABLE_SPAN, WORD_SPAN, check_page_tensors, page_tensors
from model.types import EncodedDocument, Memory, TokenMap

PICTURE = "pictures."  # then the page's number
_KEY_INV_RMS = "memory.key_scales"  # the name of `Memory.key_inv_rms` in files
_BEGINNINGS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF")  # of pictures that a browser is shown

_MAY_BE_NONE = ("words", "tables", "cells")
_LARGEST_STATE = 1e6  # a norm leaves states within the root of their number, times a gain
_LARGEST_KEY_INV_RMS = 1e6  # 1 / rms, whose square has 1e-6 added

Tensors = Mapping[str, torch.Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """The type of a tensor's numbers, and its sizes: a number, or the name of one that other tensors share."""

    dtype: torch.dtype
    sizes: tuple[str | int, ...]


def tensors_of(encoded: EncodedDocument, pictures: Mapping[int, bytes]) -> dict[str, torch.Tensor]:
    """Copies of an encoding's tensors, by name, on the CPU; pictures of its pages among them, by page number."""
    memory, tokens = encoded.memory, encoded.tokens
    tensors = {
        "memory.hidden": memory.hidden,
        _KEY_INV_RMS: memory.key_inv_rms,
        "memory.hidden_scales": memory.hidden_scales,
        "memory.channel_scales": memory.channel_scales,
        "tokens.ids": tokens.ids,
        "tokens.pages": tokens.pages,
        "tokens.starts": tokens.starts,
        "tokens.ends": tokens.ends,
    }
    tensors |= page_tensors(encoded.document)
    tensors |= {f"{PICTURE}{number}": _bytes_tensor(picture) for number, picture in pictures.items()}
    return {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items() if tensor is not None}


def check_tensors(tensors: Tensors, header: Header) -> None:
    """Raises ValueError where they are not the tensors of an encoding with this header."""
    pictures = check_shapes(tensors, header)
    pages = header.document.pages
    _check_memory(tensors)
    _check_tokens(tensors, header)
    _check_numbers("words.boxes", tensors["words.boxes"], 0.0, 1.0)
    check_page_tensors(tensors, pages)
    numbers = {str(page.number) for page in pages}
    for name in pictures:
        _check_picture(name.removeprefix(PICTURE), tensors[name], numbers)


def check_shapes(tensors: Tensors, header: Header) -> set[str]:
    """Check names, types and sizes, and no number; the names of pictures are returned. Raises ValueError."""
    expected = _expected(header)
    pictures = {name for name in tensors if name.startswith(PICTURE)}
    if different := tensors.keys() ^ expected.keys() ^ pictures:
        name = min(different)
        raise ValueError(f"the tensor {name[:60]!r} is {'not expected' if name in tensors else 'missing'}")
    pages = header.document.pages
    sizes = {"words": sum(page.words for page in pages), "tables": sum(page.tables for page in pages)}
    for name, shape in expected.items():
        _check_shape(name, tensors[name], shape, sizes)
    return pictures


def memory_from(tensors: Tensors) -> Memory:
    """The memory that a file's tensors are; they have been checked."""
    return Memory(
        hidden=tensors["memory.hidden"],
        key_inv_rms=tensors[_KEY_INV_RMS],
        hidden_scales=tensors.get("memory.hidden_scales"),
        channel_scales=tensors.get("memory.channel_scales"),
    )


def tokens_from(tensors: Tensors) -> TokenMap:
    """The tokens' places that a file's tensors are; they have been checked."""
    return TokenMap(
        ids=tensors["tokens.ids"],
        pages=tensors["tokens.pages"],
        starts=tensors["tokens.starts"],
        ends=tensors["tokens.ends"],
    )


def pictures_from(tensors: Tensors) -> dict[int, bytes]:
    """The pictures of pages, by page number."""
    return {
        int(name.removeprefix(PICTURE)): tensor.numpy().tobytes()
        for name, tensor in tensors.items()
        if name.startswith(PICTURE)
    }


def _bytes_tensor(data: bytes) -> torch.Tensor:
    return torch.frombuffer(bytearray(data), dtype=torch.uint8)


def _expected(header: Header) -> dict[str, _Shape]:
    dtype: torch.dtype = getattr(torch, header.precision)
    shapes = {
        "memory.hidden": _Shape(dtype=dtype, sizes=("tokens", "channels")),
        _KEY_INV_RMS: _Shape(dtype=torch.float32, sizes=("layers", "key heads", "tokens")),
        "words.spans": _Shape(dtype=torch.int32, sizes=("words", len(WORD_SPAN))),
        "words.boxes": _Shape(dtype=torch.float32, sizes=("words", 4)),
        "tables.spans": _Shape(dtype=torch.int32, sizes=("tables", len(TABLE_SPAN))),
        "tables.cells": _Shape(dtype=torch.int32, sizes=("cells", len(CELL))),
    }
    shapes |= {
        f"tokens.{name}": _Shape(dtype=torch.int32, sizes=("tokens",)) for name in ("ids", "pages", "starts", "ends")
    }
    if dtype == torch.int8:
        shapes["memory.hidden_scales"] = _Shape(dtype=torch.float32, sizes=("tokens",))
        shapes["memory.channel_scales"] = _Shape(dtype=torch.float32, sizes=("channels",))
    return shapes


def _check_shape(name: str, tensor: torch.Tensor, shape: _Shape, sizes: dict[str, int]) -> None:
    """A size that was not met before is noted in `sizes`."""
    if tensor.dtype != shape.dtype:
        raise ValueError(f"{name} is {tensor.dtype}, not {shape.dtype}")
    if tensor.ndim != len(shape.sizes):
        raise ValueError(f"{name} has {tensor.ndim} dimensions, not {len(shape.sizes)}")
    for size, expected in zip(tensor.shape, shape.sizes, strict=True):
        if isinstance(expected, str):
            known = sizes.setdefault(expected, size)
            if size != known or (size < 1 and expected not in _MAY_BE_NONE):
                raise ValueError(f"{name} has {size} {expected}, not {max(known, 1)}")
        elif size != expected:
            raise ValueError(f"{name} has {size} numbers a row, not {expected}")


def _check_numbers(name: str, tensor: torch.Tensor, least: float, most: float) -> None:
    """Every number lies within the bounds, which a NaN does not."""
    if not tensor.numel():
        return
    low, high = (float(bound) for bound in tensor.aminmax())
    if not (least <= low and high <= most):
        raise ValueError(f"{name} has numbers from {low:g} to {high:g}, beyond {least:g} to {most:g}")


def _check_memory(tensors: Tensors) -> None:
    smallest = torch.finfo(torch.float32).tiny
    _check_numbers(_KEY_INV_RMS, tensors[_KEY_INV_RMS], smallest, _LARGEST_KEY_INV_RMS)
    hidden, most = tensors["memory.hidden"], _LARGEST_STATE
    if hidden.dtype == torch.int8:
        for name in ("memory.hidden_scales", "memory.channel_scales"):
            _check_numbers(name, tensors[name], smallest, most)
        largest = (float(tensors[name].max()) for name in ("memory.hidden_scales", "memory.channel_scales"))
        most /= max(1.0, next(largest) * next(largest))
    _check_numbers("memory.hidden", hidden, -most, most)


def _check_tokens(tensors: Tensors, header: Header) -> None:
    """Every token lies within the text of a page that is there, or on no page: 0, whose text is empty."""
    ids, pages, starts, ends = (tensors[f"tokens.{name}"] for name in ("ids", "pages", "starts", "ends"))
    _check_numbers("tokens.ids", ids, 0, 2**31 - 1)
    numbers = torch.tensor([0, *(page.number for page in header.document.pages)], dtype=torch.int32)
    lengths = torch.tensor([0, *(len(page.text) for page in header.document.pages)])
    index = torch.searchsorted(numbers, pages).clamp(max=len(numbers) - 1)
    if (wrong := numbers[index] != pages).any():
        raise ValueError(f"a token stands on page {int(pages[wrong][0])}, which is not there")
    if (wrong := (starts < 0) | (ends < starts) | (ends > lengths[index])).any():
        place = f"characters {int(starts[wrong][0])} to {int(ends[wrong][0])} of page {int(pages[wrong][0])}"
        raise ValueError(f"a token stands for {place}, which has {int(lengths[index][wrong][0])}")


def _check_picture(number: str, tensor: torch.Tensor, pages: Collection[str]) -> None:
    if number not in pages:
        raise ValueError(f"there is a picture of page {number[:20]!r}, which is not there")
    if tensor.dtype != torch.uint8 or tensor.ndim != 1:
        raise ValueError(f"the picture of page {number} is {tensor.dtype} {tuple(tensor.shape)}, not a row of bytes")
    if not tensor[:8].numpy().tobytes().startswith(_BEGINNINGS):
        raise ValueError(f"the picture of page {number} is no PNG, JPEG or WebP")
