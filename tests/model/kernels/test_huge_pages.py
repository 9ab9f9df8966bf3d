"""Laws of memory in huge pages."""

from __future__ import annotations

import mmap

import pytest
import torch

from model.kernels.huge_pages import HugePages

CACHE_LINE = 64


def test_copies_are_equal_and_begin_where_cache_lines_do() -> None:
    pages = HugePages(4096)
    given = [torch.arange(7), torch.randn(3, 5), torch.ones(2, 9, dtype=torch.bfloat16)]
    copies = [pages.copy(tensor) for tensor in given]
    for tensor, copy in zip(given, copies, strict=True):
        assert torch.equal(copy, tensor) and copy.dtype == tensor.dtype
        assert copy.data_ptr() % CACHE_LINE == 0 and copy.is_contiguous()


def test_a_tensor_outlives_the_object_that_gave_it() -> None:
    tensor = HugePages(4096).copy(torch.arange(9))
    assert tensor.tolist() == list(range(9))


def test_what_does_not_fit_is_refused() -> None:
    pages = HugePages(100)
    pages.copy(torch.zeros(60, dtype=torch.int8))
    with pytest.raises(ValueError, match="41 bytes do not fit into 36"):
        pages.copy(torch.zeros(41, dtype=torch.int8))


def test_a_system_without_huge_pages_gives_small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mmap, "MADV_HUGEPAGE", -1, raising=False)  # it refuses the advice
    assert HugePages(100).copy(torch.arange(3)).tolist() == [0, 1, 2]
