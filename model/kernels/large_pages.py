"""Memory in large pages, for numbers that each token reads from end to end."""

from __future__ import annotations

import mmap
from contextlib import suppress

import torch

_CACHE_LINE = 64  # bytes
_PRIVATE = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}


class LargePages:
    """Room for tensors behind each other. Where the system has large pages, what is no longer in a cache is read from
    them in two thirds of the time; what nobody writes to takes no memory.
    """

    def __init__(self, size: int) -> None:
        """`size` bytes in all; each tensor begins where a cache line does."""
        # Shared memory, which it would be by itself, has small pages
        room = mmap.mmap(-1, max(size, _CACHE_LINE), **_PRIVATE)
        with suppress(AttributeError, OSError):  # another system, or none of them left
            room.madvise(mmap.MADV_HUGEPAGE)
        self._room = torch.frombuffer(room, dtype=torch.uint8)
        self._used = 0

    def empty(self, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
        """A tensor of undefined values. Raises ValueError where there is no room left for it."""
        tensor = torch.empty(shape, dtype=dtype, device="meta")
        end = self._used + tensor.nbytes
        if end > len(self._room):
            raise ValueError(f"{tensor.nbytes:,} bytes do not fit into {len(self._room) - self._used:,}: ask for more.")
        part = self._room[self._used : end].view(dtype).view(shape)
        self._used = end + -end % _CACHE_LINE
        return part

    def put(self, tensor: torch.Tensor) -> torch.Tensor:
        """A copy of the tensor."""
        return self.empty(tuple(tensor.shape), tensor.dtype).copy_(tensor)
