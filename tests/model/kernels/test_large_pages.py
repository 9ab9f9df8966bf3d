"""Laws of the room in large pages."""

from __future__ import annotations

import mmap

import pytest
import torch

from model.kernels.large_pages import LargePages

CACHE_LINE = 64


def test_copies_are_equal_and_begin_where_cache_lines_do() -> None:
    pages = LargePages(4096)
    given = [torch.arange(7), torch.randn(3, 5), torch.ones(2, 9, dtype=torch.bfloat16)]
    copies = [pages.put(tensor) for tensor in given]
    for tensor, copy in zip(given, copies, strict=True):
        assert torch.equal(copy, tensor) and copy.dtype == tensor.dtype
        assert copy.data_ptr() % CACHE_LINE == 0 and copy.is_contiguous()


def test_a_tensor_outlives_the_room_it_lies_in() -> None:
    tensor = LargePages(4096).put(torch.arange(9))
    assert tensor.tolist() == list(range(9))


def test_what_does_not_fit_is_refused() -> None:
    pages = LargePages(100)
    pages.put(torch.zeros(60, dtype=torch.int8))
    with pytest.raises(ValueError, match="41 bytes do not fit into 36"):
        pages.put(torch.zeros(41, dtype=torch.int8))


def test_a_system_without_large_pages_gives_small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mmap, "MADV_HUGEPAGE", -1, raising=False)  # it refuses the advice
    assert LargePages(100).put(torch.arange(3)).tolist() == [0, 1, 2]
