"""Both sides of the border to native code have the same structures, and a difference is found when it is loaded."""

from __future__ import annotations

from ctypes import Structure, c_int32, c_int64, c_void_p
from pathlib import Path

import pytest

from model.errors import KernelError
from model.kernels.library import load_library
from model.kernels.structs import STRUCTS, EncoderChunk, check_layouts, layout_of
from tests.helpers.targets import needs_compiler

pytestmark = needs_compiler
FIELDS = ("hidden", "cos", "sin", "keys", "values")


def chunk(*fields: tuple[str, type]) -> type[Structure]:
    return type("EncoderChunk", (Structure,), {"_fields_": fields})


def test_the_structures_are_the_same_on_both_sides(folder: Path) -> None:
    check_layouts(load_library(folder))


@pytest.mark.parametrize("struct", STRUCTS)
def test_a_layout_names_every_field(struct: type[Structure]) -> None:
    layout = layout_of(struct)
    assert all(f" {name}@" in layout for name, *_ in struct._fields_)


@pytest.mark.parametrize(
    "other",
    [
        chunk(("tokens", c_int32), *((name, c_void_p) for name in FIELDS), ("more", c_int32)),  # a field more
        chunk(("tokens", c_int32), *((name, c_void_p) for name in FIELDS[:-1])),  # a field less
        chunk(("tokens", c_int32), *((name, c_void_p) for name in sorted(FIELDS))),  # another order, the same size
        chunk(("tokens", c_int64), *((name, c_int32) for name in FIELDS)),  # other types
    ],
)
def test_another_structure_is_refused(other: type[Structure], folder: Path) -> None:
    with pytest.raises(KernelError, match="disagree about EncoderChunk: compiled is 'EncoderChunk 48 tokens@0"):
        check_layouts(load_library(folder), (other,))


def test_a_structure_that_was_not_compiled_is_refused(folder: Path) -> None:
    unknown = type("Unknown", (Structure,), {"_fields_": EncoderChunk._fields_})
    with pytest.raises(KernelError, match="about Unknown: compiled is 'no such structure'"):
        check_layouts(load_library(folder), (unknown,))
