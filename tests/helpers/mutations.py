"""What may be changed in a saved encoding, for property tests: by somebody who crafts one, and by chance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from hypothesis import strategies as st

from tests.helpers.crafted import Tensors

Draw = Callable[[st.SearchStrategy[Any]], Any]

DTYPES = (
    torch.bfloat16,
    torch.float16,
    torch.float32,
    torch.float64,
    torch.int8,
    torch.uint8,
    torch.int32,
    torch.int64,
)
NUMBERS = st.sampled_from((0, 1, -1, 2, 0.5, 1e-40, 1e-7, 1e5, 2e6, 3e38, -3e38, torch.nan, torch.inf, -torch.inf))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-2, 12)
    | st.floats()
    | st.text(max_size=9)
    | st.sampled_from(("text", "ocr", "tags", "image", "both", "int8", "bfloat16", "../x", "<b>", "f" * 64))
)
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=4), SCALARS, max_size=3)


def craft(draw: Draw, tensors: Tensors, header: dict[str, Any]) -> None:
    """Change one to three things."""
    for _ in range(draw(st.integers(1, 3))):
        draw(st.sampled_from((_field, _field, _number, _number, _shape, _type, _presence)))(draw, tensors, header)


def damage(draw: Draw, data: bytes) -> bytes:
    """Flip bits, cut the file off, or put bytes in; more often in its header, where a bit means more."""
    end = 8 + int.from_bytes(data[:8], "little") if draw(st.booleans()) else len(data)
    changed, place = bytearray(data), draw(st.integers(0, end - 1))
    kind = draw(st.sampled_from(("flip", "cut", "put", "zero")))
    if kind == "flip":
        for _ in range(draw(st.integers(1, 4))):
            changed[draw(st.integers(0, end - 1))] ^= 1 << draw(st.integers(0, 7))
    elif kind == "cut":
        del changed[place:]
    elif kind == "put":
        changed[place:place] = draw(st.binary(min_size=1, max_size=9))
    else:
        changed[place : place + 8] = bytes(8)
    return bytes(changed)


def _field(draw: Draw, _tensors: Tensors, header: dict[str, Any]) -> None:
    """Another value, or none, somewhere in the header."""
    place: Any = header
    while place:
        key = draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
        if isinstance(place[key], dict | list) and draw(st.integers(0, 4)):
            place = place[key]
        elif draw(st.integers(0, 7)):
            place[key] = _near(draw, place[key])
            return
        else:
            del place[key]
            return


def _near(draw: Draw, value: Any) -> Any:
    """Any value, or one that is only a little different."""
    if type(value) in (int, float) and draw(st.booleans()):
        return value + draw(st.integers(-2, 2))
    if isinstance(value, str) and draw(st.booleans()):
        return value[: draw(st.integers(0, len(value)))] + draw(st.text(max_size=3))
    return draw(VALUES)


def _number(draw: Draw, tensors: Tensors, _header: dict[str, Any]) -> None:
    """One number of a tensor, or all of a row."""
    name = _name(draw, tensors)
    tensor = tensors[name] = tensors[name].clone()
    if not tensor.numel():
        return
    row = draw(st.integers(0, len(tensor) - 1)) if tensor.ndim else 0
    value = draw(NUMBERS | st.integers(-3, 400) | st.sampled_from((2**31 - 1, -(2**31))))
    if not tensor.is_floating_point():
        info = torch.iinfo(tensor.dtype)
        value = 0 if value != value else int(min(max(value, info.min), info.max))
    if tensor.ndim and draw(st.booleans()):
        tensor[row] = value
    else:
        tensor.view(-1)[row] = value


def _shape(draw: Draw, tensors: Tensors, _header: dict[str, Any]) -> None:
    """Rows, or columns, that are fewer, more, or in another order."""
    name = _name(draw, tensors)
    tensor = tensors[name]
    if not tensor.ndim:
        return
    dimension = draw(st.integers(0, tensor.ndim - 1))
    size = tensor.shape[dimension]
    first = draw(st.integers(0, min(size, 3)))
    ways: dict[str, Callable[[], torch.Tensor]] = {
        "fewer": lambda: tensor.narrow(dimension, first, size - first),
        "one": lambda: tensor.narrow(dimension, 0, min(size, 1)),
        "twice": lambda: torch.cat([tensor, tensor], dimension),
        "turned": lambda: tensor.flip(dimension),
        "rolled": lambda: tensor.roll(first, dimension),
        "flat": tensor.flatten,
        "deeper": lambda: tensor[None],
        "across": lambda: tensor.transpose(0, -1),
    }
    tensors[name] = ways[draw(st.sampled_from(sorted(ways)))]().clone()


def _type(draw: Draw, tensors: Tensors, _header: dict[str, Any]) -> None:
    name = _name(draw, tensors)
    tensors[name] = tensors[name].to(draw(st.sampled_from(DTYPES)))


def _presence(draw: Draw, tensors: Tensors, _header: dict[str, Any]) -> None:
    """A tensor goes, takes another one's place, or gets another name."""
    name, other = _name(draw, tensors), draw(st.sampled_from((*sorted(tensors), "memory.extra", "pictures.1", "")))
    if draw(st.booleans()):
        tensors[other] = tensors[name].clone()
    if draw(st.booleans()):
        del tensors[name]


def _name(draw: Draw, tensors: Tensors) -> str:
    name: str = draw(st.sampled_from(sorted(tensors)))
    return name
