"""Memory in huge pages, for weights that each token reads from end to end."""

from __future__ import annotations

import mmap
from contextlib import suppress

import torch

_CACHE_LINE = 64  # bytes
_PRIVATE = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}


class HugePages:
    """Memory for tensors, one behind the other. Where the system has huge pages, what is no longer in a cache is read
    from them in two thirds of the time; what nobody writes to takes no memory.
    """

    def __init__(self, size: int) -> None:
        """`size` bytes in all; each tensor begins where a cache line does."""
        # Shared memory, which is mmap's default, has small pages
        memory = mmap.mmap(-1, max(size, _CACHE_LINE), **_PRIVATE)
        with suppress(AttributeError, OSError):  # another system, or none of them left
            memory.madvise(mmap.MADV_HUGEPAGE)
        self._memory = torch.frombuffer(memory, dtype=torch.uint8)
        self._used = 0

    def empty(self, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
        """A tensor of undefined values. Raises ValueError where too little memory is left for it."""
        tensor = torch.empty(shape, dtype=dtype, device="meta")
        end = self._used + tensor.nbytes
        if end > len(self._memory):
            left = len(self._memory) - self._used
            raise ValueError(f"{tensor.nbytes:,} bytes do not fit into {left:,}: ask for more.")
        part = self._memory[self._used : end].view(dtype).view(shape)
        self._used = end + -end % _CACHE_LINE
        return part

    def copy(self, tensor: torch.Tensor) -> torch.Tensor:
        """A copy of the tensor."""
        return self.empty(tuple(tensor.shape), tensor.dtype).copy_(tensor)
